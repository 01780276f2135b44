/* The transaction of a batch of opens takes three round trips: locks and reads, writes, commit.
 * Each is one text of statements, because round trips under the lock bound the rate of one
 * envelope. */
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

/* Read one locked envelope directly into its place in the set; it is too large to copy. */
static void take_locked_envelope(void *context, struct sql_row *row)
{
    struct open_set *set = context;
    struct id id;
    struct sql_row first = *row;
    row_bytes(&first, id.b, ID_SIZE);
    const struct id *at = bsearch(&id, set->ids, set->n_envelopes, sizeof set->ids[0], id_order);
    if (at == NULL)
        return; /* not what was selected */
    envelope_take(row, &set->envelopes[at - set->ids]);
    set->opened_before[at - set->ids] = set->envelopes[at - set->ids].opened_shares;
    set->exists[at - set->ids] = true;
}

static void take_found_claim(void *context, struct sql_row *row)
{
    struct open_set *set = context;
    struct claim c = {.seq = 0};
    row_bytes(row, c.envelope.b, ID_SIZE);
    row_text(row, c.user, sizeof c.user);
    row_text(row, c.name, sizeof c.name);
    c.amount_fen = row_i64(row);
    c.seq = row_i64(row);
    c.opened_us = row_i64(row);
    c.thanks = (enum claim_thanks)row_i64(row);
    for (size_t i = 0; i < set->n_rows; i++) {
        if (id_compare(&set->rows[i].envelope, &c.envelope) != 0 ||
            strcmp(set->rows[i].user, c.user) != 0)
            continue;
        set->rows[i].found = true;
        set->rows[i].claim = c;
    }
}

/* Append a SELECT of the claims of the rows with look. Force the primary key: letting the optimizer
 * weigh the second index costs more than the read. Return the number of such rows; nothing is
 * appended for 0. */
static size_t put_looks(struct buf *q, const struct open_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n_rows; i++) {
        if (!set->rows[i].look)
            continue;
        buf_puts(q, n++ == 0 ? "SELECT envelope_id, user_id, name, amount_fen, seq, opened_us, "
                               "thanks FROM claim FORCE INDEX (PRIMARY) "
                               "WHERE (envelope_id, user_id) IN (("
                             : ", (");
        sql_id(q, &set->rows[i].envelope);
        buf_putc(q, ',');
        sql_user(q, set->rows[i].user);
        buf_putc(q, ')');
    }
    buf_puts(q, n > 0 ? ")" : "");
    return n;
}

enum err mysql_open_read(struct store *store, struct open_set *set)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    sql_transaction(s);
    sql_lock_wait(s, set->lock_wait);
    buf_puts(q, "SELECT ");
    sql_envelope_columns(q, SQL_SEED_SECRET);
    buf_puts(q, " FROM envelope e LEFT JOIN seed s ON s.envelope_id = e.id WHERE e.id IN (");
    for (size_t i = 0; i < set->n_envelopes; i++) {
        sql_comma(q, i == 0);
        sql_id(q, &set->ids[i]);
    }
    buf_puts(q, ") ORDER BY e.id FOR UPDATE");
    buf_puts(q, set->lock_wait == LOCK_WAIT_NONE ? " NOWAIT; " : "; ");
    size_t looks = put_looks(q, set);
    buf_puts(q, looks > 0 ? "; " SQL_NOW : SQL_NOW);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_rows(s, take_locked_envelope, set);
    if (err == ERR_OK && looks > 0)
        err = sql_rows(s, take_found_claim, set);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &set->now_us) : err;
}

enum err mysql_open_look(struct store *store, struct open_set *set)
{
    struct mysql_store *s = mysql_of(store);
    put_looks(sql_begin(s), set);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_found_claim, set) : err;
}

/* Append one INSERT of the new claims. Return their number; nothing is appended for 0. */
static size_t put_claims(struct buf *q, const struct open_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n_rows; i++) {
        const struct claim *c = &set->rows[i].claim;
        if (!set->rows[i].insert)
            continue;
        buf_puts(q, n++ == 0 ? "INSERT INTO claim (envelope_id, user_id, name, amount_fen, seq, "
                               "opened_us) VALUES ("
                             : ", (");
        sql_id(q, &c->envelope);
        buf_putc(q, ',');
        sql_user(q, c->user);
        buf_putc(q, ',');
        sql_text(q, c->name);
        sql_number(q, ",", c->amount_fen);
        sql_number(q, ",", c->seq);
        sql_number(q, ",", c->opened_us);
        buf_putc(q, ')');
    }
    return n;
}

static int claim_credit_order(const void *a, const void *b)
{
    const struct claim *x = *(const struct claim *const *)a, *y = *(const struct claim *const *)b;
    int order = strcmp(x->user, y->user);
    return order != 0 ? order : id_compare(&x->envelope, &y->envelope);
}

/* Append one INSERT of the credits of the new claims, in key order; nothing if there are none. */
static void put_credits(struct buf *q, const struct open_set *set)
{
    const struct claim *claims[BATCH_MAX] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < set->n_rows; i++)
        if (set->rows[i].insert)
            claims[n++] = &set->rows[i].claim;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted */
    qsort(claims, n, sizeof claims[0], claim_credit_order);
    for (size_t i = 0; i < n; i++) {
        const struct claim *c = claims[i];
        buf_puts(q, i == 0 ? "; INSERT INTO credit (user_id, envelope_id, lane, seq, amount_fen, "
                             "opened_us) VALUES ("
                           : ", (");
        sql_user(q, c->user);
        buf_putc(q, ',');
        sql_id(q, &c->envelope);
        sql_number(q, ",", lane_of(c->user));
        sql_number(q, ",", c->seq);
        sql_number(q, ",", c->amount_fen);
        sql_number(q, ",", c->opened_us);
        buf_putc(q, ')');
    }
}

enum err mysql_open_write(struct store *store, const struct open_set *set)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    size_t claims = put_claims(q, set), closed;
    put_credits(q, set);
    buf_puts(q, q->len > 0 ? "; " : "");
    size_t changed = sql_envelopes_update(q, set);
    sql_closings(q, set, &closed);
    enum err err = sql_send(s);
    for (int i = 0; i < 2 && err == ERR_OK && claims > 0; i++)
        err = sql_affected_exactly(s, claims);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, changed);
    return err == ERR_OK ? sql_closings_take(s, closed) : err;
}

enum err mysql_thanks_write(struct store *store, const struct claim *c)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    buf_printf(q, "UPDATE claim SET thanks = %d WHERE envelope_id = ", (int)c->thanks);
    sql_id(q, &c->envelope);
    buf_puts(q, " AND user_id = ");
    sql_user(q, c->user);
    buf_puts(q, "; UPDATE envelope SET version = version + 1 WHERE id = ");
    sql_id(q, &c->envelope);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, 1);
    return err == ERR_OK ? sql_affected_exactly(s, 1) : err;
}
