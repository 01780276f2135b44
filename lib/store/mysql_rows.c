/* Envelopes and transfers as rows: the columns in the order they are read and written in. */
#include "lib/base/crypto.h"
#include "lib/store/mysql_internal.h"
#include <stddef.h>
#include <string.h>

#define ENVELOPE_COLUMNS                                                                           \
    "e.id, e.sender, e.sender_name, e.mode, e.total_fen, e.shares, e.cap_fen, e.greeting, "        \
    "e.to_kind, e.recipients, e.state, e.opened_shares, e.opened_fen, e.refunded_fen, "            \
    "e.created_us, e.expires_us, e.closed_us, e.seed_hash, e.luckiest_seq, e.luckiest_fen, "       \
    "e.luckiest_user, e.luckiest_name, e.version, e.frozen, "

const char sql_envelope_columns[] = ENVELOPE_COLUMNS "COALESCE(e.seed, s.seed)";
const char sql_envelope_columns_public[] = ENVELOPE_COLUMNS "e.seed";

void envelope_take(struct sql_row *row, struct envelope *e)
{
    row_bytes(row, e->id.b, ID_SIZE);
    row_text(row, e->sender, sizeof e->sender);
    row_text(row, e->sender_name, sizeof e->sender_name);
    e->mode = (enum envelope_mode)row_i64(row);
    e->total_fen = row_i64(row);
    e->shares = row_i64(row);
    e->cap_fen = row_i64(row);
    row_text(row, e->greeting, sizeof e->greeting);
    e->to_kind = (enum recipients)row_i64(row);
    row_text(row, e->to, sizeof e->to);
    e->state = (enum envelope_state)row_i64(row);
    e->opened_shares = row_i64(row);
    e->opened_fen = row_i64(row);
    e->refunded_fen = row_i64(row);
    e->created_us = row_i64(row);
    e->expires_us = row_i64(row);
    e->closed_us = row_i64(row);
    row_bytes(row, e->seed_hash, sizeof e->seed_hash);
    e->luckiest_seq = row_i64(row);
    e->luckiest_fen = row_i64(row);
    row_text(row, e->luckiest_user, sizeof e->luckiest_user);
    row_text(row, e->luckiest_name, sizeof e->luckiest_name);
    e->version = row_i64(row);
    e->frozen = row_i64(row) != 0;
    e->has_seed = !row_null(row);
    row_bytes(row, e->seed, sizeof e->seed);
}

const char sql_transfer_columns[] = "id, kind, user_id, ref, amount_fen, at_us, balance_fen";

void transfer_take(struct sql_row *row, struct transfer *t)
{
    row_bytes(row, t->id.b, ID_SIZE);
    t->kind = (enum transfer_kind)row_i64(row);
    row_text(row, t->user, sizeof t->user);
    t->ref_len = row->lengths[row->at] < sizeof t->ref ? row->lengths[row->at] : sizeof t->ref;
    row_bytes(row, t->ref, sizeof t->ref);
    t->amount_fen = row_i64(row);
    t->at_us = row_i64(row);
    bool no_balance = row_null(row);
    t->balance_fen = row_i64(row);
    if (no_balance)
        t->balance_fen = -1;
}

const char sql_transfer_insert[] =
    "INSERT INTO transfer (user_id, id, kind, ref, amount_fen, at_us, balance_fen) VALUES ";

void sql_transfer_values(struct buf *q, const struct transfer *t)
{
    buf_putc(q, '(');
    sql_user(q, t->user);
    buf_putc(q, ',');
    sql_id(q, &t->id);
    buf_printf(q, ",%d,", (int)t->kind);
    sql_bytes(q, t->ref, t->ref_len);
    buf_printf(q, ",%lld,%lld,", (long long)t->amount_fen, (long long)t->at_us);
    if (t->balance_fen >= 0)
        buf_put_i64(q, t->balance_fen);
    else
        buf_puts(q, "NULL");
    buf_putc(q, ')');
}

static bool changes(const struct open_set *set, size_t i)
{
    return set->changed[i];
}

static bool opens(const struct open_set *set, size_t i)
{
    return set->changed[i] && set->envelopes[i].opened_shares > set->opened_before[i];
}

static bool closes(const struct open_set *set, size_t i)
{
    return set->changed[i] && set->envelopes[i].state != STATE_OPEN;
}

static bool has_new_luckiest(const struct open_set *set, size_t i)
{
    return set->changed[i] && set->envelopes[i].luckiest_seq > set->opened_before[i];
}

