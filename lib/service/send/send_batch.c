/* A batch of sends. Everything about money is decided in memory, between the read that locks the
 * accounts and the write: a refusal changes nothing and does not end the transaction. */
#include "lib/service/send/send_batch.h"
#include "lib/domain/envelope_members.h"
#include "lib/domain/money.h"
#include "lib/service/common/envelope_cache.h"
#include "lib/service/common/gate.h"
#include "lib/service/common/user_rules.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct send_batch {
    const struct runtime *runtime;
    struct store *store;
    struct cache *cache;
    struct send_set set; /* large: reused */
    struct envelope envelopes[BATCH_MAX];
};

void *send_batch_new(const struct runtime *runtime, struct session *session)
{
    struct send_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->runtime = runtime;
    b->store = session->store;
    b->cache = session->cache;
    return b;
}

void send_batch_free(void *batch)
{
    free(batch);
}

static int send_compare_accounts(const void *a, const void *b)
{
    return strcmp(((const struct account *)a)->user, ((const struct account *)b)->user);
}

static size_t account_index(const struct send_set *set, const char *user)
{
    struct account key = {.exists = true};
    memcpy(key.user, user, sizeof key.user);
    const struct account *at =
        bsearch(&key, set->accounts, set->n_accounts, sizeof key, send_compare_accounts);
    assert(at != NULL);
    return (size_t)(at - set->accounts);
}

/* Fill the set: distinct accounts in key order; rows stay in order of arrival. */
static void send_set_fill(struct send_batch *b, void **jobs, size_t n, bool nowait)
{
    struct send_set *set = &b->set;
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++) {
        const struct send_job *job = jobs[i];
        struct send_row *row = &set->rows[i];
        memcpy(row->user, job->user, sizeof row->user);
        memcpy(row->key_hash, job->key_hash, sizeof row->key_hash);
        memcpy(row->body_hash, job->body_hash, sizeof row->body_hash);
        row->replay = row->insert = false;
        row->envelope = &b->envelopes[i];
        memcpy(set->accounts[i].user, job->user, sizeof job->user);
    }
    qsort(set->accounts, n, sizeof set->accounts[0], send_compare_accounts);
    for (size_t i = 0; i < n; i++)
        if (distinct == 0 || strcmp(set->accounts[distinct - 1].user, set->accounts[i].user) != 0)
            set->accounts[distinct++] = set->accounts[i];
    for (size_t i = 0; i < distinct; i++)
        set->changed[i] = set->accounts[i].exists = set->count_open[i] = false;
    set->n_accounts = distinct;
    set->open_limit = b->runtime->config->open_envelopes;
    for (size_t i = 0; i < n; i++) {
        const struct send_job *job = jobs[i];
        set->count_open[account_index(set, job->user)] |= job->count_open;
    }
    set->n_rows = n;
    set->lock_wait = nowait ? LOCK_WAIT_NONE : LOCK_WAIT_BRIEF;
}

/* Take total_fen from the account and from what may be sent on this day. ERR_INSUFFICIENT_FUNDS or
 * ERR_LIMIT_EXCEEDED change nothing. */
static enum err deduct(const struct runtime *runtime, struct account *a, int64_t total_fen,
                       int64_t now_us)
{
    const struct config *config = runtime->config;
    int64_t limit_fen = user_rules_sent_per_day(runtime->rules, a->user, config->sent_per_day_fen);
    int64_t day = clock_day_of(now_us, (int)config->year_offset_min);
    int64_t sent_fen = a->sent_day == day ? a->sent_day_fen : 0;
    int64_t left_fen;
    if (!a->exists)
        return ERR_INSUFFICIENT_FUNDS;
    if (total_fen > limit_fen - sent_fen)
        return ERR_LIMIT_EXCEEDED;
    enum err err = money_subtract(a->balance_fen, total_fen, &left_fen);
    if (err != ERR_OK)
        return err;
    a->balance_fen = left_fen;
    a->sent_day = day;
    a->sent_day_fen = sent_fen + total_fen;
    return ERR_OK;
}

/* ERR_LIMIT_EXCEEDED: the sender has too many open envelopes. Counts one more. */
static enum err admit_open(struct send_set *set, size_t at)
{
    if (!set->count_open[at])
        return ERR_OK;
    return set->open_count[at]++ < set->open_limit ? ERR_OK : ERR_LIMIT_EXCEEDED;
}

