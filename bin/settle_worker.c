#include "bin/settle_worker.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define WORKERS_MAX 32
#define NS_PER_MS 1000000
#define MS_PER_S 1000
#define AWAY_PAUSE_MS 500

struct crew {
    const struct runtime *runtime;
    struct session_pool *sessions;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stopping;
    size_t n;
    struct worker workers[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
};

struct crew *crew_new(const struct runtime *runtime)
{
    /* every worker holds a session, and a pool gives out three for every four threads */
    static const struct session_pool_settings settings = {.threads = 2 * WORKERS_MAX};
    struct crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL)
        return NULL;
    crew->sessions = session_pool_new(runtime, &settings);
    if (crew->sessions == NULL) {
        free(crew);
        return NULL;
    }
    crew->runtime = runtime;
    pthread_mutex_init(&crew->lock, NULL);
    clock_condition(&crew->stopped);
    return crew;
}

static void note_outcome(struct worker *w, enum err err)
{
    bool away = err != ERR_OK;
    if (away && !w->away)
        log_event(LOG_LEVEL_WARN, "settle_waits", "%s: %s", w->name, err_name(err));
    if (!away && w->away)
        log_event(LOG_LEVEL_INFO, "settle_goes_on", "%s: the database answers again", w->name);
    w->away = away;
}

/* Returns true when it is time to end. */
static bool pause_for(struct crew *crew, int64_t pause_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += pause_ms / MS_PER_S;
    until.tv_nsec += pause_ms % MS_PER_S * NS_PER_MS;
    until.tv_sec += until.tv_nsec / (MS_PER_S * NS_PER_MS);
    until.tv_nsec %= MS_PER_S * NS_PER_MS;
    pthread_mutex_lock(&crew->lock);
    while (!crew->stopping && pause_ms > 0 &&
           pthread_cond_timedwait(&crew->stopped, &crew->lock, &until) == 0)
        ;
    bool stopping = crew->stopping;
    pthread_mutex_unlock(&crew->lock);
    return stopping;
}

static void *work(void *context)
{
    struct worker *w = context;
    int64_t pause_ms = w->first_ms;
    while (!pause_for(w->crew, pause_ms)) {
        bool again = false;
        enum err err = w->round(w, &again);
        note_outcome(w, err);
        pause_ms = err != ERR_OK ? AWAY_PAUSE_MS
                   : again       ? w->rest_ms
                                 : w->runtime->config->settle_interval_ms;
    }
    return NULL;
}

enum err crew_add(struct crew *crew, const char *name, int64_t first_ms,
                  enum err (*round)(struct worker *w, bool *again))
{
    const struct runtime *runtime = crew->runtime;
    struct session *session = crew->n < WORKERS_MAX ? session_pool_take(crew->sessions, 0) : NULL;
    if (session == NULL)
        return ERR_FAULT;
    struct worker *w = &crew->workers[crew->n];
    *w = (struct worker){.name = name,
                         .runtime = runtime,
                         .session = session,
                         .store = session->store,
                         .cache = session->cache,
                         .round = round,
                         .first_ms = first_ms,
                         .crew = crew};
    if (pthread_create(&crew->threads[crew->n], NULL, work, w) != 0) {
        session_pool_give(crew->sessions, session, ERR_OK);
        return ERR_FAULT;
    }
    crew->n++;
    return ERR_OK;
}

void crew_stop(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->stopping = true;
    pthread_cond_broadcast(&crew->stopped);
    pthread_mutex_unlock(&crew->lock);
    for (size_t i = 0; i < crew->n; i++) {
        pthread_join(crew->threads[i], NULL);
        session_pool_give(crew->sessions, crew->workers[i].session, ERR_OK);
    }
    session_pool_free(crew->sessions);
    pthread_cond_destroy(&crew->stopped);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}
