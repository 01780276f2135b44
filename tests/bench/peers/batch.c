/* The transaction of a batch, in SQL that both databases understand, in two round trips. A repeat
 * is found by the unique key, and the batch then runs again and looks for earlier claims first. */
#include "tests/bench/peers/batch.h"
#include "lib/base/buf.h"
#include "lib/base/crypto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SQL_MAX ((size_t)256 << 10)
#define TRIES 8
#define COLUMNS 4

struct batch_envelope {
    int64_t id, shares, taken, left;
};

struct batch {
    const struct batch_db *db;
    void *connection;
    unsigned thread;
    _Atomic bool *closed;
    struct buf sql;
    size_t n_envelopes;
    struct batch_envelope envelopes[BATCH_MAX];
};

struct batch *batch_new(const struct batch_db *db, const char *where, unsigned thread,
                        _Atomic bool closed[BATCH_ENVELOPES_MAX])
{
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    *b =
        (struct batch){.db = db, .thread = thread, .closed = closed, .connection = db->open(where)};
    buf_init(&b->sql, SQL_MAX);
    if (b->connection != NULL)
        return b;
    free(b);
    return NULL;
}

static enum batch_result query(struct batch *b, int64_t *out, size_t out_max, size_t *n)
{
    return b->sql.failed ? BATCH_FAILED : b->db->run(b->connection, b->sql.data, out, out_max, n);
}

/* Append the numbers of the envelopes, separated by commas. */
static void put_ids(struct batch *b)
{
    for (size_t i = 0; i < b->n_envelopes; i++)
        buf_printf(&b->sql, "%s%lld", i > 0 ? "," : "", (long long)b->envelopes[i].id);
}

static int by_id(const void *a, const void *b)
{
    const struct batch_envelope *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_key(const void *a, const void *b)
{
    const struct batch_claim *x = *(struct batch_claim *const *)a,
                             *y = *(struct batch_claim *const *)b;
    return x->envelope != y->envelope ? (x->envelope > y->envelope) - (x->envelope < y->envelope)
                                      : strcmp(x->user, y->user);
}

static struct batch_envelope *envelope_of(struct batch *b, const struct batch_claim *c)
{
    struct batch_envelope key = {.id = c->envelope};
    return bsearch(&key, b->envelopes, b->n_envelopes, sizeof key, by_id);
}

/* Lock the envelopes of the claims, in the order of their numbers. */
static enum batch_result lock(struct batch *b, struct batch_claim **claims, size_t n)
{
    int64_t rows[COLUMNS * BATCH_MAX];
    size_t found = 0;
    b->n_envelopes = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || claims[i]->envelope != claims[i - 1]->envelope)
            b->envelopes[b->n_envelopes++].id = claims[i]->envelope;
    buf_reset(&b->sql);
    buf_puts(&b->sql, "BEGIN; SELECT id, shares, taken, left_amount FROM batch_envelope "
                      "WHERE id IN (");
    put_ids(b);
    buf_puts(&b->sql, ") ORDER BY id FOR UPDATE");
    enum batch_result result = query(b, rows, COLUMNS * b->n_envelopes, &found);
    b->n_envelopes = found / COLUMNS;
    for (size_t i = 0; i < b->n_envelopes; i++)
        b->envelopes[i] = (struct batch_envelope){rows[COLUMNS * i], rows[COLUMNS * i + 1],
                                                  rows[COLUMNS * i + 2], rows[COLUMNS * i + 3]};
    return result;
}

/* Answer the claims of users that have a share. */
static enum batch_result look(struct batch *b, struct batch_claim **claims, size_t n)
{
    int64_t rows[3 * BATCH_MAX];
    size_t found = 0;
    buf_reset(&b->sql);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b->sql,
                   "%sSELECT %zu, seq, amount FROM batch_claim WHERE envelope = %u AND account = "
                   "'%s'",
                   i > 0 ? " UNION ALL " : "", i, claims[i]->envelope, claims[i]->user);
    enum batch_result result = query(b, rows, 3 * n, &found);
    for (size_t i = 0; i + 2 < found; i += 3) {
        struct batch_claim *c = claims[rows[i]];
        c->answer = BATCH_SHARE;
        c->seq = rows[i + 1];
        c->amount = rows[i + 2];
    }
    return result;
}

/* Draw the next share: up to twice the mean, and at least 1 for each share after it. */
static void draw(struct batch_envelope *e, struct batch_claim *c)
{
    int64_t shares_left = e->shares - e->taken, spare = e->left - shares_left;
    int64_t most = 2 * (e->left / shares_left) - 1;
    most = most - 1 < spare ? most : spare + 1;
    c->amount = shares_left == 1
                    ? e->left
                    : 1 + (int64_t)rng_below(&rng_system, (uint64_t)(most > 1 ? most : 1));
    c->seq = ++e->taken;
    e->left -= c->amount;
    c->answer = BATCH_SHARE;
    c->wins = true;
}

