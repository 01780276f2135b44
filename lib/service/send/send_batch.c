#include "lib/service/send/send_batch.h"
#include "lib/domain/money.h"
#include "lib/service/common/envelope_cache.h"
#include "lib/service/common/gate.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define US_PER_S 1000000

struct send_batch {
    const struct runtime *runtime;
    struct store *store;
    struct cache *cache;
    struct send_set set; /* large: reused */
    struct envelope envelopes[BATCH_MAX];
};

struct send_batch *send_batch_new(const struct runtime *runtime)
{
    struct send_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->runtime = runtime;
    b->store = runtime->store_open(runtime->self);
    b->cache = runtime->cache_open(runtime->self);
    if (b->store == NULL || b->cache == NULL) {
        send_batch_free(b);
        return NULL;
    }
    return b;
}

void send_batch_free(struct send_batch *b)
{
    if (b == NULL)
        return;
    if (b->store != NULL)
        b->store->ops->close(b->store);
    if (b->cache != NULL)
        b->cache->ops->close(b->cache);
    free(b);
}

struct store *send_batch_store(struct send_batch *b)
{
    return b->store;
}

static int compare_accounts(const void *a, const void *b)
{
    return strcmp(((const struct account *)a)->user, ((const struct account *)b)->user);
}

/* Fills the set: distinct accounts in key order; rows stay in order of arrival. */
static void set_fill(struct send_batch *b, void **rows, size_t n, bool nowait)
{
    struct send_set *set = &b->set;
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++) {
        const struct send_work *w = rows[i];
        struct send_row *row = &set->rows[i];
        memcpy(row->user, w->user, sizeof row->user);
        memcpy(row->key_hash, w->key_hash, sizeof row->key_hash);
        memcpy(row->body_hash, w->body_hash, sizeof row->body_hash);
        row->replay = row->insert = false;
        row->envelope = &b->envelopes[i];
        memcpy(set->accounts[i].user, w->user, sizeof w->user);
    }
    qsort(set->accounts, n, sizeof set->accounts[0], compare_accounts);
    for (size_t i = 0; i < n; i++)
        if (distinct == 0 || strcmp(set->accounts[distinct - 1].user, set->accounts[i].user) != 0)
            set->accounts[distinct++] = set->accounts[i];
    for (size_t i = 0; i < distinct; i++)
        set->changed[i] = set->accounts[i].exists = false;
    set->n_accounts = distinct;
    set->n_rows = n;
    set->nowait = nowait;
}

static size_t account_index(const struct send_set *set, const char *user)
{
    struct account key = {.exists = true};
    memcpy(key.user, user, sizeof key.user);
    const struct account *at =
        bsearch(&key, set->accounts, set->n_accounts, sizeof key, compare_accounts);
    assert(at != NULL);
    return (size_t)(at - set->accounts);
}

/* Takes total_fen from the account and from what may be sent on this day. ERR_INSUFFICIENT_FUNDS or
 * ERR_LIMIT_EXCEEDED change nothing. */
static enum err deduct(const struct config *config, struct account *a, int64_t total_fen,
                       int64_t now_us)
{
    int64_t day = clock_day_of(now_us, (int)config->year_offset_min);
    int64_t sent_fen = a->sent_day == day ? a->sent_day_fen : 0;
    int64_t left_fen;
    if (!a->exists)
        return ERR_INSUFFICIENT_FUNDS;
    if (total_fen > config->sent_per_day_fen - sent_fen)
        return ERR_LIMIT_EXCEEDED;
    enum err err = money_subtract(a->balance_fen, total_fen, &left_fen);
    if (err != ERR_OK)
        return err;
    a->balance_fen = left_fen;
    a->sent_day = day;
    a->sent_day_fen = sent_fen + total_fen;
    return ERR_OK;
}

