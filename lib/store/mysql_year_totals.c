/* Year totals are added when an envelope has closed, not while it is open, so that a busy sender's
 * row is not a lock that opens wait for. The queue `closing` makes each envelope count exactly
 * once. */
#include "lib/base/clock.h"
#include "lib/store/mysql_internal.h"

struct closings {
    struct closing *out;
    size_t n, limit;
};

static void take_closing(void *context, struct sql_row *row)
{
    struct closings *c = context;
    if (c->n == c->limit)
        return;
    struct closing *out = &c->out[c->n++];
    row_bytes(row, out->id.b, ID_SIZE);
    out->state = (enum envelope_state)row_i64(row);
    out->restricted = row_i64(row) != TO_ANYONE;
}

enum err mysql_closing_list(struct store *store, struct closing *out, size_t limit, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct closings c = {.out = out, .limit = limit};
    buf_printf(sql_begin(s),
               "SELECT e.id, e.state, e.to_kind FROM closing q JOIN envelope e "
               "ON e.id = q.envelope_id ORDER BY q.envelope_id LIMIT %zu",
               limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_closing, &c);
    *n = c.n;
    return err;
}

/* What a closing adds to the totals of its sender and of its luckiest user. */
struct year_entry {
    struct id envelope;
    char sender[USER_SIZE];
    int64_t created_us, total_fen, refunded_fen;
    char luckiest_user[USER_SIZE]; /* "" none */
    int64_t luckiest_opened_us;
};

struct year_entries {
    struct year_entry rows[CLOSINGS_MAX];
    size_t n;
};

static void take_entry(void *context, struct sql_row *row)
{
    struct year_entries *t = context;
    struct year_entry *r = &t->rows[t->n];
    if (t->n == CLOSINGS_MAX)
        return;
    row_bytes(row, r->envelope.b, ID_SIZE);
    row_text(row, r->sender, sizeof r->sender);
    r->created_us = row_i64(row);
    r->total_fen = row_i64(row);
    r->refunded_fen = row_i64(row);
    row_text(row, r->luckiest_user, sizeof r->luckiest_user);
    r->luckiest_opened_us = row_i64(row);
    t->n++;
}

/* Lock the rows of the queue, so that two daemons never count one envelope twice. */
static enum err read_entries(struct mysql_store *s, const struct closing *closings, size_t n,
                             struct year_entries *t)
{
    struct buf *q = sql_begin(s);
    t->n = 0;
    sql_transaction(s);
    buf_puts(q,
             "SELECT e.id, e.sender, e.created_us, e.total_fen, e.refunded_fen, e.luckiest_user, "
             "COALESCE(c.opened_us, 0) FROM closing q JOIN envelope e ON e.id = q.envelope_id "
             "LEFT JOIN claim c ON c.envelope_id = e.id AND c.user_id = e.luckiest_user "
             "WHERE q.envelope_id IN (");
    for (size_t i = 0; i < n; i++) {
        sql_comma(q, i == 0);
        sql_id(q, &closings[i].id);
    }
    buf_puts(q, ") ORDER BY q.envelope_id FOR UPDATE");
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    return err == ERR_OK ? sql_rows(s, take_entry, t) : err;
}

static void put_entries(struct buf *q, const struct year_entries *t, int year_offset_min)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct year_entry *r = &t->rows[i];
        buf_puts(q, i == 0 ? "INSERT INTO year_total (user_id, year, sent_count, sent_fen, "
                             "refunded_fen, luckiest_count) VALUES ("
                           : ",(");
        sql_user(q, r->sender);
        buf_printf(q, ",%d,1,%lld,%lld,0)", clock_year_of(r->created_us, year_offset_min),
                   (long long)r->total_fen, (long long)r->refunded_fen);
        if (r->luckiest_user[0] == '\0')
            continue;
        buf_puts(q, ",(");
        sql_user(q, r->luckiest_user);
        buf_printf(q, ",%d,0,0,0,1)", clock_year_of(r->luckiest_opened_us, year_offset_min));
    }
    buf_puts(q, " ON DUPLICATE KEY UPDATE sent_count = sent_count + VALUES(sent_count), "
                "sent_fen = sent_fen + VALUES(sent_fen), "
                "refunded_fen = refunded_fen + VALUES(refunded_fen), "
                "luckiest_count = luckiest_count + VALUES(luckiest_count); "
                "DELETE FROM closing WHERE envelope_id IN (");
    for (size_t i = 0; i < t->n; i++) {
        sql_comma(q, i == 0);
        sql_id(q, &t->rows[i].envelope);
    }
    buf_putc(q, ')');
}

enum err mysql_year_totals_add(struct store *store, int year_offset_min,
                               const struct closing *closings, size_t n, size_t *done)
{
    struct mysql_store *s = mysql_of(store);
    struct year_entries t;
    *done = 0;
    enum err err = read_entries(s, closings, n, &t);
    if (err != ERR_OK)
        return err;
    if (t.n == 0) {
        store->ops->rollback(store);
        return ERR_OK;
    }
    put_entries(sql_begin(s), &t, year_offset_min);
    err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, t.n);
    if (err == ERR_OK)
        err = store->ops->commit(store);
    if (err == ERR_OK)
        *done = t.n;
    return err;
}
