#include "lib/service/grab/grab_database.h"
#include "lib/service/common/durable.h"
#include "lib/service/common/envelope_cache.h"
#include "lib/service/common/gate.h"
#include "lib/service/common/publish.h"
#include <pthread.h>
#include <stdlib.h>

#define FLIGHTS_MAX 64
#define UNKNOWN_TTL_S 5
#define FACTOR_MAX 64
#define US_PER_S 1000000

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
    struct grab_database *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->runtime = runtime;
    p->closed_table = closed_table;
    p->max = max < FLIGHTS_MAX ? max : FLIGHTS_MAX;
    p->durable = durable_new(runtime);
    p->sessions = sessions;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->landed, NULL);
    if (p->durable == NULL) {
        grab_database_free(p);
        return NULL;
    }
    return p;
}

void grab_database_free(struct grab_database *p)
{
    if (p == NULL)
        return;
    durable_free(p->durable);
    pthread_cond_destroy(&p->landed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static bool refuse(struct grab_work *w, enum err err)
{
    w->outcome = GRAB_REFUSED;
    w->err = err;
    return true;
}

static bool answer_busy(const struct grab_database *p, struct grab_work *w, int64_t retry_after_s)
{
    w->outcome = GRAB_ANSWERED;
    w->answer.state = GRAB_BUSY;
    w->answer.retry_after_s = retry_after_s;
    metrics_add(p->runtime->metrics, METRIC_GATE_BUSY, 1);
    return true;
}

/* Too many ask already. Where the cache is silent that is a fault; else he may simply come again.
 */
static bool over_cap(const struct grab_database *p, struct grab_work *w)
{
    if (w->outcome == GRAB_ASK_UNKNOWN)
        return refuse(w, ERR_UNAVAILABLE);
    return answer_busy(p, w, 1 + (int64_t)rng_below(p->runtime->rng, 2));
}

/* Only the durably stored end is ever told; from here on every net knows it. */
static bool tell_end(struct grab_database *p, struct session *s, const struct envelope *e,
                     struct grab_work *w)
{
    if (durable_wait(p->durable, s->store, &e->id, e->version) != ERR_OK)
        return refuse(w, ERR_UNAVAILABLE);
    publish_closed(p->runtime, s->cache, &e, 1);
    s->cache->ops->flush(s->cache, false);
    if (e->to_kind == TO_ANYONE)
        closed_table_put(p->closed_table, &e->id, e->state);
    w->outcome = GRAB_ANSWERED;
    w->answer.state = e->state == STATE_SOLD_OUT ? GRAB_SOLD_OUT : GRAB_EXPIRED;
    return true;
}

/* The cache is of no use, but the primary says that shares remain: a pass without an item. */
static bool let_through(const struct grab_database *p, struct grab_work *w,
                        const struct envelope *e)
{
    if (w->rate_limited)
        return refuse(w, ERR_RATE_LIMITED);
    int64_t now_s = p->runtime->clock->wall_us(p->runtime->clock->self) / US_PER_S;
    metrics_add(p->runtime->metrics, METRIC_GATE_LET_THROUGH, 1);
    w->outcome = GRAB_WON;
    w->expires_us = e->expires_us;
    w->answer.state = GRAB_GRABBED;
    w->answer.expires_us = (now_s + p->runtime->config->ticket_life_s) * US_PER_S;
    return true;
}

static bool rebuild(const struct grab_database *p, struct session *s, const struct envelope *e,
                    struct grab_work *w)
{
    struct gate g;
    gate_from_envelope(p->runtime, e, &g);
    enum cache_result result = gate_add(p->runtime, s->cache, &g);
    if (result == CACHE_UNKNOWN)
        return let_through(p, w, e);
    if (result == CACHE_STORED)
        metrics_add(p->runtime->metrics, METRIC_GATE_REBUILT, 1);
    return false;
}

static bool repair(const struct grab_database *p, struct session *s, const struct envelope *e,
                   struct grab_work *w)
{
    struct gate_item item;
    struct gate seen, right;
    bool valid;
    enum cache_result result = gate_get(p->runtime, s->cache, &e->id, &item, &seen, &valid);
    if (result == CACHE_UNKNOWN)
        return let_through(p, w, e);
    if (result == CACHE_MISS)
        return rebuild(p, s, e, w);
    if (valid)
        return false;
    gate_from_envelope(p->runtime, e, &right);
    if (gate_cas(p->runtime, s->cache, &item.item, &right) == CACHE_STORED)
        metrics_add(p->runtime->metrics, METRIC_GATE_REPAIRED, 1);
    return false;
}

/* All tickets are out, yet shares remain: as many tickets again, and twice as many each time that
 * nothing was opened since, so that those who never open keep nobody out for long. */
static bool refill(const struct grab_database *p, struct session *s, const struct envelope *e,
                   struct grab_work *w)
{
    struct gate_item item;
    struct gate g;
    bool valid;
    enum cache_result result = gate_get(p->runtime, s->cache, &e->id, &item, &g, &valid);
    if (result == CACHE_UNKNOWN)
        return let_through(p, w, e);
    if (!valid || g.state != STATE_OPEN || g.left > 0)
        return false;
    bool idle = g.refill_opened == e->opened_shares;
    g.refill_factor = !idle ? 1 : g.refill_factor < FACTOR_MAX ? g.refill_factor * 2 : FACTOR_MAX;
    g.refill_opened = e->opened_shares;
    g.left = (e->shares - e->opened_shares) * g.refill_factor;
    if (g.left > g.shares)
        g.left = g.shares;
    if (gate_cas(p->runtime, s->cache, &item.item, &g) == CACHE_STORED)
        metrics_add(p->runtime->metrics, METRIC_GATE_REFILLED, 1);
    return false;
}

static bool heal(const struct grab_database *p, struct session *s, const struct envelope *e,
                 struct grab_work *w)
{
    switch (w->outcome) {
    case GRAB_ASK_MISSING:
        return rebuild(p, s, e, w);
    case GRAB_ASK_BROKEN:
        return repair(p, s, e, w);
    case GRAB_ASK_EMPTY:
        return refill(p, s, e, w);
    case GRAB_NEEDS_RECORD:
        envelope_cache_hint(p->runtime, s->cache, e);
        s->cache->ops->flush(s->cache, false);
        return false;
    case GRAB_ASK_UNKNOWN:
    case GRAB_NEW:
    case GRAB_ANSWERED:
    case GRAB_WON:
    case GRAB_REFUSED:
    default:
        return let_through(p, w, e);
    }
}

/* Ids that the primary does not have are remembered for a few seconds. */
static bool is_unknown_id(const struct grab_database *p, struct session *s, const struct id *id)
{
    struct gate_item item;
    gate_item_prepare(&item);
    gate_key(item.item.key, GATE_KEY_UNKNOWN, p->runtime->generation, id);
    s->cache->ops->get(s->cache, &item.item, 1);
    return item.item.result == CACHE_HIT;
}

static bool remember_unknown_id(const struct grab_database *p, struct session *s,
                                struct grab_work *w)
{
    char key[GATE_KEY_SIZE];
    gate_key(key, GATE_KEY_UNKNOWN, p->runtime->generation, &w->id);
    (void)s->cache->ops->add(s->cache, key, "1", 1, UNKNOWN_TTL_S);
    return refuse(w, ERR_NOT_FOUND);
}

static bool ask(struct grab_database *p, struct session *s, const struct who *who,
                struct grab_work *w)
{
    struct envelope e;
    bool found;
    int64_t now_us;
    if (w->outcome == GRAB_ASK_MISSING && is_unknown_id(p, s, &w->id))
        return refuse(w, ERR_NOT_FOUND);
    enum err err = s->store->ops->envelope_get(s->store, &w->id, &e, &found, &now_us);
    if (err != ERR_OK) {
        s->store->ops->rollback(s->store);
        return refuse(w, ERR_UNAVAILABLE);
    }
    if (!found)
        return remember_unknown_id(p, s, w);
    w->restricted = e.to_kind != TO_ANYONE;
    bool admitted = envelope_admits(&e, who->user, who->groups, who->n_groups);
    if (!admitted && (w->restricted || e.state == STATE_OPEN))
        return refuse(w, ERR_NOT_RECIPIENT);
    w->admitted = admitted;
    if (e.state != STATE_OPEN)
        return tell_end(p, s, &e, w);
    if (!envelope_past_due(&e, now_us))
        return heal(p, s, &e, w);
    if (w->outcome == GRAB_ASK_MISSING)
        (void)rebuild(p, s, &e, w); /* so that the next ones find a hold, not the primary */
    return answer_busy(p, w, 1);
}

static bool in_flight(const struct grab_database *p, const struct id *id)
{
    for (size_t i = 0; i < p->flying; i++)
        if (id_compare(&p->flights[i], id) == 0)
            return true;
    return false;
}

static void land(struct grab_database *p, const struct id *id)
{
    for (size_t i = 0; i < p->flying; i++)
        if (id_compare(&p->flights[i], id) == 0)
            p->flights[i] = p->flights[--p->flying];
    pthread_cond_broadcast(&p->landed);
}

bool grab_database_ask(struct grab_database *p, const struct who *who, struct grab_work *w,
                       int64_t deadline_us)
{
    pthread_mutex_lock(&p->lock);
    if (in_flight(p, &w->id) && p->waiting < p->max) {
        p->waiting++;
        while (in_flight(p, &w->id)) /* its store gives up in time, so this ends */
            pthread_cond_wait(&p->landed, &p->lock);
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        return false;
    }
    bool full = in_flight(p, &w->id) || p->flying >= p->max;
    if (!full)
        p->flights[p->flying++] = w->id;
    pthread_mutex_unlock(&p->lock);
    if (full)
        return over_cap(p, w);

    struct session *s = session_pool_take(p->sessions, deadline_us);
    bool told = s != NULL ? ask(p, s, who, w) : over_cap(p, w);
    if (s != NULL)
        session_pool_give(p->sessions, s, w->outcome == GRAB_REFUSED ? w->err : ERR_OK);
    pthread_mutex_lock(&p->lock);
    land(p, &w->id);
    pthread_mutex_unlock(&p->lock);
    return told;
}