/* Complete the draft into the envelope that is stored: identity, times, seed and its hash. */
static void send_complete(const struct runtime *runtime, const struct send_job *job, int64_t now_us,
                          struct envelope *e)
{
    *e = job->draft;
    e->id = id_make(runtime->rng, now_us, (unsigned)runtime->config->set_number);
    memcpy(e->sender, job->user, sizeof e->sender);
    memcpy(e->sender_name, job->name, sizeof e->sender_name);
    e->cap_fen = runtime->config->share_cap_fen;
    e->state = STATE_OPEN;
    e->created_us = now_us;
    e->expires_us = now_us + job->expires_in_s * US_PER_S;
    e->version = 1;
    runtime->rng->fill(runtime->rng->self, e->seed, sizeof e->seed);
    e->has_seed = true;
    draw_seed_hash(e->seed_hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
    assert(envelope_consistent(e));
}

/* Return true if job has the hash that version 0.1, which knew no themes, stored with row: that of
 * a canonical form with defaults filled in and the greeting as sent. Defaults that were filled in
 * are in the envelope, so that it does not matter what they are now; a request that sent just these
 * counts as equal. */
static bool send_repeats_0_1(const struct send_row *row, const struct send_job *job)
{
    char text[RECIPIENTS_SIZE + GREETING_SIZE + 128];
    uint8_t hash[32];
    const struct envelope *e = row->envelope, *draft = &job->draft;
    int64_t expires_in_s =
        job->has_expires_in ? job->expires_in_s : (e->expires_us - e->created_us) / US_PER_S;
    int len = snprintf(
        text, sizeof text, "%d\n%lld\n%lld\n%lld\n%s\n%d\n%s", (int)draft->mode,
        (long long)draft->total_fen, (long long)draft->shares, (long long)expires_in_s,
        job->has_greeting ? job->greeting_sent : e->greeting, (int)draft->to_kind, draft->to);
    hash_sha256(hash, text, (size_t)len);
    return draft->theme == e->theme && bytes_equal(row->replay_body_hash, hash, sizeof hash);
}

/* Return true if job is the request that was stored with the key of row. */
static bool send_repeats(const struct send_row *row, const struct send_job *job)
{
    return bytes_equal(row->replay_body_hash, job->body_hash, sizeof job->body_hash) ||
           send_repeats_0_1(row, job);
}

/* Decide one job under the locks. Return true if its answer rests on what an earlier
 * transaction stored. */
static bool send_decide(struct send_batch *b, size_t i, struct send_job *job)
{
    struct send_set *set = &b->set;
    struct send_row *row = &set->rows[i];
    job->made = job->replayed = job->too_many_open = false;
    job->base.err = ERR_OK;
    if (row->replay) {
        if (!send_repeats(row, job)) {
            job->base.err = ERR_IDEMPOTENCY_KEY_REUSED;
            return false;
        }
        envelope_reset_to_send(row->envelope); /* the answer to a repeat of its key */
        job->replayed = id_compare(&row->envelope->id, &job->tried) != 0;
        return true;
    }
    job->base.err = job->refused;
    if (job->base.err != ERR_OK)
        return false;
    size_t at = account_index(set, job->user);
    struct account *a = &set->accounts[at];
    job->base.err = admit_open(set, at);
    job->too_many_open = job->base.err != ERR_OK;
    if (job->base.err == ERR_OK)
        job->base.err = deduct(b->runtime, a, job->draft.total_fen, set->now_us);
    if (job->base.err != ERR_OK)
        return false;
    memcpy(a->name, job->name, sizeof a->name);
    send_complete(b->runtime, job, set->now_us, row->envelope);
    job->tried = row->envelope->id;
    row->transfer = transfer_for_send(b->runtime->rng, job->user, &row->envelope->id,
                                      job->draft.total_fen, set->now_us);
    row->insert = set->changed[at] = job->made = true;
    return false;
}

static enum err send_end(struct send_batch *b, bool rests_on_earlier)
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

/* Turn the drafts into answers. Not before the commit: another run needs them as requested. */
static void send_hand_out(struct send_batch *b, void **jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct send_job *job = jobs[i];
        if (job->base.err != ERR_OK)
            continue;
        job->draft = b->envelopes[i];
        job->draft.has_seed = false;
        bytes_wipe(job->draft.seed, sizeof job->draft.seed);
    }
    for (size_t i = 0; i < n; i++)
        bytes_wipe(b->envelopes[i].seed, sizeof b->envelopes[i].seed);
}

/* Add gates and envelope items to the cache before the ids are answered and a crowd arrives. If
 * that fails, the first grab takes them from the primary. */
static void send_fill_cache(struct send_batch *b, void **jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct send_job *job = jobs[i];
        if (job->base.err != ERR_OK || !job->made)
            continue;
        envelope_cache_hint(b->runtime, b->cache, &job->draft);
        gate_hint_new(b->runtime, b->cache, &job->draft);
    }
    b->cache->ops->flush(b->cache, true);
}

enum err send_batch_run(void *batch, void **jobs, size_t n, bool nowait)
{
    struct send_batch *b = batch;
    bool rests_on_earlier = false;
    send_set_fill(b, jobs, n, nowait);
    enum err err = b->store->ops->send_read(b->store, &b->set);
    if (err == ERR_OK) {
        for (size_t i = 0; i < n; i++)
            rests_on_earlier |= send_decide(b, i, jobs[i]);
        err = send_end(b, rests_on_earlier);
    }
    if (err != ERR_OK)
        return err;
    send_hand_out(b, jobs, n);
    send_fill_cache(b, jobs, n);
    return ERR_OK;
}

void send_batch_finish(void *batch, void **jobs, size_t n)
{
    const struct send_batch *b = batch;
    for (size_t i = 0; i < n; i++) {
        struct send_job *job = jobs[i];
        bool busy = false;
        if (job->base.err != ERR_LOCKED)
            continue;
        if (b->store->ops->key_in_progress(b->store, job->key_hash, &busy) == ERR_OK && busy)
            job->base.err = ERR_IDEMPOTENCY_IN_PROGRESS;
        b->store->ops->rollback(b->store);
    }
}
