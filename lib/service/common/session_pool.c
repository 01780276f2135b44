#include "lib/service/common/session_pool.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct session_pool {
    const struct runtime *runtime;
    bool with_store;
    unsigned max, made;
    struct session *idle;
    pthread_mutex_t lock;
};

struct session_pool *session_pool_new(const struct runtime *runtime, unsigned max, bool with_store)
{
    struct session_pool *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->max = max;
    s->with_store = with_store;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void session_free(struct session *session)
{
    if (session == NULL)
        return;
    if (session->store != NULL)
        session->store->ops->close(session->store);
    if (session->cache != NULL)
        session->cache->ops->close(session->cache);
    free(session);
}

static struct session *session_make(const struct session_pool *s)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->cache = s->runtime->cache_open(s->runtime->self);
    if (s->with_store)
        session->store = s->runtime->store_open(s->runtime->self);
    if (session->cache == NULL || (s->with_store && session->store == NULL)) {
        session_free(session);
        return NULL;
    }
    return session;
}

void session_pool_free(struct session_pool *s)
{
    if (s == NULL)
        return;
    while (s->idle != NULL) {
        struct session *session = s->idle;
        s->idle = session->next;
        session_free(session);
        s->made--;
    }
    assert(s->made == 0);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

struct session *session_pool_take(struct session_pool *s)
{
    pthread_mutex_lock(&s->lock);
    struct session *session = s->idle;
    bool make = session == NULL && s->made < s->max;
    if (session != NULL)
        s->idle = session->next;
    else if (make)
        s->made++;
    pthread_mutex_unlock(&s->lock);
    if (!make)
        return session;
    session = session_make(s);
    if (session == NULL) {
        pthread_mutex_lock(&s->lock);
        s->made--;
        pthread_mutex_unlock(&s->lock);
    }
    return session;
}

void session_pool_give(struct session_pool *s, struct session *session)
{
    pthread_mutex_lock(&s->lock);
    session->next = s->idle;
    s->idle = session;
    pthread_mutex_unlock(&s->lock);
}
