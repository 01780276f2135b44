/* A thread repeats its round, pauses between rounds, and logs an outage once when it begins and
 * once when it ends. */
#include "bin/settle_worker.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define WORKERS_MAX 32
#define RETRY_PAUSE_MS 500

struct crew {
    const struct runtime *runtime;
    struct session_pool *sessions;
    struct clock_guard guard;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stopping;
    size_t n;
    struct settle_worker workers[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
};

struct crew *crew_new(const struct runtime *runtime)
{
    /* every worker holds a session, and a pool lends three for every four threads */
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
    clock_guard_init(&crew->guard, runtime);
    pthread_mutex_init(&crew->lock, NULL);
    clock_condition(&crew->stopped);
    return crew;
}

/* Log the begin and the end of an outage. */
static void log_outcome(struct settle_worker *w, enum err err)
{
    bool unavailable = err != ERR_OK;
    if (unavailable && !w->unavailable)
        log_event(LOG_LEVEL_WARN, "database_unavailable", "%s: %s", w->name, err_name(err));
    if (!unavailable && w->unavailable)
        log_event(LOG_LEVEL_INFO, "database_recovered", "%s", w->name);
    w->unavailable = unavailable;
}

/* Sleep for pause_ms or until crew_stop. Return true if the threads must end. */
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

static void *worker_main(void *context)
{
    struct settle_worker *w = context;
    int64_t pause_ms = w->first_ms;
    while (!pause_for(w->crew, pause_ms)) {
        bool again = false;
        enum err err = w->round(w, &again);
        log_outcome(w, err);
        pause_ms = err != ERR_OK ? RETRY_PAUSE_MS
                   : again       ? w->rest_ms
                                 : w->runtime->config->settle_interval_ms;
    }
    return NULL;
}

enum err crew_add(struct crew *crew, const char *name, int64_t first_ms,
                  enum err (*round)(struct settle_worker *w, bool *again))
{
    const struct runtime *runtime = crew->runtime;
    struct session *session = crew->n < WORKERS_MAX ? session_pool_take(crew->sessions, 0) : NULL;
    if (session == NULL)
        return ERR_FAULT;
    struct settle_worker *w = &crew->workers[crew->n];
    *w = (struct settle_worker){.name = name,
                                .runtime = runtime,
                                .sessions = crew->sessions,
                                .session = session,
                                .store = session->store,
                                .cache = session->cache,
                                .round = round,
                                .first_ms = first_ms,
                                .guard = &crew->guard,
                                .crew = crew};
    if (pthread_create(&crew->threads[crew->n], NULL, worker_main, w) != 0) {
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
