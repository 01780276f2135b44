/* One thread per kind of work, so that a deadline never waits behind a long batch of credits. */
#include "bin/settle_loop.h"
#include "bin/settle_worker.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/service_manager.h"
#include "lib/service/account/guests.h"
#include "lib/service/account/status.h"
#include "lib/service/common/close.h"
#include "lib/service/settle/credit.h"
#include "lib/service/settle/entries.h"
#include "lib/service/settle/gauges.h"
#include "lib/service/settle/host.h"
#include "lib/service/settle/keys.h"
#include "lib/service/settle/year_totals.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPIRE_EVERY_S 60
#define GUESTS_EVERY_S 600
#define SWEEP_EVERY_S 1
#define ENTRIES_EVERY_S 1
#define HOST_EVERY_S 1
#define GAUGES_EVERY_S 60
#define RETRY_PAUSE_MS 500
#define LATE_MAX_S 10 /* refunds later than this stop resting */

static enum err credits_round(struct settle_worker *w, bool *again)
{
    return credit_run(w->runtime, w->store, again);
}

static int64_t mono_us(const struct settle_worker *w)
{
    return w->runtime->clock->mono_us(w->runtime->clock->self);
}

/* Low-priority rounds sleep as long as they ran, leaving half the time to opens. */
static void rest_after(struct settle_worker *w, int64_t began_us)
{
    w->rest_ms = (mono_us(w) - began_us) / US_PER_MS;
}

static enum err refunds_round(struct settle_worker *w, bool *again)
{
    struct close_due_result done;
    int64_t began_us = mono_us(w);
    enum err err = clock_guard_look(w->guard, w->store);
    if (err != ERR_OK)
        return err;
    err = close_due(w->runtime, w->store, w->cache, w->guard, &done);
    *again = done.closed > 0;
    rest_after(w, began_us);
    if (done.late_us > LATE_MAX_S * US_PER_S)
        w->rest_ms = 0;
    return err;
}

static enum err totals_round(struct settle_worker *w, bool *again)
{
    size_t n = 0;
    int64_t began_us = mono_us(w);
    enum err err = year_totals_run(w->runtime, w->store, &n);
    *again = n > 0;
    rest_after(w, began_us);
    return err;
}

static enum err keys_round(struct settle_worker *w, bool *again)
{
    int64_t now_us = mono_us(w);
    if (now_us < w->next_us)
        return ERR_OK;
    enum err err = keys_expire(w->runtime, w->store, w->guard, again);
    if (err == ERR_OK && !*again)
        w->next_us = now_us + EXPIRE_EVERY_S * US_PER_S;
    return err;
}

static enum err guests_round(struct settle_worker *w, bool *again)
{
    const struct account_service s = {.runtime = w->runtime, .sessions = w->sessions};
    int64_t now_us = mono_us(w), primary_us;
    if (now_us < w->next_us || !clock_guard_keys_now(w->guard, &primary_us))
        return ERR_OK;
    enum err err = guests_end_idle(&s, w->store, primary_us, w->guest, again);
    rest_after(w, now_us);
    if (err == ERR_OK && !*again)
        w->next_us = now_us + GUESTS_EVERY_S * US_PER_S;
    return err;
}

static enum err entries_round(struct settle_worker *w, bool *again)
{
    int64_t now_us = mono_us(w);
    if (now_us < w->next_us)
        return ERR_OK;
    enum err err = entries_step(w->store, w->entries_after, again);
    if (err == ERR_OK && !*again)
        w->next_us = now_us + ENTRIES_EVERY_S * US_PER_S;
    return err;
}

/* One step per settle.reconcile_interval. */
static enum err reconcile_round(struct settle_worker *w, bool *again)
{
    int64_t now_us = mono_us(w);
    (void)again;
    if (now_us < w->next_us)
        return ERR_OK;
    w->next_us = now_us + w->runtime->config->reconcile_interval_ms * US_PER_MS;
    return reconcile_step(w->runtime, w->store, w->cache, &w->reconcile);
}

/* Remove old markers, a few directories at a time: a whole pass takes seconds with few markers, and
 * a few minutes with millions. */
static enum err markers_round(struct settle_worker *w, bool *again)
{
    int64_t now_us = mono_us(w);
    (void)again;
    if (now_us < w->next_us)
        return ERR_OK;
    int64_t before_us = w->runtime->clock->wall_us(w->runtime->clock->self) -
                        w->runtime->config->marker_days * S_PER_DAY * US_PER_S;
    size_t removed =
        markers_sweep(w->runtime->markers, w->runtime->generation, before_us, &w->sweep_shard);
    metrics_add(w->runtime->metrics, METRIC_MARKERS_REMOVED, removed);
    w->next_us = now_us + SWEEP_EVERY_S * US_PER_S;
    return ERR_OK;
}

static enum err host_round(struct settle_worker *w, bool *again)
{
    bool restored = false;
    (void)again;
    if (mono_us(w) < w->next_us)
        return ERR_OK;
    if (w->host[0] == '\0' && gethostname(w->host, sizeof w->host - 1) != 0)
        return ERR_FAULT;
    const char *name = w->runtime->config->host[0] != '\0' ? w->runtime->config->host : w->host;
    enum err err = host_step(w->runtime, w->store, name, &restored);
    w->next_us = mono_us(w) + HOST_EVERY_S * US_PER_S;
    if (!restored)
        return err;
    log_event(LOG_LEVEL_WARN, "generation_changed", "%s",
              "the database was restored; starting again");
    crew_note_restored(w->crew);
    return ERR_OK;
}

