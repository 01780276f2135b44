/* Envelopes and transfers as rows: the columns in the order they are read and written in. */
#include "lib/base/rng.h"
#include "lib/store/mysql_internal.h"
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

/* One envelope's changed parts as a row of constants. */
static void put_changed(struct buf *q, const struct envelope *e)
{
    sql_id(q, &e->id);
    sql_number(q, ",", (int64_t)e->state);
    sql_number(q, ",", e->opened_shares);
    sql_number(q, ",", e->opened_fen);
    sql_number(q, ",", e->refunded_fen);
    sql_number(q, ",", e->closed_us);
    sql_number(q, ",", e->luckiest_seq);
    sql_number(q, ",", e->luckiest_fen);
    buf_putc(q, ',');
    sql_user(q, e->luckiest_user);
    buf_putc(q, ',');
    sql_text(q, e->luckiest_name);
    sql_number(q, ",", e->version);
    if (e->state == STATE_OPEN) {
        buf_puts(q, ",NULL");
    } else {
        buf_putc(q, ',');
        sql_bytes(q, e->seed, sizeof e->seed);
    }
}

/* One statement for all: a statement each costs the server several times as much. The rows are
 * locked; the guards tell of a bug before money does. */
size_t sql_envelopes_update(struct buf *q, const struct open_set *set)
{
    size_t n = 0;
    buf_puts(q, "UPDATE (SELECT NULL AS id, 0 AS state, 0 AS shares, 0 AS fen, 0 AS refunded, "
                "0 AS closed, 0 AS seq, 0 AS most, '' AS user, _utf8mb4 '' AS name, 0 AS version, "
                "NULL AS seed");
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!set->changed[i])
            continue;
        n++;
        buf_puts(q, " UNION ALL SELECT ");
        put_changed(q, &set->envelopes[i]);
    }
    buf_puts(q, ") n STRAIGHT_JOIN envelope e ON e.id = n.id SET e.state = n.state, "
                "e.opened_shares = n.shares, e.opened_fen = n.fen, e.refunded_fen = n.refunded, "
                "e.closed_us = n.closed, e.luckiest_seq = n.seq, e.luckiest_fen = n.most, "
                "e.luckiest_user = n.user, e.luckiest_name = n.name, e.version = n.version, "
                "e.seed = n.seed WHERE e.state = 0 AND e.version < n.version");
    return n;
}

static bool closes(const struct open_set *set, size_t i)
{
    return set->changed[i] && set->envelopes[i].state != STATE_OPEN;
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