/* Completes the draft into the envelope that is stored: identity, times, seed and its hash. */
static void give_birth(const struct runtime *runtime, const struct send_work *w, int64_t now_us,
                       struct envelope *e)
{
    *e = w->draft;
    e->id = id_make(runtime->rng, now_us, (unsigned)runtime->config->set_number);
    memcpy(e->sender, w->user, sizeof e->sender);
    memcpy(e->sender_name, w->name, sizeof e->sender_name);
    e->cap_fen = runtime->config->share_cap_fen;
    e->state = STATE_OPEN;
    e->created_us = now_us;
    e->expires_us = now_us + w->expires_in_s * US_PER_S;
    e->version = 1;
    runtime->rng->fill(runtime->rng->self, e->seed, sizeof e->seed);
    e->has_seed = true;
    draw_seed_hash(e->seed_hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
    assert(envelope_consistent(e));
}

/* The envelope as it was when it was made: what a repeat of its key is answered with. */
static void as_at_birth(struct envelope *e)
{
    e->state = STATE_OPEN;
    e->opened_shares = e->opened_fen = e->refunded_fen = e->closed_us = 0;
    e->luckiest_seq = e->luckiest_fen = 0;
    e->luckiest_user[0] = e->luckiest_name[0] = '\0';
    e->has_seed = false;
    memset(e->seed, 0, sizeof e->seed);
    e->version = 1;
}

/* Decides one member under the locks. Returns true if its answer rests on what an earlier
 * transaction stored. */
static bool decide(struct send_batch *b, size_t i, struct send_work *w)
{
    struct send_set *set = &b->set;
    struct send_row *row = &set->rows[i];
    w->made = false;
    w->err = ERR_OK;
    if (row->replay) {
        if (!bytes_equal(row->replay_body_hash, w->body_hash, sizeof w->body_hash)) {
            w->err = ERR_IDEMPOTENCY_KEY_REUSED;
            return false;
        }
        as_at_birth(row->envelope);
        return true;
    }
    size_t at = account_index(set, w->user);
    struct account *a = &set->accounts[at];
    w->err = deduct(b->runtime->config, a, w->draft.total_fen, set->now_us);
    if (w->err != ERR_OK)
        return false;
    memcpy(a->name, w->name, sizeof a->name);
    give_birth(b->runtime, w, set->now_us, row->envelope);
    row->transfer = transfer_for_send(b->runtime->rng, w->user, &row->envelope->id,
                                      w->draft.total_fen, set->now_us);
    row->insert = set->changed[at] = w->made = true;
    return false;
}

static enum err finish(struct send_batch *b, bool rests_on_earlier)
{
    const struct store_ops *ops = b->store->ops;
    bool write = false;
    for (size_t i = 0; i < b->set.n_rows; i++)
        write |= b->set.rows[i].insert;
    if (write) {
        enum err err = ops->send_write(b->store, &b->set);
        return err != ERR_OK ? err : ops->commit(b->store);
    }
    ops->rollback(b->store);
    if (!rests_on_earlier)
        return ERR_OK;
    metrics_add(b->runtime->metrics, METRIC_BARRIERS, 1);
    return ops->barrier(b->store);
}

/* The drafts become the answers only now: until the commit a rerun needs them as they were wished.
 */
static void hand_out(struct send_batch *b, void **rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct send_work *w = rows[i];
        if (w->err != ERR_OK)
            continue;
        w->draft = b->envelopes[i];
        w->draft.has_seed = false;
        bytes_wipe(w->draft.seed, sizeof w->draft.seed);
    }
    for (size_t i = 0; i < n; i++)
        bytes_wipe(b->envelopes[i].seed, sizeof b->envelopes[i].seed);
}

/* The envelopes are durable: their records and gates go into the cache, before anybody is told of
 * them and a crowd comes. If that fails, the first grab builds them from the primary. */
static void fill_cache(struct send_batch *b, void **rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct send_work *w = rows[i];
        if (w->err != ERR_OK || !w->made)
            continue;
        envelope_cache_hint(b->runtime, b->cache, &w->draft);
        gate_hint_new(b->runtime, b->cache, &w->draft);
    }
    b->cache->ops->flush(b->cache, true);
}

enum err send_batch_run(void *batch, void **rows, size_t n, bool nowait)
{
    struct send_batch *b = batch;
    bool rests_on_earlier = false;
    set_fill(b, rows, n, nowait);
    enum err err = b->store->ops->send_read(b->store, &b->set);
    if (err == ERR_OK) {
        for (size_t i = 0; i < n; i++)
            rests_on_earlier |= decide(b, i, rows[i]);
        err = finish(b, rests_on_earlier);
    }
    if (err != ERR_OK) {
        b->store->ops->rollback(b->store);
        return err;
    }
    hand_out(b, rows, n);
    fill_cache(b, rows, n);
    return ERR_OK;
}
