/* Closing at expiry, and what settle does besides crediting. */
#include "lib/base/clock.h"
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

struct due {
    struct id *ids;
    size_t limit, n;
    int64_t now_us;
};

static void take_due(void *context, struct sql_row *row)
{
    struct due *d = context;
    struct id id = {{0}};
    row_bytes(row, id.b, ID_SIZE);
    int64_t expires_us = row_i64(row);
    if (expires_us <= d->now_us && d->n < d->limit)
        d->ids[d->n++] = id;
}

enum err mysql_due_list(struct store *store, struct id *ids, size_t limit, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct due d = {.ids = ids, .limit = limit};
    buf_printf(sql_begin(s),
               SQL_NOW "; SELECT s.envelope_id, s.expires_us FROM seed s JOIN envelope e ON "
                       "e.id = s.envelope_id WHERE e.frozen = 0 ORDER BY s.expires_us LIMIT %zu",
               limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &d.now_us);
    if (err == ERR_OK)
        err = sql_rows(s, take_due, &d);
    *n = d.n;
    return err;
}

static void put_transfers(struct buf *q, const struct transfer *transfers, size_t n)
{
    size_t refunds = 0;
    for (size_t i = 0; i < n; i++) {
        if (transfers[i].amount_fen == 0)
            continue;
        buf_puts(q, refunds++ == 0 ? sql_transfer_insert : ", ");
        sql_transfer_values(q, &transfers[i]);
    }
}

static int compare_users(const void *a, const void *b)
{
    const struct transfer *x = *(const struct transfer *const *)a,
                          *y = *(const struct transfer *const *)b;
    return strcmp(x->user, y->user);
}

/* The refunds by sender; returns how many. */
static size_t sort_refunds(const struct transfer *transfers, size_t n,
                           const struct transfer *sorted[BATCH_MAX])
{
    size_t refunds = 0;
    for (size_t i = 0; i < n; i++)
        if (transfers[i].amount_fen > 0)
            sorted[refunds++] = &transfers[i];
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is sorted */
    qsort(sorted, refunds, sizeof sorted[0], compare_users);
    return refunds;
}

/* One UPDATE a sender, by key; returns how many. The accounts exist: they paid. */
static size_t put_balances(struct buf *q, const struct transfer *const *sorted, size_t n)
{
    size_t senders = 0;
    for (size_t i = 0; i < n; senders++) {
        const char *user = sorted[i]->user;
        int64_t sum_fen = 0;
        for (; i < n && strcmp(sorted[i]->user, user) == 0; i++)
            sum_fen += sorted[i]->amount_fen;
        buf_printf(q, "%sUPDATE account SET balance_fen = balance_fen + %lld WHERE user_id = ",
                   senders == 0 ? "" : "; ", (long long)sum_fen);
        sql_user(q, user);
    }
    return senders;
}

enum err mysql_refund_write(struct store *store, const struct open_set *set,
                            const struct transfer *transfers, size_t n)
{
    struct mysql_store *s = mysql_of(store);
    const struct transfer *sorted[BATCH_MAX];
    struct buf *q = sql_begin(s);
    size_t refunds = sort_refunds(transfers, n, sorted), closed;
    size_t senders = put_balances(q, sorted, refunds);
    if (refunds > 0) {
        buf_puts(q, "; ");
        put_transfers(q, transfers, n);
    }
    buf_puts(q, q->len > 0 ? "; " : "");
    size_t changed = sql_envelopes_update(q, set);
    sql_closings(q, set, &closed);
    enum err err = sql_send(s);
    for (size_t i = 0; i < senders && err == ERR_OK; i++)
        err = sql_affected_exactly(s, 1);
    if (err == ERR_OK && refunds > 0)
        err = sql_affected_exactly(s, refunds);
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
    struct tally rows[TALLIES_MAX];
    size_t n;
};

static void take_tally(void *context, struct sql_row *row)
{
    struct tallies *t = context;
    struct tally *r = &t->rows[t->n];
    if (t->n == TALLIES_MAX)
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
