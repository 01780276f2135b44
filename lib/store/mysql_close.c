/* Closing envelopes past due: the refund, the sender's balance and the state change in one
 * transaction, so that the refund happens exactly once. */
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

struct due {
    struct id *ids;
    size_t limit, n;
    int64_t now_us;
};

static void due_take(void *context, struct sql_row *row)
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
        err = sql_rows(s, due_take, &d);
    *n = d.n;
    return err;
}

static int compare_users(const void *a, const void *b)
{
    const struct transfer *x = *(const struct transfer *const *)a,
                          *y = *(const struct transfer *const *)b;
    return strcmp(x->user, y->user);
}

/* Sort the transfers that refund something by sender into sorted. Return their number. */
static size_t sort_refunds(const struct transfer *transfers, size_t n,
                           const struct transfer *sorted[BATCH_MAX])
{
    size_t refunds = 0;
    for (size_t i = 0; i < n; i++)
        if (transfers[i].amount_fen > 0)
            sorted[refunds++] = &transfers[i];
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted */
    qsort(sorted, refunds, sizeof sorted[0], compare_users);
    return refunds;
}

/* Return the end of the refunds from sorted[at] on that have one sender. */
static size_t end_of_sender(const struct transfer *const *sorted, size_t n, size_t at)
{
    size_t end = at + 1;
    while (end < n && strcmp(sorted[end]->user, sorted[at]->user) == 0)
        end++;
    return end;
}

static void put_refunds(struct buf *q, const struct transfer *const *sorted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(q, i == 0 ? sql_transfer_insert : ", ");
        sql_transfer_values(q, sorted[i], end_of_sender(sorted, n, i) - i - 1);
    }
}

/* Append one UPDATE per sender, in key order. Return their number. The accounts exist, because the
 * senders paid. */
static size_t put_sender_balances(struct buf *q, const struct transfer *const *sorted, size_t n)
{
    size_t senders = 0;
    for (size_t i = 0, end; i < n; i = end, senders++) {
        int64_t sum_fen = 0;
        end = end_of_sender(sorted, n, i);
        for (size_t k = i; k < end; k++)
            sum_fen += sorted[k]->amount_fen;
        buf_printf(q,
                   "%sUPDATE account SET balance_fen = balance_fen + %lld, entries = entries + %zu "
                   "WHERE user_id = ",
                   senders == 0 ? "" : "; ", (long long)sum_fen, end - i);
        sql_user(q, sorted[i]->user);
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
    size_t senders = put_sender_balances(q, sorted, refunds);
    if (refunds > 0) {
        buf_puts(q, "; ");
        put_refunds(q, sorted, refunds);
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