static void put_luckiest_user(struct buf *q, const struct envelope *e)
{
    sql_user(q, e->luckiest_user);
}

static void put_luckiest_name(struct buf *q, const struct envelope *e)
{
    sql_text(q, e->luckiest_name);
}

static void put_seed(struct buf *q, const struct envelope *e)
{
    sql_bytes(q, e->seed, sizeof e->seed);
}

static void put_state(struct buf *q, const struct envelope *e)
{
    buf_put_i64(q, (int64_t)e->state);
}

/* What of an envelope changes, when, and to what: a number at an offset, or what put writes. */
struct changing {
    const char *column;
    bool (*when)(const struct open_set *set, size_t i);
    size_t number;
    void (*put)(struct buf *q, const struct envelope *e);
};
static const struct changing changing_columns[] = {
    {"version", changes, offsetof(struct envelope, version), NULL},
    {"opened_shares", opens, offsetof(struct envelope, opened_shares), NULL},
    {"opened_fen", opens, offsetof(struct envelope, opened_fen), NULL},
    {"luckiest_seq", has_new_luckiest, offsetof(struct envelope, luckiest_seq), NULL},
    {"luckiest_fen", has_new_luckiest, offsetof(struct envelope, luckiest_fen), NULL},
    {"luckiest_user", has_new_luckiest, 0, put_luckiest_user},
    {"luckiest_name", has_new_luckiest, 0, put_luckiest_name},
    {"state", closes, 0, put_state},
    {"closed_us", closes, offsetof(struct envelope, closed_us), NULL},
    {"refunded_fen", closes, offsetof(struct envelope, refunded_fen), NULL},
    {"seed", closes, 0, put_seed},
};

static void put_value(struct buf *q, const struct changing *c, const struct envelope *e)
{
    if (c->put != NULL)
        c->put(q, e);
    else
        buf_put_i64(q, *(const int64_t *)(const void *)((const char *)e + c->number));
}

/* column = CASE id WHEN .. THEN .. ELSE column END, of those it changes for; nothing if of none. */
static void put_changing(struct buf *q, const struct open_set *set, const struct changing *c)
{
    bool any = false;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!c->when(set, i))
            continue;
        if (!any)
            buf_printf(q, "%s%s = CASE id", c == changing_columns ? " SET " : ", ", c->column);
        any = true;
        buf_puts(q, " WHEN ");
        sql_id(q, &set->ids[i]);
        buf_puts(q, " THEN ");
        put_value(q, c, &set->envelopes[i]);
    }
    if (any)
        buf_printf(q, " ELSE %s END", c->column);
}

/* One statement for all, of one table, with only what changes: a statement each costs the server
 * several times as much, a join with a table of constants twice. The rows are locked; the guard
 * tells of a bug before money does. */
size_t sql_envelopes_update(struct buf *q, const struct open_set *set)
{
    size_t n = 0;
    buf_puts(q, "UPDATE envelope FORCE INDEX (PRIMARY)");
    for (size_t i = 0; i < sizeof changing_columns / sizeof changing_columns[0]; i++)
        put_changing(q, set, &changing_columns[i]);
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!set->changed[i])
            continue;
        buf_puts(q, n++ == 0 ? " WHERE state = 0 AND id IN (" : ",");
        sql_id(q, &set->ids[i]);
    }
    buf_putc(q, ')');
    return n;
}

void sql_closings(struct buf *q, const struct open_set *set, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!closes(set, i))
            continue;
        buf_puts(q, (*n)++ == 0 ? "; DELETE FROM seed WHERE envelope_id IN (" : ",");
        sql_id(q, &set->ids[i]);
    }
    if (*n == 0)
        return;
    buf_puts(q, "); INSERT INTO closing (envelope_id) VALUES ");
    bool first = true;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!closes(set, i))
            continue;
        buf_puts(q, first ? "(" : ",(");
        sql_id(q, &set->ids[i]);
        buf_putc(q, ')');
        first = false;
    }
}

enum err sql_closings_take(struct mysql_store *s, size_t n)
{
    enum err err = ERR_OK;
    for (int i = 0; i < 2 && n > 0 && err == ERR_OK; i++)
        err = sql_affected_exactly(s, n);
    return err;
}

unsigned lane_of(const char *user)
{
    uint8_t digest[32];
    hash_sha256(digest, user, strlen(user));
    return digest[0] % LANES;
}
