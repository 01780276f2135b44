/* Guests: how many there are, which of them are idle, and their end. Their ids have a common
 * prefix, so that they are one range of the primary key. */
#include "lib/store/mysql_internal.h"

#define GUESTS "user_id >= 'guest:' AND user_id < 'guest;'"

enum err mysql_guests_count(struct store *store, int64_t limit, int64_t *n)
{
    struct mysql_store *s = mysql_of(store);
    buf_printf(sql_begin(s),
               "SELECT COUNT(*) FROM (SELECT 1 FROM account WHERE " GUESTS
               " AND name <> '' LIMIT %lld) g",
               (long long)limit);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, n) : err;
}

struct guest_rows {
    struct account *out;
    size_t n, limit;
};

static void take_guest(void *context, struct sql_row *row)
{
    struct guest_rows *g = context;
    if (g->n == g->limit)
        return;
    struct account *a = &g->out[g->n++];
    *a = (struct account){.exists = true};
    row_text(row, a->user, sizeof a->user);
    row_text(row, a->name, sizeof a->name);
    a->balance_fen = row_i64(row);
}

enum err mysql_guests_idle(struct store *store, int64_t before_us, const char *after, size_t limit,
                           struct account *out, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct guest_rows g = {.out = out, .limit = limit};
    buf_puts(q, "SELECT a.user_id, a.name, a.balance_fen FROM account a WHERE a." GUESTS
                " AND a.name <> '' AND a.user_id > ");
    sql_user(q, after);
    buf_printf(q,
               " AND NOT EXISTS (SELECT 1 FROM transfer t WHERE t.user_id = a.user_id AND "
               "COALESCE(t.booked_us, t.at_us) >= %lld AND NOT (t.kind = 2 AND t.backend = "
               "'" BACKEND_GUESTS "')) AND NOT EXISTS (SELECT 1 FROM credit c "
               "WHERE c.user_id = a.user_id) AND NOT EXISTS (SELECT 1 FROM envelope e WHERE "
               "e.sender = a.user_id AND e.state = 0) ORDER BY a.user_id LIMIT %zu",
               (long long)before_us, limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_guest, &g);
    *n = g.n;
    return err;
}

enum err mysql_guest_end(struct store *store, const char *user)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    buf_puts(q, "UPDATE account SET name = '' WHERE balance_fen = 0 AND user_id = ");
    sql_user(q, user);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_affected(s, NULL) : err;
}
