/* Admission of grabs and claims. Most are decided by admission_now: from the table of closed
 * envelopes, or from the cache, a burst at a time. The few that need the primary are deferred to
 * admission_wait, which asks it and then tries the gate again. */
#include "lib/service/grab/admission.h"
#include "lib/service/common/gate.h"
#include "lib/service/grab/closed_table.h"
#include "lib/service/grab/grab_database.h"
#include "lib/service/grab/grab_tickets.h"
#include "lib/service/grab/recent_tickets.h"
#include <stdlib.h>

#define ROUNDS_MAX 4 /* times the primary is asked and the gate tried again */

/* What an acceptor uses, one burst at a time. */
struct admission_acceptor {
    struct grab_batch *batch;
    struct cache *cache;
};

struct admission {
    const struct runtime *runtime;
    struct session_pool *sessions;
    struct closed_table *closed_table;
    struct recent_tickets *recent_tickets;
    struct grab_database *database;
    unsigned n_acceptors;
    struct admission_acceptor acceptors[];
};

void admission_free(struct admission *a)
{
    if (a == NULL)
        return;
    for (unsigned i = 0; i < a->n_acceptors; i++) {
        grab_batch_free(a->acceptors[i].batch);
        session_pool_give_cache(a->sessions, a->acceptors[i].cache);
    }
    grab_database_free(a->database);
    closed_table_free(a->closed_table);
    recent_tickets_free(a->recent_tickets);
    free(a);
}

struct admission *admission_new(const struct runtime *runtime, struct session_pool *sessions,
                                unsigned waiters, unsigned acceptors)
{
    struct admission *a = calloc(1, sizeof *a + acceptors * sizeof a->acceptors[0]);
    if (a == NULL)
        return NULL;
    a->runtime = runtime;
    a->sessions = sessions;
    a->n_acceptors = acceptors;
    a->closed_table = closed_table_new();
    a->recent_tickets = recent_tickets_new(runtime->rng);
    bool ok = a->closed_table != NULL && a->recent_tickets != NULL;
    for (unsigned i = 0; i < acceptors && ok; i++) {
        a->acceptors[i].batch = grab_batch_new(runtime, a->recent_tickets, BATCH_MAX);
        a->acceptors[i].cache = session_pool_take_cache(sessions);
        ok = a->acceptors[i].batch != NULL && a->acceptors[i].cache != NULL;
    }
    if (ok)
        a->database = grab_database_new(runtime, sessions, a->closed_table,
                                        waiters / 4 > 0 ? waiters / 4 : 1);
    if (a->database == NULL) {
        admission_free(a);
        return NULL;
    }
    return a;
}

/* ---- one job ---- */

static bool admission_decided(const struct grab_job *job)
{
    return job->outcome == GRAB_ANSWERED || job->outcome == GRAB_WON ||
           job->outcome == GRAB_REFUSED;
}

bool admission_granted(const struct grab_job *job)
{
    return job->outcome == GRAB_WON ||
           (job->outcome == GRAB_ANSWERED &&
            (job->answer.state == GRAB_GRABBED || job->answer.state == GRAB_OPENED));
}

static void admission_refuse(struct grab_job *job, enum err err)
{
    job->outcome = GRAB_REFUSED;
    job->err = err;
}

/* Count job against its user's rate. */
static void admission_limit(const struct admission *a, struct grab_job *job)
{
    const struct config *config = a->runtime->config;
    int64_t wait_us = 0, mono_us = a->runtime->clock->mono_us(a->runtime->clock->self);
    const struct rate rate = {.kind = RATE_GRABS,
                              .interval_us = US_PER_S / config->grabs_per_s,
                              .burst = config->grabs_burst};
    job->rate_limited =
        !metrics_rate_allow(a->runtime->metrics, &rate, job->who->user, mono_us, &wait_us);
    job->retry_after_s = wait_us / US_PER_S + 1;
}

/* Begin a job. Return true if it is decided: the process knows that its envelope has closed,
 * everyone may know it, and nothing comes before it. */
static bool admission_begin(const struct admission *a, struct grab_job *job)
{
    job->end = closed_table_get(a->closed_table, job->id, &job->restricted);
    if (job->end == STATE_OPEN)
        admission_limit(a, job);
    else if (!job->restricted && !job->claim)
        grab_answer_end(job, job->end);
    return job->end != STATE_OPEN && !job->restricted && !job->claim;
}

/* A claim on an envelope known to have closed costs nothing unless its user is known; then the
 * primary is asked, and the rate counts after all. */
static void admission_limit_late(const struct admission *a, struct grab_job *job)
{
    if (!job->claim || job->end == STATE_OPEN || !admission_granted(job))
        return;
    admission_limit(a, job);
    if (job->rate_limited)
        admission_refuse(job, ERR_RATE_LIMITED);
}

/* ---- bursts ---- */

/* Run jobs with what belongs to acceptor, or with what is made for this call. */
static void admission_run(struct admission *a, unsigned acceptor, struct grab_job **jobs, size_t n)
{
    if (acceptor < a->n_acceptors) {
        const struct admission_acceptor *own = &a->acceptors[acceptor];
        grab_batch_run(own->batch, own->cache, jobs, n);
        return;
    }
    struct cache *cache = session_pool_take_cache(a->sessions);
    struct grab_batch *batch =
        cache != NULL ? grab_batch_new(a->runtime, a->recent_tickets, n) : NULL;
    if (batch != NULL)
        grab_batch_run(batch, cache, jobs, n);
    for (size_t i = 0; i < n && batch == NULL; i++)
        admission_refuse(jobs[i], ERR_FAULT);
    grab_batch_free(batch);
    session_pool_give_cache(a->sessions, cache);
}

void admission_now(struct admission *a, unsigned acceptor, struct grab_job **jobs, size_t n,
                   bool *deferred)
{
    struct grab_job *run[BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!admission_begin(a, jobs[i]))
            run[count++] = jobs[i];
    if (count > 0)
        admission_run(a, acceptor, run, count);
    for (size_t i = 0; i < n; i++) {
        admission_limit_late(a, jobs[i]);
        deferred[i] = !admission_decided(jobs[i]);
    }
}

/* ---- with the primary ---- */

void admission_keep(struct admission *a, const struct grab_job *job)
{
    if (job->outcome != GRAB_WON)
        return;
    struct cache *cache = session_pool_take_cache(a->sessions);
    if (cache == NULL)
        return;
    gate_hint_ticket(a->runtime, cache, job->id, job->who->user, job->answer.expires_us / US_PER_S,
                     job->expires_us);
    cache->ops->flush(cache, false);
    session_pool_give_cache(a->sessions, cache);
}

void admission_wait(struct admission *a, struct grab_job *job, int64_t deadline_us)
{
    for (int round = 0; round < ROUNDS_MAX && !admission_decided(job); round++) {
        if (grab_database_ask(a->database, job, deadline_us)) {
            if (!job->claim)
                admission_keep(a, job); /* a ticket without a share of the gate */
            break;
        }
        job->end = closed_table_get(a->closed_table, job->id, &job->restricted);
        admission_run(a, a->n_acceptors, &job, 1);
    }
    if (!admission_decided(job)) {
        grab_answer(job, GRAB_BUSY);
        job->answer.retry_after_s = 1;
        metrics_add(a->runtime->metrics, METRIC_GATE_BUSY, 1);
    }
}
