/* Closing at expiry, and what settle does besides crediting. */
#include "lib/base/clock.h"
#include "lib/store/mysql_internal.h"
#include <string.h>

struct due {
    struct id *ids;
    size_t limit, n;
    int64_t now_us, next_due_us;
};

static void take_due(void *context, struct sql_row *row)
{
    struct due *d = context;
    struct id id = {{0}};
    row_bytes(row, id.b, ID_SIZE);
    int64_t expires_us = row_i64(row);
    if (expires_us <= d->now_us && d->n < d->limit)
        d->ids[d->n++] = id;
    else if (d->next_due_us == 0)
        d->next_due_us = expires_us;
}

enum err mysql_due_list(struct store *store, struct id *ids, size_t limit, size_t *n,
                        int64_t *next_due_us)
{
    struct mysql_store *s = mysql_of(store);
    struct due d = {.ids = ids, .limit = limit};
    buf_printf(sql_begin(s),
               SQL_NOW "; SELECT envelope_id, expires_us FROM seed ORDER BY expires_us LIMIT %zu",
               limit + 1);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &d.now_us);
    if (err == ERR_OK)
        err = sql_rows(s, take_due, &d);
    *n = d.n;
    *next_due_us = d.next_due_us;
    return err;
}

static size_t put_transfers(struct buf *q, const struct transfer *transfers, size_t n)
{
    size_t refunds = 0;
    for (size_t i = 0; i < n; i++) {
        if (transfers[i].amount_fen == 0)
            continue;
        buf_puts(q, refunds++ == 0 ? sql_transfer_insert : ", ");
        sql_transfer_values(q, &transfers[i]);
    }
    return refunds;
}

/* Locks the senders' accounts in order before their balances change one by one. */
static enum err lock_senders(struct mysql_store *s, const struct transfer *transfers, size_t n)
{
    struct buf *q = sql_begin(s);
    int64_t ignored;
    size_t senders = 0;
    buf_puts(q, "SELECT COUNT(*) FROM (SELECT 1 FROM account WHERE user_id IN (");
    for (size_t i = 0; i < n; i++) {
        if (transfers[i].amount_fen == 0)
            continue;
        sql_comma(q, senders++ == 0);
        sql_user(q, transfers[i].user);
    }
    buf_puts(q, ") ORDER BY user_id FOR UPDATE) locked");
    if (senders == 0)
        return ERR_OK;
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &ignored) : err;
}

enum err mysql_refund_write(struct store *store, const struct open_set *set,
                            const struct transfer *transfers, size_t n)
{
    struct mysql_store *s = mysql_of(store);
    enum err err = lock_senders(s, transfers, n);
    if (err != ERR_OK)
        return err;
    struct buf *q = sql_begin(s);
    size_t refunds = put_transfers(q, transfers, n), closed;
    for (size_t i = 0; i < n; i++) {
        if (transfers[i].amount_fen == 0)
            continue;
        buf_printf(q, "; UPDATE account SET balance_fen = balance_fen + %lld WHERE user_id = ",
                   (long long)transfers[i].amount_fen);
        sql_user(q, transfers[i].user);
    }
    buf_puts(q, q->len > 0 ? "; " : "");
    size_t changed = sql_envelopes_update(q, set);
    sql_closings(q, set, &closed);
    err = sql_send(s);
    if (err == ERR_OK && refunds > 0)
        err = sql_affected_exactly(s, refunds);
    for (size_t i = 0; i < refunds && err == ERR_OK; i++)
        err = sql_affected_exactly(s, 1);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, changed);
    return err == ERR_OK ? sql_closings_take(s, closed) : err;
}

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

struct tallies {
    struct tally rows[BATCH_MAX];
    size_t n;
};

static void take_tally(void *context, struct sql_row *row)
{
    struct tallies *t = context;
    struct tally *r = &t->rows[t->n];
    if (t->n == BATCH_MAX)
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

/* Locks rows of the queue, so that two daemons never count one envelope twice. */
static enum err read_tallies(struct mysql_store *s, const struct closing *closings, size_t n,
                             struct tallies *t)
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
    return err == ERR_OK ? sql_rows(s, take_tally, t) : err;
}

static void put_tallies(struct buf *q, const struct tallies *t, int year_offset_min)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct tally *r = &t->rows[i];
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

enum err mysql_tally_run(struct store *store, int year_offset_min, const struct closing *closings,
                         size_t n, size_t *done)
{
    struct mysql_store *s = mysql_of(store);
    struct tallies t;
    *done = 0;
    enum err err = read_tallies(s, closings, n, &t);
    if (err != ERR_OK)
        return err;
    if (t.n == 0) {
        store->ops->rollback(store);
        return ERR_OK;
    }
    put_tallies(sql_begin(s), &t, year_offset_min);
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

enum err mysql_idempotency_expire(struct store *store, int64_t before_us, size_t limit, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    uint64_t deleted = 0;
    buf_printf(sql_begin(s), "DELETE FROM idempotency WHERE created_us < %lld LIMIT %zu",
               (long long)before_us, limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, &deleted);
    *n = (size_t)deleted;
    return err;
}
