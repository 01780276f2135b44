/* Closing. Money goes back in the transaction that closes; the end is published only after that, by
 * the process that committed it or has waited for a commit of its own. */
#include "lib/service/common/close.h"
#include "lib/service/common/freeze.h"
#include "lib/service/common/money_log.h"
#include "lib/service/common/publish.h"
#include "lib/service/common/txn.h"
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 5
#define DUE_MAX 512 /* envelopes listed at once */

struct closing_run {
    const struct runtime *runtime;
    struct open_set *set;
    struct clock_guard *guard; /* NULL: close at any time of the primary's clock */
    bool due_only;             /* close only what is past due */
    enum envelope_closer by;
    size_t closed; /* out */
    bool damaged;  /* out: the row of an envelope of the set is damaged */
};

static bool close_damaged(const struct open_set *set, size_t i)
{
    return set->exists[i] && !set->envelopes[i].frozen && envelope_damaged(&set->envelopes[i]);
}

/* Return what closes e: a recall that comes after the deadline only does the deadline's work. */
static enum envelope_closer close_by(const struct closing_run *c, const struct envelope *e)
{
    bool late = c->by == CLOSER_SENDER && envelope_past_due(e, c->set->now_us);
    return late ? CLOSER_DEADLINE : c->by;
}

/* Close in memory those of the set that may be. Return how many. */
static size_t close_expire(struct closing_run *c, struct transfer *transfers)
{
    const struct runtime *runtime = c->runtime;
    struct open_set *set = c->set;
    size_t closed = 0;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        struct envelope *e = &set->envelopes[i];
        memset(&transfers[i], 0, sizeof transfers[i]);
        c->damaged |= close_damaged(set, i);
        set->changed[i] = set->exists[i] && !e->frozen && envelope_may_change(e) &&
                          (!c->due_only || envelope_past_due(e, set->now_us));
        if (!set->changed[i])
            continue;
        int64_t refund_fen = envelope_expire(e, close_by(c, e), set->now_us);
        transfers[i] =
            transfer_for_refund(runtime->rng, e->sender, &e->id, refund_fen, set->now_us);
        closed++;
    }
    return closed;
}

/* One transaction over the ids in the set. Repeating it is safe: an envelope that is closed already
 * is not closed again. */
static enum err close_once(struct store *store, void *context)
{
    struct closing_run *c = context;
    struct transfer transfers[BATCH_MAX];
    c->closed = 0;
    c->damaged = false;
    int64_t before_us = c->runtime->clock->mono_us(c->runtime->clock->self);
    enum err err = store->ops->open_read(store, c->set);
    if (err != ERR_OK)
        return err;
    if (c->guard != NULL && !clock_guard_note(c->guard, c->set->now_us, before_us)) {
        store->ops->rollback(store);
        return ERR_OK;
    }
    c->closed = close_expire(c, transfers);
    if (c->closed == 0) {
        store->ops->rollback(store);
        return ERR_OK;
    }
    err = store->ops->refund_write(store, c->set, transfers, c->set->n_envelopes);
    return err == ERR_OK ? store->ops->commit(store) : err;
}

static void close_flush(struct cache *cache)
{
    if (cache != NULL)
        cache->ops->flush(cache, true);
}

static void close_count(struct close_due_result *done, const struct open_set *set)
{
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!set->changed[i])
            continue;
        int64_t late_us = set->now_us - set->envelopes[i].expires_us;
        done->closed++;
        done->late_us = late_us > done->late_us ? late_us : done->late_us;
    }
}

/* Durable by our own commit. */
static void close_publish(const struct runtime *runtime, struct cache *cache,
                          const struct open_set *set)
{
    const struct envelope *closed[BATCH_MAX];
    size_t n = 0;
    for (size_t i = 0; i < set->n_envelopes; i++)
        if (set->changed[i])
            closed[n++] = &set->envelopes[i];
    money_log_closed(closed, n);
    publish_closed(runtime, cache, closed, n);
    close_flush(cache);
}

static enum err close_freeze_damaged(const struct runtime *runtime, struct store *store,
                                     const struct open_set *set)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < set->n_envelopes && err == ERR_OK; i++)
        if (close_damaged(set, i))
            err = freeze_envelope(runtime, store, &set->ids[i],
                                  set->envelopes[i].has_seed ? BOOKS_ENVELOPE_SUMS
                                                             : BOOKS_SEED_ONLY_WHILE_OPEN);
    return err;
}

