/* Session pool. The slot that the stall detector gives a thread is also the place of its session,
 * so a session needs no lock of its own. Only connections to the cache alone are kept in a list. */
#include "lib/service/common/session_pool.h"
#include <pthread.h>
#include <stdlib.h>

#define IDLE_CACHES_MAX 320 /* as many as a process has threads */

struct session_pool {
    const struct runtime *runtime;
    struct stall *stall;
    int64_t reserve_us;
    pthread_mutex_t lock; /* of the idle caches */
    size_t n_idle;
    struct cache *idle[IDLE_CACHES_MAX];
    unsigned n;
    struct session sessions[]; /* by slot; store NULL: not made yet */
};

struct session_pool *session_pool_new(const struct runtime *runtime,
                                      const struct session_pool_settings *settings)
{
    unsigned shared = settings->threads - settings->threads / 4;
    unsigned n = settings->leaders + shared;
    struct session_pool *p = calloc(1, sizeof *p + n * sizeof p->sessions[0]);
    if (p == NULL)
        return NULL;
    p->runtime = runtime;
    p->reserve_us = settings->reserve_us;
    p->n = n;
    pthread_mutex_init(&p->lock, NULL);
    p->stall = stall_new(runtime->clock, runtime->metrics, settings->leaders, shared);
    if (p->stall == NULL) {
        session_pool_free(p);
        return NULL;
    }
    return p;
}

static void session_close(struct session *s)
{
    if (s->replica != NULL && s->replica != s->store)
        s->replica->ops->close(s->replica);
    if (s->store != NULL)
        s->store->ops->close(s->store);
    if (s->cache != NULL)
        s->cache->ops->close(s->cache);
    *s = (struct session){.store = NULL};
}

void session_pool_free(struct session_pool *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < p->n; i++)
        session_close(&p->sessions[i]);
    for (size_t i = 0; i < p->n_idle; i++)
        p->idle[i]->ops->close(p->idle[i]);
    stall_free(p->stall);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Return the session in slot, which the caller occupies; NULL if out of memory. */
static struct session *session_at(struct session_pool *p, unsigned slot)
{
    const struct runtime *r = p->runtime;
    struct session *s = &p->sessions[slot];
    s->slot = slot;
    if (s->store != NULL)
        return s;
    s->store = r->store_open(r->self);
    s->replica = r->replica_open != NULL ? r->replica_open(r->self) : s->store;
    s->cache = r->cache_open(r->self);
    if (s->store != NULL && s->replica != NULL && s->cache != NULL)
        return s;
    session_close(s);
    return NULL;
}

struct session *session_pool_take(struct session_pool *p, int64_t deadline_us)
{
    int slot = stall_enter(p->stall);
    if (slot < 0)
        return NULL;
    struct session *s = session_at(p, (unsigned)slot);
    if (s == NULL) {
        stall_leave(p->stall, (unsigned)slot, true);
        return NULL;
    }
    int64_t last_us = deadline_us - p->reserve_us;
    s->store->ops->set_deadline(s->store, last_us);
    if (s->replica != s->store)
        s->replica->ops->set_deadline(s->replica, last_us);
    return s;
}

void session_pool_give(struct session_pool *p, struct session *session, enum err err)
{
    stall_leave(p->stall, session->slot, stall_answered(err));
}

struct cache *session_pool_take_cache(struct session_pool *p)
{
    struct cache *cache = NULL;
    pthread_mutex_lock(&p->lock);
    if (p->n_idle > 0)
        cache = p->idle[--p->n_idle];
    pthread_mutex_unlock(&p->lock);
    return cache != NULL ? cache : p->runtime->cache_open(p->runtime->self);
}

void session_pool_give_cache(struct session_pool *p, struct cache *cache)
{
    if (cache == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    bool keep = p->n_idle < IDLE_CACHES_MAX;
    if (keep)
        p->idle[p->n_idle++] = cache;
    pthread_mutex_unlock(&p->lock);
    if (!keep)
        cache->ops->close(cache);
}

struct session *session_pool_leader(struct session_pool *p, unsigned leader)
{
    return session_at(p, leader);
}

struct stall *session_pool_stall(struct session_pool *p)
{
    return p->stall;
}
