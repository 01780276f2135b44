/* Reads that hang are recognised by their number and the time since the last answer, because the
 * client library's time-outs are whole seconds. */
#include "lib/service/common/replica.h"
#include "lib/base/log.h"
#include <stdatomic.h>
#include <stdlib.h>

struct replica {
    const struct runtime *runtime;
    struct store *probe; /* the session of replica_look */
    atomic_bool usable;
    _Atomic int64_t inside;      /* reads that wait for an answer */
    _Atomic int64_t answered_us; /* the last answer, or the begin of the only read */
};

struct replica *replica_new(const struct runtime *runtime)
{
    struct replica *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->runtime = runtime;
    r->probe = runtime->replica_open(runtime->self);
    if (r->probe != NULL)
        return r;
    free(r);
    return NULL;
}

void replica_free(struct replica *r)
{
    if (r != NULL)
        r->probe->ops->close(r->probe);
    free(r);
}

static int64_t replica_now_us(const struct replica *r)
{
    return r->runtime->clock->mono_us(r->runtime->clock->self);
}

bool replica_enter(struct replica *r)
{
    if (r == NULL || !atomic_load(&r->usable))
        return false;
    if (atomic_fetch_add(&r->inside, 1) == 0)
        atomic_store(&r->answered_us, replica_now_us(r));
    if (replica_now_us(r) - atomic_load(&r->answered_us) <= REPLICA_HANGS_US)
        return true;
    atomic_fetch_sub(&r->inside, 1);
    return false;
}

void replica_leave(struct replica *r, bool answered)
{
    if (answered)
        atomic_store(&r->answered_us, replica_now_us(r));
    else
        atomic_store(&r->usable, false);
    atomic_fetch_sub(&r->inside, 1);
}

static enum err read_beat(struct store *store, int64_t deadline_us, int64_t *beat_us)
{
    store->ops->set_deadline(store, deadline_us);
    enum err err = store->ops->last_beat(store, beat_us);
    if (err != ERR_OK)
        store->ops->rollback(store);
    return err;
}

/* Decide by the lag, or by err if there is no answer. */
static void replica_decide(struct replica *r, enum err err, int64_t lag_s)
{
    bool usable = err == ERR_OK && lag_s <= r->runtime->config->db_replica_lag_s;
    metrics_set_gauge(r->runtime->metrics, GAUGE_REPLICA_USABLE, usable);
    if (err == ERR_OK)
        metrics_set_gauge(r->runtime->metrics, GAUGE_REPLICA_LAG_S, lag_s);
    if (atomic_exchange(&r->usable, usable) == usable)
        return;
    if (usable)
        log_event(LOG_LEVEL_INFO, "replica_used", "lag %lld s", (long long)lag_s);
    else if (err != ERR_OK)
        log_event(LOG_LEVEL_WARN, "replica_left", "%s", err_name(err));
    else
        log_event(LOG_LEVEL_WARN, "replica_left", "lag %lld s", (long long)lag_s);
}

void replica_look(struct replica *r, struct store *primary, int64_t deadline_us)
{
    int64_t there_us = 0, here_us = 0;
    if (r == NULL || read_beat(primary, deadline_us, &here_us) != ERR_OK)
        return;
    enum err err = read_beat(r->probe, deadline_us, &there_us);
    int64_t lag_us = there_us < here_us ? here_us - there_us : 0;
    replica_decide(r, err, lag_us / US_PER_S);
}
