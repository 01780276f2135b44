/* The grab service. Most grabs are answered by grab_now: from the table of closed envelopes, or
 * from the cache, a burst at a time. The few that need the primary are deferred to grab_wait, which
 * asks it and then tries the gate again. */
#include "lib/service/grab/grab.h"
#include "lib/service/common/gate.h"
#include "lib/service/grab/closed_table.h"
#include "lib/service/grab/grab_database.h"
#include "lib/service/grab/grab_tickets.h"
#include "lib/service/grab/recent_tickets.h"
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 4 /* times the primary is asked and the gate tried again */

/* What an acceptor uses, one burst at a time. */
struct grab_acceptor {
    struct grab_batch *batch;
    struct cache *cache;
};

struct grab_service {
    const struct runtime *runtime;
    struct session_pool *sessions;
    struct closed_table *closed_table;
    struct recent_tickets *recent_tickets;
    struct grab_database *database;
    unsigned n_acceptors;
    struct grab_acceptor acceptors[];
};

/* ---- the service ---- */

void grab_service_free(struct grab_service *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < s->n_acceptors; i++) {
        grab_batch_free(s->acceptors[i].batch);
        session_pool_give_cache(s->sessions, s->acceptors[i].cache);
    }
    grab_database_free(s->database);
    closed_table_free(s->closed_table);
    recent_tickets_free(s->recent_tickets);
    free(s);
}

struct grab_service *grab_service_new(const struct runtime *runtime, struct session_pool *sessions,
                                      unsigned waiters, unsigned acceptors)
{
    struct grab_service *s = calloc(1, sizeof *s + acceptors * sizeof s->acceptors[0]);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->sessions = sessions;
    s->n_acceptors = acceptors;
    s->closed_table = closed_table_new();
    s->recent_tickets = recent_tickets_new(runtime->rng);
    bool ok = s->closed_table != NULL && s->recent_tickets != NULL;
    for (unsigned i = 0; i < acceptors && ok; i++) {
        s->acceptors[i].batch = grab_batch_new(runtime, s->recent_tickets, BATCH_MAX);
        s->acceptors[i].cache = session_pool_take_cache(sessions);
        ok = s->acceptors[i].batch != NULL && s->acceptors[i].cache != NULL;
    }
    if (ok)
        s->database = grab_database_new(runtime, sessions, s->closed_table,
                                        waiters / 4 > 0 ? waiters / 4 : 1);
    if (s->database == NULL) {
        grab_service_free(s);
        return NULL;
    }
    return s;
}

/* ---- one request ---- */

static bool grab_is_settled(const struct grab_job *job)
{
    return job->outcome == GRAB_ANSWERED || job->outcome == GRAB_WON ||
           job->outcome == GRAB_REFUSED;
}

/* Fill request from its settled job. */
static void grab_settle(struct grab_service *s, struct grab_request *r)
{
    const struct grab_job *job = &r->job;
    r->err = job->outcome == GRAB_REFUSED ? job->err : ERR_OK;
    r->answer = job->answer;
    if (r->err != ERR_OK)
        return;
    if (r->answer.state == GRAB_GRABBED)
        ticket_make(r->answer.ticket, &s->runtime->ticket_keys, s->runtime->generation, r->id,
                    r->who->user, r->answer.expires_us / US_PER_S);
}

/* Begin a request. Return true if it is settled: the process knows that its envelope has closed,
 * and everyone may know it. */
static bool grab_begin(struct grab_service *s, struct grab_request *r)
{
    const struct config *config = s->runtime->config;
    int64_t wait_us = 0, mono_us = s->runtime->clock->mono_us(s->runtime->clock->self);
    r->job = (struct grab_job){.who = r->who, .id = r->id};
    r->job.end = closed_table_get(s->closed_table, r->id, &r->job.restricted);
    if (r->job.end != STATE_OPEN && !r->job.restricted)
        grab_answer_end(&r->job, r->job.end);
    if (r->job.end != STATE_OPEN)
        return !r->job.restricted;
    const struct rate rate = {.kind = RATE_GRABS,
                              .interval_us = US_PER_S / config->grabs_per_s,
                              .burst = config->grabs_burst};
    r->job.rate_limited =
        !metrics_rate_allow(s->runtime->metrics, &rate, r->who->user, mono_us, &wait_us);
    r->retry_after_s = wait_us / US_PER_S + 1;
    return false;
}

/* ---- bursts ---- */

/* Run jobs with what belongs to acceptor, or with what is made for this call. Return ERR_FAULT if
 * out of memory. */
static enum err grab_run(struct grab_service *s, unsigned acceptor, struct grab_job **jobs,
                         size_t n)
{
    if (acceptor < s->n_acceptors) {
        const struct grab_acceptor *a = &s->acceptors[acceptor];
        grab_batch_run(a->batch, a->cache, jobs, n);
        return ERR_OK;
    }
    struct cache *cache = session_pool_take_cache(s->sessions);
    struct grab_batch *batch =
        cache != NULL ? grab_batch_new(s->runtime, s->recent_tickets, n) : NULL;
    if (batch != NULL)
        grab_batch_run(batch, cache, jobs, n);
    grab_batch_free(batch);
    session_pool_give_cache(s->sessions, cache);
    return batch != NULL ? ERR_OK : ERR_FAULT;
}

void grab_now(struct grab_service *s, unsigned acceptor, struct grab_request **requests, size_t n,
              bool *deferred)
{
    struct grab_job *jobs[BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        deferred[i] = false;
        if (!grab_begin(s, requests[i]))
            jobs[count++] = &requests[i]->job;
    }
    enum err err = count > 0 ? grab_run(s, acceptor, jobs, count) : ERR_OK;
    for (size_t i = 0; i < count && err != ERR_OK; i++) {
        jobs[i]->outcome = GRAB_REFUSED;
        jobs[i]->err = err;
    }
    for (size_t i = 0; i < n; i++) {
        deferred[i] = !grab_is_settled(&requests[i]->job);
        if (!deferred[i])
            grab_settle(s, requests[i]);
    }
}

/* ---- with the primary ---- */

/* Store the item of a ticket that the primary's answer allowed, without a share of the gate. */
static void grab_note_ticket(struct grab_service *s, const struct grab_job *job)
{
    struct cache *cache = session_pool_take_cache(s->sessions);
    if (cache == NULL)
        return;
    gate_hint_ticket(s->runtime, cache, job->id, job->who->user, job->answer.expires_us / US_PER_S,
                     job->expires_us);
    cache->ops->flush(cache, false);
    session_pool_give_cache(s->sessions, cache);
}

void grab_wait(struct grab_service *s, struct grab_request *r, int64_t deadline_us)
{
    struct grab_job *job = &r->job;
    for (int round = 0; round < ROUNDS_MAX && !grab_is_settled(job); round++) {
        bool asked = grab_database_ask(s->database, job, deadline_us);
        if (asked && job->outcome == GRAB_WON)
            grab_note_ticket(s, job);
        if (asked)
            break;
        job->end = closed_table_get(s->closed_table, job->id, &job->restricted);
        r->err = grab_run(s, s->n_acceptors, &job, 1);
        if (r->err != ERR_OK)
            return;
    }
    if (!grab_is_settled(job)) {
        grab_answer(job, GRAB_BUSY);
        job->answer.retry_after_s = 1;
        metrics_add(s->runtime->metrics, METRIC_GATE_BUSY, 1);
    }
    grab_settle(s, r);
}
