/* Plain reads of an envelope, its claims, an account and the queues. */
#include "lib/store/mysql_internal.h"
#include <string.h>

struct one_envelope {
    struct envelope *e;
    bool found;
};

static void take_one_envelope(void *context, struct sql_row *row)
{
    struct one_envelope *one = context;
    envelope_take(row, one->e);
    one->found = true;
}

enum err mysql_envelope_get(struct store *store, const struct id *id, struct envelope *e,
                            bool *found, int64_t *now_us)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct one_envelope one = {.e = e};
    buf_puts(q, "SELECT ");
    sql_envelope_columns(q, SQL_SEED_PUBLIC);
    buf_puts(q, " FROM envelope e WHERE e.id = ");
    sql_id(q, id);
    buf_puts(q, "; " SQL_NOW);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_one_envelope, &one);
    *found = one.found;
    return err == ERR_OK ? sql_rows(s, row_take_i64, now_us) : err;
}

enum err mysql_version_get(struct store *store, const struct id *id, int64_t *version)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    *version = 0;
    buf_puts(q, "SELECT version FROM envelope WHERE id = ");
    sql_id(q, id);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, version) : err;
}

struct end_rows {
    const struct id *ids;
    size_t n;
    struct envelope_end *out;
};

static void take_end(void *context, struct sql_row *row)
{
    const struct end_rows *ends = context;
    struct id id;
    row_bytes(row, id.b, ID_SIZE);
    for (size_t i = 0; i < ends->n; i++) {
        if (id_compare(&ends->ids[i], &id) != 0)
            continue;
        ends->out[i].exists = true;
        ends->out[i].state = (enum envelope_state)row_i64(row);
        ends->out[i].to_kind = (enum recipients)row_i64(row);
        return;
    }
}

enum err mysql_envelope_ends(struct store *store, const struct id *ids, size_t n,
                             struct envelope_end *out)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct end_rows ends = {.ids = ids, .n = n, .out = out};
    memset(out, 0, n * sizeof out[0]);
    buf_puts(q, "SELECT id, state, to_kind FROM envelope WHERE id IN (");
    for (size_t i = 0; i < n; i++) {
        sql_comma(q, i == 0);
        sql_id(q, &ids[i]);
    }
    buf_putc(q, ')');
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_end, &ends) : err;
}

struct claim_rows {
    struct id envelope;
    struct claim *out;
    size_t n, limit;
};

static void take_claim_row(void *context, struct sql_row *row)
{
    struct claim_rows *claims = context;
    if (claims->n == claims->limit)
        return;
    struct claim *c = &claims->out[claims->n++];
    c->envelope = claims->envelope;
    row_text(row, c->user, sizeof c->user);
    row_text(row, c->name, sizeof c->name);
    c->amount_fen = row_i64(row);
    c->seq = row_i64(row);
    c->opened_us = row_i64(row);
    c->thanks = (enum claim_thanks)row_i64(row);
}

#define CLAIM_COLUMNS "user_id, name, amount_fen, seq, opened_us, thanks"

enum err mysql_claim_get(struct store *store, const struct id *id, const char *user,
                         struct claim *c, bool *found)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct claim_rows claims = {.envelope = *id, .out = c, .limit = 1};
    buf_puts(q, "SELECT " CLAIM_COLUMNS " FROM claim WHERE envelope_id = ");
    sql_id(q, id);
    buf_puts(q, " AND user_id = ");
    sql_user(q, user);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_claim_row, &claims);
    *found = claims.n == 1;
    return err;
}

enum err mysql_claims_page(struct store *store, const struct id *id, int64_t after_seq,
                           size_t limit, struct claim *out, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct claim_rows claims = {.envelope = *id, .out = out, .limit = limit};
    buf_puts(q, "SELECT " CLAIM_COLUMNS " FROM claim WHERE envelope_id = ");
    sql_id(q, id);
    buf_printf(q, " AND seq > %lld ORDER BY seq LIMIT %zu", (long long)after_seq, limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_claim_row, &claims);
    *n = claims.n;
    return err;
}

struct me {
    struct account *account;
    int64_t *pending_fen;
};

static void take_me(void *context, struct sql_row *row)
{
    struct me *me = context;
    me->account->exists = !row_null(row);
    row_text(row, me->account->name, sizeof me->account->name);
    me->account->balance_fen = row_i64(row);
    me->account->sent_day = row_i64(row);
    me->account->sent_day_fen = row_i64(row);
    *me->pending_fen = row_i64(row);
}

/* One statement for balance and pending: a credit booked between two reads would be counted twice
 * or not at all. */
