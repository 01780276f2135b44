/* Grabs that ask the primary. One flight per envelope is in the air: grabs that arrive meanwhile
 * wait for it to land and then try the gate again, which the flight has put right. */
#include "lib/service/grab/grab_database.h"
#include "lib/service/common/durable.h"
#include "lib/service/common/envelope_cache.h"
#include "lib/service/common/gate.h"
#include "lib/service/common/publish.h"
#include "lib/service/grab/grab_tickets.h"
#include <pthread.h>
#include <stdlib.h>

#define FLIGHTS_MAX 64
#define UNKNOWN_TTL_S 5
#define FACTOR_MAX 64

struct grab_database {
    const struct runtime *runtime;
    struct closed_table *closed_table;
    struct durable *durable;
    struct session_pool *sessions;
    pthread_mutex_t lock;
    pthread_cond_t landed;
    unsigned max, waiting;
    size_t flying;
    struct id flights[FLIGHTS_MAX]; /* envelopes being asked about */
};

struct grab_database *grab_database_new(const struct runtime *runtime,
                                        struct session_pool *sessions,
                                        struct closed_table *closed_table, unsigned max)
{
    struct grab_database *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->runtime = runtime;
    d->closed_table = closed_table;
    d->max = max < FLIGHTS_MAX ? max : FLIGHTS_MAX;
    d->durable = durable_new(runtime);
    d->sessions = sessions;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->landed, NULL);
    if (d->durable == NULL) {
        grab_database_free(d);
        return NULL;
    }
    return d;
}

