/* Requests that fail and requests that succeed overlap during an outage, and some errors concern
 * one table only. So a trouble ends with the first success after a pause without failures, which is
 * longer for errors that not every request meets. */
#include "lib/base/server_state.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PAUSE_US INT64_C(1000000)
#define PAUSE_PARTIAL_US INT64_C(10000000)

struct server_state {
    const char *server;
    const struct clock *clock;
    struct metrics *metrics;
    enum metric counters;
    pthread_mutex_t lock;
    _Atomic int trouble; /* changed with the lock held; read without it */
    unsigned number;     /* of the last failure */
    char text[160];      /* of the last failure */
    int64_t failed_us;   /* monotonic: the last failure */
};

static const char *const trouble_names[SERVER_TROUBLES] = {
    [SERVER_WORKS] = "recovered",
    [SERVER_UNREACHABLE] = "unreachable",
    [SERVER_REFUSED] = "refused",
    [SERVER_READ_ONLY] = "read_only",
    [SERVER_TOO_MANY_CONNECTIONS] = "too_many_connections",
    [SERVER_DISK_FULL] = "disk_full",
    [SERVER_ERROR] = "error",
};

struct server_state *server_state_new(const char *server, const struct clock *clock,
                                      struct metrics *metrics, enum metric counters)
{
    struct server_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->server = server;
    s->clock = clock;
    s->metrics = metrics;
    s->counters = counters;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void server_state_free(struct server_state *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* server NULL: nothing is logged. */
static void state_log(const char *server, enum server_trouble trouble, unsigned number,
                      const char *text)
{
    char event[64];
    if (server == NULL)
        return;
    snprintf(event, sizeof event, "%s_%s", server, trouble_names[trouble]);
    if (trouble == SERVER_WORKS)
        log_event(LOG_LEVEL_INFO, event, "%s", text);
    else
        log_event(LOG_LEVEL_WARN, event, "error %u: %s", number, text);
}

static int64_t state_now_us(const struct server_state *s)
{
    return s->clock->mono_us(s->clock->self);
}

void server_state_failed(struct server_state *s, enum server_trouble trouble, unsigned number,
                         const char *text)
{
    if (s == NULL)
        return;
    if (s->counters != METRIC_COUNT)
        metrics_add(s->metrics, (enum metric)((int)s->counters + (int)trouble - 1), 1);
    pthread_mutex_lock(&s->lock);
    bool changed =
        s->trouble != (int)trouble || (trouble != SERVER_UNREACHABLE && s->number != number);
    s->trouble = (int)trouble;
    s->number = number;
    snprintf(s->text, sizeof s->text, "error %u: %s", number, text);
    s->failed_us = state_now_us(s);
    pthread_mutex_unlock(&s->lock);
    if (changed)
        state_log(s->server, trouble, number, text);
}

/* Return true if the success of a request ends trouble. Lock held. */
static bool trouble_ends(const struct server_state *s, bool wrote)
{
    int64_t quiet_us = state_now_us(s) - s->failed_us;
    switch ((enum server_trouble)s->trouble) {
    case SERVER_WORKS:
        return false;
    case SERVER_READ_ONLY:
    case SERVER_DISK_FULL:
        return wrote && quiet_us >= PAUSE_US;
    case SERVER_REFUSED:
    case SERVER_ERROR:
        return quiet_us >= PAUSE_PARTIAL_US;
    case SERVER_UNREACHABLE:
    case SERVER_TOO_MANY_CONNECTIONS:
    case SERVER_TROUBLES:
    default:
        return quiet_us >= PAUSE_US;
    }
}

void server_state_answered(struct server_state *s, bool wrote)
{
    if (s == NULL || atomic_load_explicit(&s->trouble, memory_order_relaxed) == SERVER_WORKS)
        return;
    pthread_mutex_lock(&s->lock);
    bool ends = trouble_ends(s, wrote);
    if (ends)
        s->trouble = SERVER_WORKS;
    pthread_mutex_unlock(&s->lock);
    if (ends)
        state_log(s->server, SERVER_WORKS, 0, "it answers again");
}

void server_state_changed(const struct server_state *s, const char *name)
{
    char event[64];
    if (s == NULL || s->server == NULL)
        return;
    snprintf(event, sizeof event, "%s_changed", s->server);
    log_event(LOG_LEVEL_WARN, event, "now %s", name);
}

void server_state_text(struct server_state *s, char *out, size_t cap)
{
    out[0] = '\0';
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    snprintf(out, cap, "%s", s->text);
    pthread_mutex_unlock(&s->lock);
}