/* Refresh the gauges that cost a scan. */
static enum err gauges_round(struct settle_worker *w, bool *again)
{
    int64_t now_us = mono_us(w);
    (void)again;
    if (now_us < w->next_us)
        return ERR_OK;
    enum err err = gauges_refresh(w->runtime, w->store);
    if (err == ERR_OK)
        w->next_us = now_us + GAUGES_EVERY_S * US_PER_S;
    return err;
}

static void beat(const struct runtime *runtime, bool ready, size_t threads)
{
    const struct metric_worker state = {.program = PROGRAM_SETTLE,
                                        .ready = ready,
                                        .threads = (int64_t)threads,
                                        .settings = config_hash(runtime->config),
                                        .generation =
                                            ready ? metrics_generation(runtime->generation) : 0};
    metrics_beat(runtime->metrics, &state, runtime->clock->mono_us(runtime->clock->self));
}

/* A database that is away does not stop the progress; a thread that hangs does. crew: NULL before
 * the threads are started. */
static void report_progress(const struct crew *crew)
{
    if (service_manager_watches() && (crew == NULL || crew_works(crew)))
        service_manager_notify("WATCHDOG=1");
}

static enum err read_database(const struct account_service *s, struct runtime *runtime,
                              bool schema_logged)
{
    struct schema_state schema;
    enum err err = status_schema(s, 0, &schema);
    if (err == ERR_SCHEMA && !schema_logged)
        log_event(LOG_LEVEL_ERROR, "schema_wrong",
                  "the database has schema version %lld, this program needs %d: run hongbaoctl "
                  "migrate, or the other version of the programs",
                  (long long)schema.version, SCHEMA_VERSION);
    return err == ERR_OK ? status_generation(s, 0, runtime->generation) : err;
}

/* Read the generation, which is part of every cache key, waiting for a database with the right
 * schema if necessary. Return 0, or the number of a signal that arrived meanwhile. */
static int wait_for_database(struct runtime *runtime, const sigset_t *signals)
{
    const struct timespec pause = {.tv_nsec = RETRY_PAUSE_MS * NS_PER_MS};
    static const struct session_pool_settings one = {.threads = 1};
    const struct account_service s = {.runtime = runtime,
                                      .sessions = session_pool_new(runtime, &one)};
    int signal_number = s.sessions == NULL ? SIGTERM : 0;
    bool schema_logged = false;
    while (signal_number == 0) {
        enum err err = read_database(&s, runtime, schema_logged);
        if (err == ERR_OK)
            break;
        schema_logged |= err == ERR_SCHEMA;
        beat(runtime, false, 1);
        report_progress(NULL);
        int got = sigtimedwait(signals, NULL, &pause);
        if (got > 0)
            signal_number = got;
    }
    session_pool_free(s.sessions);
    return signal_number;
}

/* The credit threads start at different times, because two that select the same lane conflict. */
static enum err start_credits(const struct runtime *runtime, struct crew *crew)
{
    int64_t threads = runtime->config->settle_threads;
    enum err err = ERR_OK;
    for (int64_t i = 0; i < threads && err == ERR_OK; i++)
        err = crew_add(crew, "credits", i * runtime->config->settle_interval_ms / threads,
                       credits_round);
    return err;
}

static enum err start_all(const struct runtime *runtime, struct crew *crew)
{
    enum err err = crew_add(crew, "refunds", 0, refunds_round);
    if (err == ERR_OK)
        err = start_credits(runtime, crew);
    if (err == ERR_OK)
        err = crew_add(crew, "totals", 0, totals_round);
    if (err == ERR_OK)
        err = crew_add(crew, "reconciliation", 0, reconcile_round);
    if (err == ERR_OK)
        err = crew_add(crew, "markers", 0, markers_round);
    if (err == ERR_OK)
        err = crew_add(crew, "guests", 0, guests_round);
    if (err == ERR_OK)
        err = crew_add(crew, "entries", 0, entries_round);
    if (err == ERR_OK)
        err = crew_add(crew, "host", 0, host_round);
    if (err == ERR_OK)
        err = crew_add(crew, "gauges", 0, gauges_round);
    return err == ERR_OK ? crew_add(crew, "keys", 0, keys_round) : err;
}

/* Each host makes and looks after its own markers. Without them the service is slower. */
static void show_markers(const struct runtime *runtime)
{
    if (runtime->markers != NULL && !markers_switch(runtime->markers, runtime->generation))
        log_event(LOG_LEVEL_ERROR, "markers_failing", "%s: %s", runtime->config->marker_dir,
                  strerror(errno));
}

/* Run all threads with one generation: until a signal arrives or the database is restored. */
static enum err run_generation(struct runtime *runtime, const sigset_t *signals, int *ended_by)
{
    static const struct timespec second = {.tv_sec = 1};
    *ended_by = wait_for_database(runtime, signals);
    if (*ended_by != 0)
        return ERR_OK;
    show_markers(runtime);
    struct crew *crew = crew_new(runtime);
    if (crew == NULL)
        return ERR_FAULT;
    enum err err = start_all(runtime, crew);
    while (err == ERR_OK && *ended_by <= 0 && !crew_restored(crew)) {
        beat(runtime, crew_ready(crew), crew_size(crew));
        report_progress(crew);
        *ended_by = sigtimedwait(signals, NULL, &second); /* -1: a second has passed */
    }
    crew_stop(crew);
    return err;
}

enum err settle_loop(struct runtime *runtime, const sigset_t *signals, int *ended_by)
{
    enum err err = ERR_OK;
    *ended_by = 0;
    while (err == ERR_OK && *ended_by <= 0)
        err = run_generation(runtime, signals, ended_by);
    return err;
}