void grab_database_free(struct grab_database *d)
{
    if (d == NULL)
        return;
    durable_free(d->durable);
    pthread_cond_destroy(&d->landed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static bool grab_database_refuse(struct grab_job *job, enum err err)
{
    job->outcome = GRAB_REFUSED;
    job->err = err;
    return true;
}

static bool grab_database_busy(const struct grab_database *d, struct grab_job *job,
                               int64_t retry_after_s)
{
    job->outcome = GRAB_ANSWERED;
    job->answer.state = GRAB_BUSY;
    job->answer.retry_after_s = retry_after_s;
    metrics_add(d->runtime->metrics, METRIC_GATE_BUSY, 1);
    return true;
}

/* Too many threads ask already. The user may simply come again, unless the cache does not answer
 * either. */
static bool grab_over_cap(const struct grab_database *d, struct grab_job *job)
{
    if (job->outcome == GRAB_ASK_UNKNOWN)
        return grab_database_refuse(job, ERR_UNAVAILABLE);
    return grab_database_busy(d, job, 1 + (int64_t)rng_below(d->runtime->rng, 2));
}

/* The primary has stalled. Without a gate there may be no such envelope. */
static bool grab_stalled(const struct grab_database *d, struct grab_job *job)
{
    if (job->outcome == GRAB_ASK_MISSING)
        return grab_database_refuse(job, ERR_UNAVAILABLE);
    return grab_over_cap(d, job);
}

/* Answer with the stored end once it is durable, and publish it. */
static bool grab_answer_stored_end(struct grab_database *d, struct session *s,
                                   const struct envelope *e, struct grab_job *job)
{
    if (durable_wait(d->durable, s->store, &e->id, e->version) != ERR_OK)
        return grab_database_refuse(job, ERR_UNAVAILABLE);
    publish_read_close(d->runtime, s->cache, e);
    s->cache->ops->flush(s->cache, false);
    closed_table_put(d->closed_table, &e->id, e->state, e->to_kind != TO_ANYONE);
    grab_answer_end(job, e->state);
    return true;
}

/* The cache does not work, but shares remain in the primary: issue a ticket without one. */
static bool grab_let_through(const struct grab_database *d, struct grab_job *job,
                             const struct envelope *e)
{
    if (job->rate_limited)
        return grab_database_refuse(job, ERR_RATE_LIMITED);
    int64_t now_s = d->runtime->clock->wall_us(d->runtime->clock->self) / US_PER_S;
    metrics_add(d->runtime->metrics, METRIC_GATE_LET_THROUGH, 1);
    job->outcome = GRAB_WON;
    job->expires_us = e->expires_us;
    job->answer.state = GRAB_GRABBED;
    job->answer.expires_us = (now_s + d->runtime->config->ticket_life_s) * US_PER_S;
    return true;
}

static bool grab_add_gate(const struct grab_database *d, struct session *s,
                          const struct envelope *e, struct grab_job *job)
{
    struct gate g;
    gate_from_envelope(d->runtime, e, &g);
    enum cache_result result = gate_add(d->runtime, s->cache, &g);
    if (result == CACHE_UNKNOWN)
        return grab_let_through(d, job, e);
    if (result == CACHE_STORED)
        metrics_add(d->runtime->metrics, METRIC_GATE_CREATED, 1);
    return false;
}

static bool grab_repair_gate(const struct grab_database *d, struct session *s,
                             const struct envelope *e, struct grab_job *job)
{
    struct gate_item item;
    struct gate seen, right;
    bool valid;
    enum cache_result result = gate_get(d->runtime, s->cache, &e->id, &item, &seen, &valid);
    if (result == CACHE_UNKNOWN)
        return grab_let_through(d, job, e);
    if (result == CACHE_MISS)
        return grab_add_gate(d, s, e, job);
    if (valid && seen.state == STATE_OPEN)
        return false;
    gate_from_envelope(d->runtime, e, &right);
    if (gate_cas(d->runtime, s->cache, &item.item, &right) == CACHE_STORED)
        metrics_add(d->runtime->metrics, METRIC_GATE_REPAIRED, 1);
    return false;
}

/* All tickets are issued, yet shares remain: allow twice as many tickets, and twice as many again
 * each time that nothing was opened since. Users that never open keep others out for a few holds
 * only: with one ticket for each share, those without a ticket would win most of every refill.
 */
static bool grab_refill_gate(const struct grab_database *d, struct session *s,
                             const struct envelope *e, struct grab_job *job)
{
    struct gate_item item;
    struct gate g;
    bool valid;
    enum cache_result result = gate_get(d->runtime, s->cache, &e->id, &item, &g, &valid);
    if (result == CACHE_UNKNOWN)
        return grab_let_through(d, job, e);
    if (!valid || g.state != STATE_OPEN || g.left > 0)
        return false;
    bool idle = g.refill_opened == e->opened_shares;
    g.refill_factor = !idle ? 2 : g.refill_factor < FACTOR_MAX ? g.refill_factor * 2 : FACTOR_MAX;
    g.refill_opened = e->opened_shares;
    g.left = (e->shares - e->opened_shares) * g.refill_factor;
    if (g.left > g.shares)
        g.left = g.shares;
    if (gate_cas(d->runtime, s->cache, &item.item, &g) == CACHE_STORED)
        metrics_add(d->runtime->metrics, METRIC_GATE_REFILLED, 1);
    return false;
}

static bool grab_repair(const struct grab_database *d, struct session *s, const struct envelope *e,
                        struct grab_job *job)
{
    switch (job->outcome) {
    case GRAB_ASK_MISSING:
        return grab_add_gate(d, s, e, job);
    case GRAB_ASK_FINAL:
    case GRAB_ASK_BROKEN:
        return grab_repair_gate(d, s, e, job);
    case GRAB_ASK_EMPTY:
        return grab_refill_gate(d, s, e, job);
    case GRAB_ASK_RECIPIENTS:
        return false; /* job->admitted is the answer */
    case GRAB_ASK_UNKNOWN:
    case GRAB_NEW:
    case GRAB_ANSWERED:
    case GRAB_WON:
    case GRAB_REFUSED:
    default:
        return grab_let_through(d, job, e);
    }
}

/* Ids that the primary does not have are remembered in the cache for a few seconds. */
static bool grab_is_unknown_id(const struct grab_database *d, struct session *s,
                               const struct id *id)
{
    struct gate_item item;
    gate_item_prepare(&item);
    item_key(item.item.key, ITEM_KEY_UNKNOWN, d->runtime->generation, id);
    s->cache->ops->get(s->cache, &item.item, 1);
    return item.item.result == CACHE_HIT;
}

static bool grab_remember_unknown_id(const struct grab_database *d, struct session *s,
                                     struct grab_job *job)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_UNKNOWN, d->runtime->generation, job->id);
    (void)s->cache->ops->add(s->cache, key, "1", 1, UNKNOWN_TTL_S);
    return grab_database_refuse(job, ERR_NOT_FOUND);
}

