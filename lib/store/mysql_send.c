/* The transaction of a batch of sends, and idempotency keys. A key belongs to its sender, whose
 * locked account protects it, so the keys themselves are read without locks. */
#include "lib/store/mysql_internal.h"
#include <string.h>

static void take_sender_account(void *context, struct sql_row *row)
{
    struct send_set *set = context;
    char user[USER_SIZE];
    row_text(row, user, sizeof user);
    for (size_t i = 0; i < set->n_accounts; i++) {
        struct account *a = &set->accounts[i];
        if (strcmp(a->user, user) != 0)
            continue;
        a->exists = true;
        row_text(row, a->name, sizeof a->name);
        a->balance_fen = row_i64(row);
        a->sent_day = row_i64(row);
        a->sent_day_fen = row_i64(row);
        return;
    }
}

/* Return how many of the rows of set from row `from` on are inserted for user. */
static size_t inserts_of(const struct send_set *set, const char *user, size_t from)
{
    size_t n = 0;
    for (size_t i = from; i < set->n_rows; i++)
        n += set->rows[i].insert && strcmp(set->rows[i].user, user) == 0;
    return n;
}

/* Read a known key and the envelope that was stored with it. */
static void take_replay(void *context, struct sql_row *row)
{
    struct send_set *set = context;
    uint8_t key_hash[32];
    row_bytes(row, key_hash, sizeof key_hash);
    for (size_t i = 0; i < set->n_rows; i++) {
        struct send_row *r = &set->rows[i];
        if (memcmp(r->key_hash, key_hash, sizeof key_hash) != 0)
            continue;
        r->replay = true;
        row_bytes(row, r->replay_body_hash, sizeof r->replay_body_hash);
        envelope_take(row, r->envelope);
        return;
    }
}

static void take_open_count(void *context, struct sql_row *row)
{
    struct send_set *set = context;
    int64_t at = row_i64(row);
    if (at >= 0 && (size_t)at < set->n_accounts)
        set->open_count[at] = row_i64(row);
}

/* One row per account to be counted. The locked account keeps other sends of the user away. */
static void put_open_counts(struct buf *q, const struct send_set *set)
{
    bool first = true;
    for (size_t i = 0; i < set->n_accounts; i++) {
        if (!set->count_open[i])
            continue;
        buf_printf(q, "%sSELECT %zu, COUNT(*) FROM (SELECT 1 FROM envelope WHERE sender = ",
                   first ? "; " : " UNION ALL ", i);
        sql_user(q, set->accounts[i].user);
        buf_printf(q, " AND state = 0 LIMIT %lld) o%zu", (long long)set->open_limit, i);
        first = false;
    }
}

static bool counts_any(const struct send_set *set)
{
    bool any = false;
    for (size_t i = 0; i < set->n_accounts; i++)
        any |= set->count_open[i];
    return any;
}

enum err mysql_send_read(struct store *store, struct send_set *set)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    sql_transaction(s);
    sql_lock_wait(s, set->lock_wait);
    for (size_t i = 0; i < set->n_accounts; i++) {
        buf_puts(q, i == 0 ? "SELECT user_id, name, balance_fen, sent_day, sent_day_fen "
                             "FROM account WHERE user_id IN ("
                           : ",");
        sql_user(q, set->accounts[i].user);
    }
    buf_puts(q, ") ORDER BY user_id FOR UPDATE");
    buf_puts(q, set->lock_wait == LOCK_WAIT_NONE ? " NOWAIT; " : "; ");
    buf_puts(q, "SELECT i.key_hash, i.body_hash, ");
    sql_envelope_columns(q, SQL_SEED_PUBLIC);
    buf_puts(q, " FROM idempotency i JOIN envelope e ON e.id = i.ref WHERE i.key_hash IN (");
    for (size_t i = 0; i < set->n_rows; i++) {
        sql_comma(q, i == 0);
        sql_bytes(q, set->rows[i].key_hash, sizeof set->rows[i].key_hash);
    }
    buf_puts(q, "); " SQL_NOW);
    put_open_counts(q, set);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_rows(s, take_sender_account, set);
    if (err == ERR_OK)
        err = sql_rows(s, take_replay, set);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &set->now_us);
    return err == ERR_OK && counts_any(set) ? sql_rows(s, take_open_count, set) : err;
}