enum err mysql_account_get(struct store *store, const char *user, struct account *a,
                           int64_t *pending_fen)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    memset(a, 0, sizeof *a);
    memcpy(a->user, user, strlen(user));
    *pending_fen = 0;
    buf_puts(q, "SELECT a.name, COALESCE(a.balance_fen, 0), COALESCE(a.sent_day, 0), "
                "COALESCE(a.sent_day_fen, 0), (SELECT COALESCE(SUM(c.amount_fen), 0) FROM credit c "
                "WHERE c.user_id = ");
    sql_user(q, user);
    buf_puts(q, ") FROM (SELECT 1 AS one) o LEFT JOIN account a ON a.user_id = ");
    sql_user(q, user);
    struct me me = {.account = a, .pending_fen = pending_fen};
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_me, &me) : err;
}

static void take_open_money(void *context, struct sql_row *row)
{
    struct money_state *out = context;
    out->open_envelopes = row_i64(row);
    out->open_fen = row_i64(row);
}

/* Every open envelope has a seed, so that closed ones need not be read. */
enum err mysql_money_state(struct store *store, struct money_state *out)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    memset(out, 0, sizeof *out);
    sql_snapshot(s);
    buf_puts(q, "SELECT COALESCE(SUM(balance_fen), 0) FROM account; SELECT COUNT(*), "
                "COALESCE(SUM(e.total_fen - e.opened_fen - e.refunded_fen), 0) FROM seed s JOIN "
                "envelope e ON e.id = s.envelope_id; "
                "SELECT COUNT(*) FROM envelope WHERE frozen <> 0");
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &out->balances_fen);
    if (err == ERR_OK)
        err = sql_rows(s, take_open_money, out);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &out->frozen_envelopes);
    store->ops->rollback(store); /* ends the snapshot */
    return err;
}

static void take_queue(void *context, struct sql_row *row)
{
    struct queue_state *out = context;
    out->pending_credits = row_i64(row);
    out->pending_fen = row_i64(row);
    out->oldest_opened_us = row_i64(row);
}

enum err mysql_queue_state(struct store *store, struct queue_state *out)
{
    struct mysql_store *s = mysql_of(store);
    memset(out, 0, sizeof *out);
    buf_puts(sql_begin(s), SQL_NOW);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &out->now_us);
    if (err != ERR_OK)
        return err;
    buf_printf(sql_begin(s),
               "SELECT COUNT(*), COALESCE(SUM(amount_fen), 0), COALESCE(MIN(opened_us), 0) "
               "FROM credit; SELECT COUNT(*) FROM seed WHERE expires_us <= %lld; "
               "SELECT held_us FROM clock",
               (long long)out->now_us);
    err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_queue, out);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &out->overdue_refunds);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &out->clock_held_us) : err;
}

static void take_clock(void *context, struct sql_row *row)
{
    struct clock_row *out = context;
    out->now_us = row_i64(row);
    out->seen_us = row_i64(row);
    out->held_us = row_i64(row);
    out->keys_after_us = row_i64(row);
}

enum err mysql_clock_read(struct store *store, struct clock_row *out)
{
    struct mysql_store *s = mysql_of(store);
    memset(out, 0, sizeof *out);
    buf_puts(sql_begin(s), "SELECT (" SQL_NOW "), seen_us, held_us, keys_after_us FROM clock");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_clock, out) : err;
}

enum err mysql_clock_write(struct store *store, const struct clock_row *row)
{
    struct mysql_store *s = mysql_of(store);
    buf_printf(sql_begin(s),
               "UPDATE clock SET seen_us = %lld, held_us = %lld, "
               "keys_after_us = GREATEST(keys_after_us, %lld)",
               (long long)row->seen_us, (long long)row->held_us, (long long)row->keys_after_us);
    return sql_run(s);
}

enum err mysql_host_beat(struct store *store, const char *name, const uint8_t generation[16])
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    buf_puts(q, "INSERT INTO host (name, beat_us, generation) VALUES (");
    sql_bytes(q, name, strlen(name));
    buf_puts(q, ", (" SQL_NOW "), ");
    sql_bytes(q, generation, 16);
    buf_puts(q, ") ON DUPLICATE KEY UPDATE beat_us = VALUES(beat_us), "
                "generation = VALUES(generation)");
    return sql_run(s);
}

enum err mysql_last_beat(struct store *store, int64_t *beat_us)
{
    struct mysql_store *s = mysql_of(store);
    buf_puts(sql_begin(s), "SELECT COALESCE(MAX(beat_us), 0) FROM host");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, beat_us) : err;
}
