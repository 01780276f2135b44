/* A person's texts: list and remove them. Claims have no index on the user, so they and the
 * envelopes are found through the user's transfers, which are numbered: a range of numbers bounds
 * the rows that one transaction locks. */
#include "lib/store/mysql_desk.h"
#include <inttypes.h>
#include <stdio.h>

#define FORGET_BATCH 500

/* Append a SELECT of every name that user has or had to q. */
static void put_names(struct buf *q, const char *user)
{
    buf_puts(q, "SELECT name FROM account WHERE user_id = ");
    sql_user(q, user);
    buf_puts(q, " UNION SELECT sender_name FROM envelope WHERE sender = ");
    sql_user(q, user);
    buf_puts(q, " UNION SELECT c.name FROM transfer t STRAIGHT_JOIN claim c ON c.envelope_id = "
                "LEFT(t.ref, 16) AND c.user_id = t.user_id WHERE t.kind = 4 AND t.user_id = ");
    sql_user(q, user);
}

/* Reasons go as a whole: to cut a name out of a text would damage words that contain it. */
static enum err forget_in_acts(struct mysql_store *s, const char *user)
{
    struct buf *q = sql_begin(s);
    buf_puts(q, "UPDATE act a SET why = '(removed)' WHERE (a.subject = ");
    sql_user(q, user);
    buf_puts(q, " OR EXISTS (SELECT 1 FROM envelope e LEFT JOIN claim c ON c.envelope_id = e.id "
                "AND c.user_id = ");
    sql_user(q, user);
    buf_puts(q,
             " WHERE e.id = IF(a.subject REGEXP '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', "
             "UNHEX(REPLACE(a.subject, '-', '')), NULL) AND (c.user_id IS NOT NULL OR e.sender = ");
    sql_user(q, user);
    buf_puts(q, "))) AND EXISTS (SELECT 1 FROM (");
    put_names(q, user);
    buf_puts(q, ") n WHERE n.name <> '' AND n.name <> LEFT(");
    sql_user(q, user);
    buf_puts(q, ", 32) AND INSTR(LOWER(a.why), LOWER(n.name)) > 0)");
    return sql_run(s);
}

/* Replace the texts that belong to the transfers of user that range selects. The version of an
 * envelope rises, so that no reader is answered from an older copy. */
static enum err forget_range(struct mysql_store *s, const char *user, const char *greeting,
                             const char *range)
{
    struct buf *q = sql_begin(s);
    buf_puts(q, "UPDATE transfer t STRAIGHT_JOIN envelope e ON e.id = LEFT(t.ref, 16) LEFT JOIN "
                "claim c ON c.envelope_id = e.id AND c.user_id = t.user_id SET "
                "c.name = LEFT(c.user_id, 32), e.luckiest_name = "
                "IF(e.luckiest_user = t.user_id, LEFT(t.user_id, 32), e.luckiest_name), "
                "e.sender_name = IF(e.sender = t.user_id, LEFT(t.user_id, 32), e.sender_name), "
                "e.greeting = IF(e.sender = t.user_id, ");
    sql_text(q, greeting);
    buf_puts(q, ", e.greeting), e.version = e.version + 1 WHERE t.kind IN (3, 4) AND t.user_id = ");
    sql_user(q, user);
    buf_printf(q,
               " AND %s AND (c.name <> LEFT(c.user_id, 32) OR (e.luckiest_user = t.user_id AND "
               "e.luckiest_name <> LEFT(t.user_id, 32)) OR (e.sender = t.user_id AND "
               "(e.sender_name <> LEFT(t.user_id, 32) OR e.greeting <> ",
               range);
    sql_text(q, greeting);
    buf_puts(q, ")))");
    return sql_run(s);
}

static enum err read_entries(struct mysql_store *s, const char *user, int64_t *entries)
{
    struct buf *q = sql_begin(s);
    buf_puts(q, "SELECT entries FROM account WHERE user_id = ");
    sql_user(q, user);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, entries) : err;
}

enum err desk_user_forget(struct desk *d, const char *user, const char *greeting)
{
    struct mysql_store *s = desk_session(d);
    int64_t entries = 0;
    char range[96];
    enum err err = forget_in_acts(s, user); /* first: the names are read from the rows below */
    if (err == ERR_OK)
        err = read_entries(s, user, &entries);
    for (int64_t after = 0; err == ERR_OK && after < entries; after += FORGET_BATCH) {
        snprintf(range, sizeof range, "t.entry > %" PRId64 " AND t.entry <= %" PRId64, after,
                 after + FORGET_BATCH);
        err = forget_range(s, user, greeting, range);
    }
    if (err == ERR_OK)
        err = forget_range(s, user, greeting,
                           "t.entry IS NULL"); /* of programs of an older version */
    if (err != ERR_OK)
        return err;
    struct buf *q = sql_begin(s);
    buf_puts(q, "UPDATE account SET name = LEFT(user_id, 32) WHERE user_id = ");
    sql_user(q, user);
    return sql_run(s);
}

enum err desk_user_texts(struct desk *d, const char *user, desk_event_fn *each, void *context)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    buf_puts(q, "SELECT created_us, 'name' AS what, sender, id, 0, 0, sender_name FROM envelope "
                "WHERE sender_name <> LEFT(sender, 32) AND sender = ");
    sql_user(q, user);
    buf_puts(q, " UNION ALL SELECT created_us, 'greeting', sender, id, 0, 0, greeting FROM "
                "envelope WHERE greeting <> '' AND sender = ");
    sql_user(q, user);
    buf_puts(q, " UNION ALL SELECT c.opened_us, 'name', c.user_id, c.envelope_id, 0, c.seq, c.name "
                "FROM transfer t STRAIGHT_JOIN claim c ON c.envelope_id = LEFT(t.ref, 16) AND "
                "c.user_id = t.user_id WHERE t.kind = 4 AND c.name <> LEFT(c.user_id, 32) AND "
                "t.user_id = ");
    sql_user(q, user);
    buf_puts(q, " ORDER BY 1, 2");
    return desk_send_events(s, each, context);
}
