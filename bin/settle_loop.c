#include "bin/settle_loop.h"
#include "lib/base/log.h"
#include "lib/service/credit.h"
#include "lib/service/refund.h"
#include "lib/service/tally.h"
#include <time.h>

#define US_PER_S INT64_C(1000000)
#define NS_PER_MS 1000000
#define EXPIRE_EVERY_S 60
#define EXPIRE_ROWS 1000
#define SWEEP_EVERY_S 1
#define DAY_S 86400
#define AWAY_PAUSE_MS 500

struct settle {
    struct env *env;
    struct store *store;
    struct cache *cache;
    bool has_generation;
    bool away; /* said once an outage */
    int64_t next_expire_us, next_sweep_us;
    unsigned sweep_shard;
};

/* Gates carry the generation: without it nothing can be told to the cache. */
static enum err learn_generation(struct settle *s)
{
    if (s->has_generation)
        return ERR_OK;
    enum err err = s->store->ops->generation(s->store, s->env->generation);
    s->has_generation = err == ERR_OK;
    if (err != ERR_OK)
        s->store->ops->rollback(s->store);
    return err;
}

/* One batch of every lane, beginning anywhere, so that several daemons spread. */
static enum err run_credits(struct settle *s, size_t *done)
{
    unsigned first = (unsigned)rng_below(s->env->rng, LANES);
    for (unsigned i = 0; i < LANES; i++) {
        size_t booked;
        enum err err = credit_run_lane(s->env, s->store, (first + i) % LANES, &booked);
        if (err != ERR_OK)
            return err;
        *done += booked;
    }
    return ERR_OK;
}

static enum err expire_keys(struct settle *s)
{
    int64_t mono_us = s->env->clock->mono_us(s->env->clock->self);
    if (mono_us < s->next_expire_us)
        return ERR_OK;
    size_t n = 0;
    int64_t before_us = s->env->clock->wall_us(s->env->clock->self) -
                        s->env->config->idempotency_days * DAY_S * US_PER_S;
    enum err err = s->store->ops->idempotency_expire(s->store, before_us, EXPIRE_ROWS, &n);
    if (err != ERR_OK)
        s->store->ops->rollback(s->store);
    if (n < EXPIRE_ROWS)
        s->next_expire_us = mono_us + EXPIRE_EVERY_S * US_PER_S;
    return err;
}

/* Old markers, a few directories at a time: a whole pass takes seconds where there are few, and an
 * hour where there are millions. */
static void sweep_markers(struct settle *s)
{
    int64_t mono_us = s->env->clock->mono_us(s->env->clock->self);
    if (mono_us < s->next_sweep_us)
        return;
    int64_t before_us = s->env->clock->wall_us(s->env->clock->self) -
                        s->env->config->marker_days * DAY_S * US_PER_S;
    size_t removed = markers_sweep(s->env->markers, s->env->generation, before_us, &s->sweep_shard);
    metrics_add(s->env->metrics, METRIC_MARKERS_REMOVED, removed);
    s->next_sweep_us = mono_us + SWEEP_EVERY_S * US_PER_S;
}

/* One round. *done: what was moved; more may wait. */
static enum err run_round(struct settle *s, size_t *done)
{
    size_t closed = 0, tallied = 0;
    int64_t next_due_us;
    *done = 0;
    enum err err = learn_generation(s);
    if (err == ERR_OK)
        err = refund_run(s->env, s->store, s->cache, &closed, &next_due_us);
    if (err == ERR_OK)
        err = run_credits(s, done);
    if (err == ERR_OK)
        err = tally_run(s->env, s->store, &tallied);
    if (err == ERR_OK)
        err = expire_keys(s);
    if (err == ERR_OK)
        sweep_markers(s);
    *done += closed + tallied;
    return err;
}

static void note_outcome(struct settle *s, enum err err)
{
    bool away = err != ERR_OK;
    if (away && !s->away)
        log_event(LOG_LEVEL_WARN, "settle_waits", "%s", err_name(err));
    if (!away && s->away)
        log_event(LOG_LEVEL_INFO, "settle_goes_on", "%s", "the database answers again");
    s->away = away;
}

void settle_loop(struct env *env, const sigset_t *signals)
{
    struct settle s = {
        .env = env, .store = env->store_open(env->self), .cache = env->cache_open(env->self)};
    int signal_number = 0;
    while (s.store != NULL && s.cache != NULL && signal_number <= 0) {
        size_t done;
        enum err err = run_round(&s, &done);
        note_outcome(&s, err);
        int64_t pause_ms = err != ERR_OK ? AWAY_PAUSE_MS
                           : done > 0    ? 0
                                         : env->config->settle_interval_ms;
        struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * NS_PER_MS};
        signal_number = sigtimedwait(signals, NULL, &pause);
        if (signal_number == SIGHUP) {
            log_reopen();
            signal_number = 0;
        }
    }
    if (s.store != NULL)
        s.store->ops->close(s.store);
    if (s.cache != NULL)
        s.cache->ops->close(s.cache);
}
