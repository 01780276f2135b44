#include "lib/service/sessions.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct sessions {
    const struct env *env;
    bool with_store;
    unsigned max, made;
    struct session *idle;
    pthread_mutex_t lock;
};

struct sessions *sessions_new(const struct env *env, unsigned max, bool with_store)
{
    struct sessions *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->env = env;
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

static struct session *session_make(const struct sessions *s)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->cache = s->env->cache_open(s->env->self);
    if (s->with_store)
        session->store = s->env->store_open(s->env->self);
    if (session->cache == NULL || (s->with_store && session->store == NULL)) {
        session_free(session);
        return NULL;
    }
    return session;
}

void sessions_free(struct sessions *s)
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

struct session *sessions_take(struct sessions *s)
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

void sessions_give(struct sessions *s, struct session *session)
{
    pthread_mutex_lock(&s->lock);
    session->next = s->idle;
    s->idle = session;
    pthread_mutex_unlock(&s->lock);
}