static enum err close_ids(const struct runtime *runtime, struct store *store, struct cache *cache,
                          struct clock_guard *guard, struct open_set *set, enum envelope_closer by,
                          struct close_due_result *done)
{
    static const struct txn_policy policy = {.tries_max = TRIES_MAX};
    struct closing_run run = {
        .runtime = runtime, .set = set, .guard = guard, .due_only = guard != NULL, .by = by};
    enum err err = txn_run(runtime, store, close_once, &run, &policy);
    if (err != ERR_OK)
        return err;
    metrics_add(runtime->metrics, METRIC_ENVELOPES_EXPIRED, run.closed);
    close_count(done, set);
    close_publish(runtime, cache, set);
    /* Only settle may freeze; it is also the only one that would meet the row again and again. */
    return run.damaged && run.due_only ? close_freeze_damaged(runtime, store, set) : ERR_OK;
}

static void close_set_ids(struct open_set *set, const struct id *ids, size_t n)
{
    memcpy(set->ids, ids, n * sizeof ids[0]);
    set->n_envelopes = n;
    set->n_rows = 0;
    set->lock_wait = LOCK_WAIT_NONE;
    memset(set->exists, 0, sizeof set->exists);
    memset(set->changed, 0, sizeof set->changed);
}

static int close_compare_ids(const void *a, const void *b)
{
    return id_compare(a, b);
}

/* Close up to BATCH_MAX due envelopes in one transaction; if one of them is locked or broken, each
 * in its own, so that the others are closed. */
static enum err close_due_set(const struct runtime *runtime, struct store *store,
                              struct cache *cache, struct clock_guard *guard, struct open_set *set,
                              const struct id *due, size_t n, struct close_due_result *done)
{
    struct id ids[BATCH_MAX];
    memcpy(ids, due, n * sizeof ids[0]);
    qsort(ids, n, sizeof ids[0], close_compare_ids);
    close_set_ids(set, ids, n);
    enum err err = close_ids(runtime, store, cache, guard, set, CLOSER_DEADLINE, done);
    /* a fault may also be one row that another table does not match, such as a missing account */
    if (err != ERR_LOCKED && err_class(err) != CLASS_DATA && err != ERR_FAULT)
        return err;
    for (size_t i = 0; i < n; i++) {
        close_set_ids(set, &ids[i], 1);
        (void)close_ids(runtime, store, cache, guard, set, CLOSER_DEADLINE, done);
    }
    return ERR_OK;
}

/* Many deadlines at once are listed once for several transactions. Begin anywhere in the list, so
 * that several daemons do not meet at the same envelopes. */
enum err close_due(const struct runtime *runtime, struct store *store, struct cache *cache,
                   struct clock_guard *guard, struct close_due_result *done)
{
    struct id ids[DUE_MAX];
    size_t n = 0;
    *done = (struct close_due_result){.closed = 0};
    if (guard->held)
        return ERR_OK;
    enum err err = store->ops->due_list(store, ids, DUE_MAX, &n);
    if (err != ERR_OK) {
        store->ops->rollback(store);
        return err;
    }
    if (n == 0)
        return ERR_OK;
    struct open_set *set = malloc(sizeof *set); /* too large for a stack */
    if (set == NULL)
        return ERR_FAULT;
    size_t chunks = (n + BATCH_MAX - 1) / BATCH_MAX;
    size_t first = (size_t)rng_below(runtime->rng, chunks);
    for (size_t i = 0; i < chunks && err == ERR_OK; i++) {
        size_t at = (first + i) % chunks * BATCH_MAX;
        size_t len = n - at < BATCH_MAX ? n - at : BATCH_MAX;
        err = close_due_set(runtime, store, cache, guard, set, ids + at, len, done);
    }
    free(set);
    return err;
}

enum err close_envelope(const struct runtime *runtime, struct store *store, struct cache *cache,
                        const struct id *id, enum envelope_closer by, bool *found,
                        struct envelope *envelope)
{
    struct close_due_result done = {.closed = 0};
    struct open_set *set = malloc(sizeof *set);
    if (set == NULL)
        return ERR_FAULT;
    close_set_ids(set, id, 1);
    /* an open that finds the deadline passed keeps the batch behind it waiting */
    set->lock_wait = by == CLOSER_DEADLINE ? LOCK_WAIT_BRIEF : LOCK_WAIT_FULL;
    enum err err = close_ids(runtime, store, cache, NULL, set, by, &done);
    *found = err == ERR_OK && set->exists[0];
    if (*found)
        *envelope = set->envelopes[0];
    /* closed by another process: published only after a commit of our own */
    if (*found && done.closed == 0)
        err = store->ops->barrier(store);
    if (*found && (envelope->state == STATE_OPEN || envelope_damaged(envelope)))
        err = ERR_LOCKED; /* frozen or damaged */
    if (err != ERR_OK)
        store->ops->rollback(store);
    else if (*found && done.closed == 0) {
        publish_read_close(runtime, cache, envelope);
        close_flush(cache);
    }
    free(set);
    return err;
}
