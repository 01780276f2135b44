/* Reads and writes of the reconciliation. It reads all tables of an envelope from one snapshot and
 * may write two things: the credit of a claim that lost it, and whether an envelope is frozen. */
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

/* not_before_us of the credits of a frozen envelope: beyond any year that can be shown */
#define FROZEN_UNTIL_US INT64_C(253370764800000000)

struct books_reading {
    struct books *books;
    size_t n, limit, at; /* at: the envelope whose rows are being read */
};

static void take_books_envelope(void *context, struct sql_row *row)
{
    struct books_reading *r = context;
    if (r->n == r->limit)
        return;
    struct books *b = &r->books[r->n++];
    memset(b, 0, sizeof *b);
    envelope_take(row, &b->envelope);
    b->seed_row = !row_null(row);
    b->seed_expires_us = row_i64(row);
    b->closing_row = row_i64(row) != 0;
}

/* Return the books of id, or NULL if they are not being read. Ids must come in ascending order. */
static struct books *books_of(struct books_reading *r, const struct id *id)
{
    while (r->at < r->n && id_compare(&r->books[r->at].envelope.id, id) < 0)
        r->at++;
    bool here = r->at < r->n && id_compare(&r->books[r->at].envelope.id, id) == 0;
    return here ? &r->books[r->at] : NULL;
}

static void take_books_claim(void *context, struct sql_row *row)
{
    struct books_claim c;
    memset(&c, 0, sizeof c);
    row_bytes(row, c.claim.envelope.b, ID_SIZE);
    row_text(row, c.claim.user, sizeof c.claim.user);
    c.claim.amount_fen = row_i64(row);
    c.claim.seq = row_i64(row);
    c.claim.opened_us = row_i64(row);
    c.pending = !row_null(row);
    c.pending_seq = row_i64(row);
    c.pending_fen = row_i64(row);
    c.credited = !row_null(row);
    row_text(row, c.credited_user, sizeof c.credited_user);
    c.credited_fen = row_i64(row);
    struct books *b = books_of(context, &c.claim.envelope);
    if (b != NULL)
        books_add_claim(b, &c);
}

static void take_books_transfer(void *context, struct sql_row *row)
{
    struct id id;
    char user[USER_SIZE];
    row_bytes(row, id.b, ID_SIZE);
    enum transfer_kind kind = (enum transfer_kind)row_i64(row);
    row_text(row, user, sizeof user);
    struct books *b = books_of(context, &id);
    if (b != NULL)
        books_add_transfer(b, kind, user, row_i64(row));
}

static void put_between(struct buf *q, const struct id *first, const struct id *last)
{
    buf_puts(q, " BETWEEN ");
    sql_id(q, first);
    buf_puts(q, " AND ");
    sql_id(q, last);
}

/* Keep as many envelopes as have at most claims_max opened shares together, at least one. */
static void limit_claims(struct books_reading *r, size_t claims_max)
{
    int64_t claims = 0;
    for (size_t i = 0; i < r->n; i++) {
        claims += r->books[i].envelope.opened_shares;
        if (i > 0 && claims > (int64_t)claims_max)
            r->n = i;
    }
}

static enum err read_envelopes(struct mysql_store *s, const struct id *after,
                               struct books_reading *r)
{
    struct buf *q = sql_begin(s);
    sql_snapshot(s);
    buf_puts(q, "SELECT ");
    sql_envelope_columns(q, SQL_SEED_PUBLIC);
    buf_puts(q,
             ", s.expires_us, q.envelope_id IS NOT NULL FROM envelope e LEFT JOIN seed s "
             "ON s.envelope_id = e.id LEFT JOIN closing q ON q.envelope_id = e.id WHERE e.id > ");
    sql_id(q, after);
    buf_printf(q, " AND e.frozen = 0 ORDER BY e.id LIMIT %zu", r->limit);
    enum err err = sql_send(s);
    for (int i = 0; i < 2 && err == ERR_OK; i++)
        err = sql_affected(s, NULL);
    return err == ERR_OK ? sql_rows(s, take_books_envelope, r) : err;
}

