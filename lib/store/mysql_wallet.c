/* Top-ups, withdrawals and guests: one transaction each, under the account's lock. */
#include "lib/store/mysql_internal.h"
#include <string.h>

static void take_wallet_account(void *context, struct sql_row *row)
{
    struct account *a = context;
    a->exists = true;
    row_text(row, a->name, sizeof a->name);
    a->balance_fen = row_i64(row);
    a->sent_day = row_i64(row);
    a->sent_day_fen = row_i64(row);
}

static void take_key(void *context, struct sql_row *row)
{
    struct wallet_row *r = context;
    r->key_known = true;
    row_bytes(row, r->key_body_hash, sizeof r->key_body_hash);
}

static void take_known(void *context, struct sql_row *row)
{
    struct wallet_row *r = context;
    r->reference_known = true;
    transfer_take(row, &r->known);
}

static bool has_key(const struct wallet_row *r)
{
    static const uint8_t none[32];
    return memcmp(r->key_hash, none, sizeof none) != 0;
}

enum err mysql_wallet_read(struct store *store, struct wallet_row *r)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    memcpy(r->account.user, r->user, sizeof r->user);
    r->account.exists = r->key_known = r->reference_known = false;
    sql_transaction(s);
    buf_puts(q, "SELECT name, balance_fen, sent_day, sent_day_fen FROM account WHERE user_id = ");
    sql_user(q, r->user);
    buf_puts(q, " FOR UPDATE; SELECT body_hash FROM idempotency WHERE key_hash = ");
    sql_bytes(q, r->key_hash, sizeof r->key_hash);
    buf_printf(q, "; SELECT %s FROM transfer WHERE ref = ", sql_transfer_columns);
    sql_bytes(q, r->reference, strlen(r->reference));
    buf_printf(q, " AND kind = %d AND backend IN ('',", (int)r->kind);
    sql_user(q, r->backend);
    buf_puts(q, "); " SQL_NOW);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_rows(s, take_wallet_account, &r->account);
    if (err == ERR_OK)
        err = sql_rows(s, take_key, r);
    if (err == ERR_OK)
        err = sql_rows(s, take_known, r);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &r->now_us) : err;
}

static void put_new_account(struct buf *q, const char *user, const char *name, int64_t balance_fen)
{
    buf_puts(q, "INSERT INTO account (user_id, name, balance_fen, entries) VALUES (");
    sql_user(q, user);
    buf_putc(q, ',');
    sql_text(q, name);
    buf_printf(q, ",%lld,1)", (long long)balance_fen);
}

static void put_only_transfer(struct buf *q, const struct transfer *t)
{
    buf_puts(q, "; ");
    buf_puts(q, sql_transfer_insert);
    sql_transfer_values(q, t, 0);
}

enum err mysql_wallet_write(struct store *store, const struct wallet_row *r)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    if (has_key(r)) {
        buf_puts(q, "INSERT INTO idempotency (key_hash, body_hash, ref, created_us) VALUES (");
        sql_bytes(q, r->key_hash, sizeof r->key_hash);
        buf_putc(q, ',');
        sql_bytes(q, r->body_hash, sizeof r->body_hash);
        buf_putc(q, ',');
        sql_id(q, &r->transfer.id);
        buf_printf(q, ",%lld); ", (long long)r->now_us);
    }
    if (r->account.exists) {
        buf_printf(q,
                   "UPDATE account SET balance_fen = %lld, entries = entries + 1 WHERE user_id = ",
                   (long long)r->transfer.balance_fen);
        sql_user(q, r->user);
    } else {
        put_new_account(q, r->user, "", r->transfer.balance_fen); /* named by the first send */
    }
    put_only_transfer(q, &r->transfer);
    enum err err = sql_send(s);
    for (int i = has_key(r) ? 0 : 1; i < 3 && err == ERR_OK; i++)
        err = sql_affected_exactly(s, 1);
    return err;
}

enum err mysql_guest_write(struct store *store, const char *user, const char *name,
                           const struct transfer *topup)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    sql_transaction(s);
    put_new_account(q, user, name, topup->amount_fen);
    put_only_transfer(q, topup);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    for (int i = 0; i < 2 && err == ERR_OK; i++)
        err = sql_affected_exactly(s, 1);
    return err;
}

struct rule_rows {
    struct user_rule *out;
    size_t n, limit;
};

static void take_rule(void *context, struct sql_row *row)
{
    struct rule_rows *rules = context;
    if (rules->n == rules->limit)
        return;
    struct user_rule *r = &rules->out[rules->n++];
    row_text(row, r->user, sizeof r->user);
    r->blocked = row_i64(row) != 0;
    bool has_limit = !row_null(row);
    int64_t limit_fen = row_i64(row);
    r->sent_per_day_fen = has_limit ? limit_fen : -1;
}

enum err mysql_user_rules(struct store *store, const char *after, size_t limit,
                          struct user_rule *out, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct rule_rows rules = {.out = out, .limit = limit};
    buf_puts(q, "SELECT user_id, blocked, sent_per_day_fen FROM user_rule WHERE user_id > _ascii ");
    sql_bytes(q, after, strlen(after));
    buf_printf(q, " ORDER BY user_id LIMIT %zu", limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_rule, &rules);
    *n = rules.n;
    return err;
}