static void put_key(struct buf *q, const struct send_set *set, size_t at)
{
    const struct send_row *r = &set->rows[at];
    buf_putc(q, '(');
    sql_bytes(q, r->key_hash, sizeof r->key_hash);
    buf_putc(q, ',');
    sql_bytes(q, r->body_hash, sizeof r->body_hash);
    buf_putc(q, ',');
    sql_id(q, &r->envelope->id);
    buf_printf(q, ",%lld)", (long long)r->envelope->created_us);
}

static void put_envelope(struct buf *q, const struct send_set *set, size_t at)
{
    sql_envelope_values(q, set->rows[at].envelope);
}

static void put_seed(struct buf *q, const struct send_set *set, size_t at)
{
    const struct send_row *r = &set->rows[at];
    buf_putc(q, '(');
    sql_id(q, &r->envelope->id);
    buf_printf(q, ",%lld,", (long long)r->envelope->expires_us);
    sql_bytes(q, r->envelope->seed, sizeof r->envelope->seed);
    buf_putc(q, ')');
}

static void put_transfer(struct buf *q, const struct send_set *set, size_t at)
{
    const struct send_row *r = &set->rows[at];
    sql_transfer_values(q, &r->transfer, inserts_of(set, r->user, at + 1));
}

static void head_key(struct buf *q)
{
    buf_puts(q, "INSERT INTO idempotency (key_hash, body_hash, ref, created_us) VALUES ");
}

static void head_seed(struct buf *q)
{
    buf_puts(q, "INSERT INTO seed (envelope_id, expires_us, seed) VALUES ");
}

static void head_transfer(struct buf *q)
{
    buf_puts(q, sql_transfer_insert);
}

struct insert {
    void (*head)(struct buf *q);
    void (*put)(struct buf *q, const struct send_set *set, size_t at);
};

/* In the order in which every transaction inserts. */
static const struct insert inserts[] = {
    {head_key, put_key},
    {sql_envelope_insert, put_envelope},
    {head_seed, put_seed},
    {head_transfer, put_transfer},
};
#define INSERTS (sizeof inserts / sizeof inserts[0])

static size_t put_inserts(struct buf *q, const struct send_set *set)
{
    size_t n = 0;
    for (size_t k = 0; k < INSERTS; k++) {
        n = 0;
        inserts[k].head(q);
        for (size_t i = 0; i < set->n_rows; i++) {
            if (!set->rows[i].insert)
                continue;
            sql_comma(q, n++ == 0);
            inserts[k].put(q, set, i);
        }
        buf_puts(q, k + 1 < INSERTS ? "; " : "");
    }
    return n;
}

static void put_account(struct buf *q, const struct send_set *set, const struct account *a)
{
    buf_puts(q, "UPDATE account SET name = ");
    sql_text(q, a->name);
    buf_printf(q,
               ", balance_fen = %lld, sent_day = %lld, sent_day_fen = %lld, "
               "entries = entries + %zu WHERE user_id = ",
               (long long)a->balance_fen, (long long)a->sent_day, (long long)a->sent_day_fen,
               inserts_of(set, a->user, 0));
    sql_user(q, a->user);
    buf_puts(q, "; ");
}

enum err mysql_send_write(struct store *store, const struct send_set *set)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    size_t accounts = 0;
    for (size_t i = 0; i < set->n_accounts; i++) {
        if (!set->changed[i])
            continue;
        put_account(q, set, &set->accounts[i]);
        accounts++;
    }
    size_t rows = put_inserts(q, set);
    enum err err = sql_send(s);
    for (size_t i = 0; i < accounts && err == ERR_OK; i++)
        err = sql_affected_exactly(s, 1);
    for (size_t k = 0; k < INSERTS && err == ERR_OK; k++)
        err = sql_affected_exactly(s, rows);
    return err;
}

/* A running insert holds a lock on the row of its key. */
enum err mysql_key_in_progress(struct store *store, const uint8_t key_hash[32], bool *busy)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    int64_t ignored;
    buf_puts(q, "SELECT 1 FROM idempotency WHERE key_hash = ");
    sql_bytes(q, key_hash, 32);
    buf_puts(q, " FOR UPDATE NOWAIT");
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &ignored);
    *busy = err == ERR_LOCKED;
    return *busy ? ERR_OK : err;
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