static enum err read_claims(struct mysql_store *s, struct books_reading *r)
{
    const struct id *first = &r->books[0].envelope.id, *last = &r->books[r->n - 1].envelope.id;
    struct buf *q = sql_begin(s);
    r->at = 0;
    buf_puts(q, "SELECT c.envelope_id, c.user_id, c.amount_fen, c.seq, c.opened_us, p.seq, "
                "p.amount_fen, t.user_id, t.amount_fen FROM claim c LEFT JOIN credit p ON "
                "p.user_id = c.user_id AND p.envelope_id = c.envelope_id LEFT JOIN transfer t ON "
                "t.ref = CONCAT(c.envelope_id, UNHEX(LPAD(HEX(c.seq), 8, '0'))) AND t.kind = 4 "
                "WHERE c.envelope_id");
    put_between(q, first, last);
    buf_puts(q, " ORDER BY c.envelope_id, c.seq");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_stream(s, take_books_claim, r) : err;
}

/* The reference of every transfer of an envelope begins with its id. */
static enum err read_transfers(struct mysql_store *s, struct books_reading *r)
{
    struct buf *q = sql_begin(s);
    r->at = 0;
    buf_puts(q, "SELECT LEFT(ref, 16), kind, user_id, amount_fen FROM transfer WHERE ref >= ");
    sql_id(q, &r->books[0].envelope.id);
    buf_puts(q, " AND ref <= CONCAT(");
    sql_id(q, &r->books[r->n - 1].envelope.id);
    buf_puts(q, ", X'FFFFFFFF') AND kind IN (3, 4, 5) ORDER BY ref");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_stream(s, take_books_transfer, r) : err;
}

enum err mysql_books_read(struct store *store, const struct id *after, struct books *books,
                          size_t limit, size_t claims_max, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct books_reading r = {.books = books, .limit = limit};
    *n = 0;
    enum err err = read_envelopes(s, after, &r);
    limit_claims(&r, claims_max);
    if (err == ERR_OK && r.n > 0)
        err = read_claims(s, &r);
    if (err == ERR_OK && r.n > 0)
        err = read_transfers(s, &r);
    store->ops->rollback(store); /* ends the snapshot */
    if (err == ERR_OK)
        *n = r.n;
    return err;
}

enum err mysql_credit_requeue(struct store *store, const struct claim *c)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    buf_puts(q, "INSERT INTO credit (user_id, envelope_id, lane, seq, amount_fen, opened_us) "
                "VALUES (");
    sql_user(q, c->user);
    buf_putc(q, ',');
    sql_id(q, &c->envelope);
    buf_printf(q, ",%u,%lld,%lld,%lld)", lane_of(c->user), (long long)c->seq,
               (long long)c->amount_fen, (long long)c->opened_us);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_affected_exactly(s, 1) : err;
}

enum err mysql_freeze(struct store *store, const struct id *id, int64_t rule, bool *changed)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    uint64_t rows = 0;
    sql_transaction(s);
    buf_printf(
        q, "UPDATE envelope SET frozen = %lld, version = version + 1 WHERE id = ", (long long)rule);
    sql_id(q, id);
    buf_puts(q, rule != 0 ? " AND frozen = 0; " : " AND frozen <> 0; ");
    buf_printf(q,
               "UPDATE claim c JOIN credit p ON p.user_id = c.user_id AND p.envelope_id = "
               "c.envelope_id SET p.not_before_us = %lld WHERE c.envelope_id = ",
               rule != 0 ? (long long)FROZEN_UNTIL_US : 0LL);
    sql_id(q, id);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL); /* BEGIN */
    if (err == ERR_OK)
        err = sql_affected(s, &rows);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = store->ops->commit(store);
    *changed = rows == 1;
    return err;
}

struct frozen_rows {
    struct frozen *out;
    size_t n, limit;
};

static void take_frozen(void *context, struct sql_row *row)
{
    struct frozen_rows *f = context;
    if (f->n == f->limit)
        return;
    row_bytes(row, f->out[f->n].envelope.b, ID_SIZE);
    f->out[f->n++].rule = row_i64(row);
}

enum err mysql_frozen_list(struct store *store, struct frozen *out, size_t limit, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct frozen_rows f = {.out = out, .limit = limit};
    buf_printf(sql_begin(s),
               "SELECT id, frozen FROM envelope WHERE frozen <> 0 ORDER BY id LIMIT %zu", limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_frozen, &f);
    *n = f.n;
    return err;
}
