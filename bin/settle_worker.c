/* A thread repeats its round, pauses between rounds, and logs failures once when they begin and
 * once when they end. */
#include "bin/settle_worker.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define WORKERS_MAX 32
#define RETRY_PAUSE_MS 500
#define LATE_US (30 * US_PER_S)  /* longer than a round takes on a slow disk */
#define HANGS_US (90 * US_PER_S) /* longer than rounds and time-outs take when all is slow */

struct crew {
    const struct runtime *runtime;
    struct session_pool *sessions;
    struct clock_guard guard;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stopping;
    atomic_bool restored;
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

/* Log the begin and the end of failures of this kind of round. That the database is away is logged
 * where it is noticed, once for all threads. */
static void log_outcome(struct settle_worker *w, enum err err)
{
    const struct clock *clock = w->runtime->clock;
    bool failing = err != ERR_OK && err_class(err) != CLASS_RETRY;
    if (failing && !w->failing)
        log_event(LOG_LEVEL_ERROR, "round_failed", "%s: %s", w->name, err_name(err));
    if (err == ERR_OK && w->failing)
        log_event(LOG_LEVEL_INFO, "round_recovered", "%s", w->name);
    w->failing = failing || (w->failing && err != ERR_OK);
    if (err == ERR_OK)
        atomic_store(&w->finished_us, clock->mono_us(clock->self));
}

bool crew_ready(const struct crew *crew)
{
    const struct clock *clock = crew->runtime->clock;
    int64_t now_us = clock->mono_us(clock->self);
    for (size_t i = 0; i < crew->n; i++)
        if (now_us - atomic_load(&crew->workers[i].finished_us) > LATE_US)
            return false;
    return true;
}

bool crew_works(const struct crew *crew)
{
    const struct clock *clock = crew->runtime->clock;
    int64_t now_us = clock->mono_us(clock->self);
    for (size_t i = 0; i < crew->n; i++)
        if (now_us - atomic_load(&crew->workers[i].ended_us) > HANGS_US)
            return false;
    return true;
}

void crew_note_restored(struct crew *crew)
{
    atomic_store(&crew->restored, true);
}

bool crew_restored(const struct crew *crew)
{
    return atomic_load(&crew->restored);
}

size_t crew_size(const struct crew *crew)
{
    return crew->n;
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

static int64_t mono_us(const struct settle_worker *w)
{
    return w->runtime->clock->mono_us(w->runtime->clock->self);
}

static void *worker_main(void *context)
{
    struct settle_worker *w = context;
    int64_t pause_ms = w->first_ms;
    while (!pause_for(w->crew, pause_ms)) {
        bool again = false;
        enum err err = w->round(w, &again);
        log_outcome(w, err);
        atomic_store(&w->ended_us, mono_us(w));
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
    int64_t now_us = runtime->clock->mono_us(runtime->clock->self);
    *w = (struct settle_worker){.finished_us = now_us,
                                .ended_us = now_us,
                                .name = name,
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