/* Decide the claims under the locks. Return the number of winners. */
static size_t decide(struct batch *b, struct batch_claim **claims, size_t n, bool looked)
{
    size_t winners = 0;
    for (size_t i = 0; i < n; i++) {
        struct batch_envelope *e = envelope_of(b, claims[i]);
        claims[i]->wins = false;
        if (looked && claims[i]->answer == BATCH_SHARE)
            continue;
        claims[i]->answer = e == NULL ? BATCH_UNKNOWN : BATCH_SOLD_OUT;
        if (e != NULL && e->taken < e->shares) {
            draw(e, claims[i]);
            winners++;
        }
    }
    return winners;
}

static void put_rows(struct batch *b, struct batch_claim **claims, size_t n, bool ledger)
{
    struct timespec t;
    const char *comma = "";
    clock_gettime(CLOCK_REALTIME, &t);
    buf_puts(&b->sql,
             ledger ? "; INSERT INTO batch_ledger VALUES " : "INSERT INTO batch_claim VALUES ");
    for (size_t i = 0; i < n; i++) {
        const struct batch_claim *c = claims[i];
        if (!c->wins)
            continue;
        buf_printf(&b->sql, "%s(%u,'%s',", comma, c->envelope, c->user);
        if (!ledger)
            buf_printf(&b->sql, "%lld,", (long long)c->seq);
        buf_printf(&b->sql, "%lld,%lld)", (long long)c->amount,
                   (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
        comma = ",";
    }
}

static void put_column(struct batch *b, const char *name, size_t offset)
{
    buf_printf(&b->sql, "%s = CASE id", name);
    for (size_t i = 0; i < b->n_envelopes; i++) {
        int64_t value;
        memcpy(&value, (const char *)&b->envelopes[i] + offset, sizeof value);
        buf_printf(&b->sql, " WHEN %lld THEN %lld", (long long)b->envelopes[i].id,
                   (long long)value);
    }
    buf_puts(&b->sql, " END");
}

/* Without winners, a commit of this thread's own makes what was read durable. */
static enum batch_result store(struct batch *b, struct batch_claim **claims, size_t n,
                               size_t winners)
{
    size_t none = 0;
    buf_reset(&b->sql);
    if (winners == 0) {
        buf_printf(&b->sql, "UPDATE batch_barrier SET n = n + 1 WHERE id = %u; COMMIT", b->thread);
        return query(b, NULL, 0, &none);
    }
    put_rows(b, claims, n, false);
    put_rows(b, claims, n, true);
    buf_puts(&b->sql, "; UPDATE batch_envelope SET ");
    put_column(b, "taken", offsetof(struct batch_envelope, taken));
    buf_puts(&b->sql, ", ");
    put_column(b, "left_amount", offsetof(struct batch_envelope, left));
    buf_puts(&b->sql, " WHERE id IN (");
    put_ids(b);
    buf_puts(&b->sql, "); COMMIT");
    return query(b, NULL, 0, &none);
}

static enum batch_result transaction(struct batch *b, struct batch_claim **claims, size_t n,
                                     bool look_first)
{
    enum batch_result result = lock(b, claims, n);
    if (result == BATCH_OK && look_first)
        result = look(b, claims, n);
    return result == BATCH_OK ? store(b, claims, n, decide(b, claims, n, look_first)) : result;
}

static void run_distinct(struct batch *b, struct batch_claim **claims, size_t n)
{
    enum batch_result result = BATCH_AGAIN;
    bool look_first = false;
    for (int i = 0; i < TRIES && (result == BATCH_AGAIN || result == BATCH_DUPLICATE); i++) {
        for (size_t k = 0; k < n; k++)
            claims[k]->answer = BATCH_UNAVAILABLE;
        result = transaction(b, claims, n, look_first);
        look_first = look_first || result == BATCH_DUPLICATE;
        if (result != BATCH_OK) {
            size_t none = 0;
            (void)b->db->run(b->connection, "ROLLBACK", NULL, 0, &none);
        }
    }
    for (size_t i = 0; i < n && result != BATCH_OK; i++)
        claims[i]->answer = BATCH_UNAVAILABLE;
    for (size_t i = 0; i < b->n_envelopes && result == BATCH_OK; i++)
        if (b->envelopes[i].taken == b->envelopes[i].shares)
            b->closed[b->envelopes[i].id] = true;
}

void batch_run(struct batch *b, struct batch_claim **claims, size_t n)
{
    struct batch_claim *sorted[BATCH_MAX], *distinct[BATCH_MAX];
    size_t count = 0, left = 0;
    for (size_t i = 0; i < n; i++) {
        claims[i]->answer = BATCH_SOLD_OUT;
        if (!b->closed[claims[i]->envelope])
            sorted[left++] = claims[i];
    }
    qsort(sorted, left, sizeof sorted[0], by_key);
    for (size_t i = 0; i < left; i++)
        if (count == 0 || by_key(&distinct[count - 1], &sorted[i]) != 0)
            distinct[count++] = sorted[i];
    if (count > 0)
        run_distinct(b, distinct, count);
    for (size_t i = 0, at = 0; i < left; i++) {
        at += by_key(&distinct[at], &sorted[i]) != 0;
        sorted[i]->answer = distinct[at]->answer;
        sorted[i]->seq = distinct[at]->seq;
        sorted[i]->amount = distinct[at]->amount;
    }
}