static bool grab_ask_primary(struct grab_database *d, struct session *s, struct grab_job *job)
{
    struct envelope e;
    bool found;
    int64_t now_us;
    if (job->outcome == GRAB_ASK_MISSING && grab_is_unknown_id(d, s, job->id))
        return grab_database_refuse(job, ERR_NOT_FOUND);
    enum err err = s->store->ops->envelope_get(s->store, job->id, &e, &found, &now_us);
    if (err != ERR_OK) {
        s->store->ops->rollback(s->store);
        return grab_database_refuse(job, ERR_UNAVAILABLE);
    }
    if (!found)
        return grab_remember_unknown_id(d, s, job);
    if (!envelope_state_known(e.state))
        return grab_database_refuse(job, ERR_UNAVAILABLE);
    job->restricted = e.to_kind != TO_ANYONE;
    if (job->restricted || job->outcome == GRAB_ASK_RECIPIENTS) {
        envelope_cache_hint(d->runtime, s->cache, &e); /* for the next grabs, also by others */
        s->cache->ops->flush(s->cache, false);
    }
    bool admitted = envelope_admits(&e, job->who->user, job->who->groups, job->who->n_groups);
    if (!admitted && (job->restricted || e.state == STATE_OPEN))
        return grab_database_refuse(job, ERR_NOT_RECIPIENT);
    job->admitted = admitted;
    if (e.state != STATE_OPEN)
        return grab_answer_stored_end(d, s, &e, job);
    if (!envelope_past_due(&e, now_us))
        return grab_repair(d, s, &e, job);
    if (job->outcome == GRAB_ASK_MISSING)
        (void)grab_add_gate(d, s, &e, job); /* the next grabs find a hold, not the primary */
    return grab_database_busy(d, job, 1);
}

static bool grab_in_flight(const struct grab_database *d, const struct id *id)
{
    for (size_t i = 0; i < d->flying; i++)
        if (id_compare(&d->flights[i], id) == 0)
            return true;
    return false;
}

static void grab_land(struct grab_database *d, const struct id *id)
{
    for (size_t i = 0; i < d->flying; i++)
        if (id_compare(&d->flights[i], id) == 0)
            d->flights[i] = d->flights[--d->flying];
    pthread_cond_broadcast(&d->landed);
}

bool grab_database_ask(struct grab_database *d, struct grab_job *job, int64_t deadline_us)
{
    pthread_mutex_lock(&d->lock);
    if (grab_in_flight(d, job->id) && d->waiting < d->max) {
        d->waiting++;
        while (grab_in_flight(d, job->id)) /* its session gives up at a deadline, so this ends */
            pthread_cond_wait(&d->landed, &d->lock);
        d->waiting--;
        pthread_mutex_unlock(&d->lock);
        return false;
    }
    bool full = grab_in_flight(d, job->id) || d->flying >= d->max;
    if (!full)
        d->flights[d->flying++] = *job->id;
    pthread_mutex_unlock(&d->lock);
    if (full)
        return grab_over_cap(d, job);

    struct session *s = session_pool_take(d->sessions, deadline_us);
    bool settled = s != NULL ? grab_ask_primary(d, s, job) : grab_stalled(d, job);
    if (s != NULL)
        session_pool_give(d->sessions, s, job->outcome == GRAB_REFUSED ? job->err : ERR_OK);
    pthread_mutex_lock(&d->lock);
    grab_land(d, job->id);
    pthread_mutex_unlock(&d->lock);
    return settled;
}
