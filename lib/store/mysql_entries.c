/* Numbers the transfers that programs of version 0.1 add without an entry while they still run over
 * this schema. The accounts are scanned in parts, with one index look-up each. */
#include "lib/store/mysql_internal.h"
#include <string.h>

#define UNNUMBERED "SELECT 1 FROM transfer t WHERE t.user_id = a.user_id AND t.entry IS NULL"

struct entries_part {
    int64_t accounts;
    char last[USER_SIZE], user[USER_SIZE]; /* user: the first with a transfer to number; "" none */
};

static void take_part(void *context, struct sql_row *row)
{
    struct entries_part *part = context;
    part->accounts = row_i64(row);
    row_text(row, part->last, sizeof part->last);
    row_text(row, part->user, sizeof part->user);
}

static enum err read_part(struct mysql_store *s, const char *after, size_t limit,
                          struct entries_part *part)
{
    struct buf *q = sql_begin(s);
    memset(part, 0, sizeof *part);
    buf_puts(q, "SELECT COUNT(*), MAX(a.user_id), MIN(CASE WHEN EXISTS (" UNNUMBERED ") THEN "
                "a.user_id END) FROM (SELECT user_id FROM account WHERE user_id > ");
    sql_user(q, after);
    buf_printf(q, " ORDER BY user_id LIMIT %zu) a", limit);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_part, part) : err;
}

/* In the order of their ids, behind those that have an entry. */
static enum err number_user(struct mysql_store *s, const char *user)
{
    struct buf *q = sql_begin(s);
    int64_t entries;
    sql_transaction(s);
    buf_puts(q, "SELECT entries FROM account WHERE user_id = ");
    sql_user(q, user);
    buf_puts(q, " FOR UPDATE; UPDATE transfer t JOIN (SELECT id, ROW_NUMBER() OVER (ORDER BY id) "
                "AS n FROM transfer WHERE entry IS NULL AND user_id = ");
    sql_user(q, user);
    buf_puts(q, ") r ON r.id = t.id SET t.entry = r.n + (SELECT entries FROM account WHERE "
                "user_id = t.user_id) WHERE t.user_id = ");
    sql_user(q, user);
    buf_puts(q, "; UPDATE account a SET a.entries = (SELECT MAX(t.entry) FROM transfer t WHERE "
                "t.user_id = a.user_id) WHERE a.user_id = ");
    sql_user(q, user);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &entries);
    for (int i = 0; i < 2 && err == ERR_OK; i++)
        err = sql_affected(s, NULL);
    return err;
}

enum err mysql_entries_add(struct store *store, char after[USER_SIZE], size_t limit, bool *numbered)
{
    struct mysql_store *s = mysql_of(store);
    struct entries_part part;
    *numbered = false;
    enum err err = read_part(s, after, limit, &part);
    if (err != ERR_OK)
        return err;
    if (part.user[0] == '\0') {
        memcpy(after, part.last, USER_SIZE);
        if ((size_t)part.accounts < limit)
            after[0] = '\0';
        return ERR_OK;
    }
    err = number_user(s, part.user);
    if (err == ERR_OK)
        err = store->ops->commit(store);
    *numbered = err == ERR_OK;
    if (*numbered)
        memcpy(after, part.user, USER_SIZE);
    return err;
}
