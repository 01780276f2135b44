/* The send service: copies requests into jobs and hands them to the batch. */
#include "lib/service/send/send.h"
#include "lib/base/str.h"
#include "lib/service/send/send_batch.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct send_service {
    const struct runtime *runtime;
    struct batched *batched;
};

/* Counting a user's open envelopes costs time with their number. So half of the limit may be sent
 * uncounted within the longest life of an envelope, whatever the process; what exceeds that is
 * counted. At most twice the limit is ever open: half of it at once, half while that is open, and
 * as many as are counted. */
static bool send_must_count(const struct runtime *runtime, const char *user)
{
    const struct config *config = runtime->config;
    int64_t uncounted = config->open_envelopes / 2, wait_us;
    const struct rate rate = {.kind = RATE_UNCOUNTED_SENDS,
                              .interval_us = config->expires_max_s * US_PER_S / uncounted + 1,
                              .burst = uncounted};
    return !metrics_rate_allow(runtime->metrics, &rate, user,
                               runtime->clock->mono_us(runtime->clock->self), &wait_us);
}

/* A cryptographic hash, so that no user can choose an id that shares another's lock. */
static uint64_t send_lock_of(const void *job)
{
    const struct send_job *j = job;
    uint8_t digest[32];
    uint64_t lock;
    hash_sha256(digest, j->user, strlen(j->user));
    memcpy(&lock, digest, sizeof lock);
    return lock;
}

static bool send_merge(void *first, const void *job)
{
    const struct send_job *f = first, *j = job;
    return bytes_equal(f->key_hash, j->key_hash, sizeof f->key_hash);
}

static void send_answer_repeat(void *job, const void *first)
{
    struct send_job *j = job;
    const struct send_job *f = first;
    if (!bytes_equal(j->body_hash, f->body_hash, sizeof j->body_hash)) {
        j->base.err = ERR_IDEMPOTENCY_KEY_REUSED;
        return;
    }
    j->base = f->base;
    j->draft = f->draft;
    j->replayed = f->base.err == ERR_OK;
}

static const struct batched_ops send_ops = {.kind = METRIC_BATCH_SEND,
                                            .job_size = sizeof(struct send_job),
                                            .leader_new = send_batch_new,
                                            .leader_free = send_batch_free,
                                            .merge = send_merge,
                                            .answer_repeat = send_answer_repeat,
                                            .run = send_batch_run,
                                            .lock_of = send_lock_of,
                                            .finish = send_batch_finish};

void send_service_free(struct send_service *s)
{
    if (s != NULL)
        batched_free(s->batched);
    free(s);
}

struct send_service *send_service_new(const struct runtime *runtime, struct session_pool *sessions,
                                      unsigned leaders)
{
    struct send_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->batched = batched_new(runtime, sessions, leaders, &send_ops);
    if (s->batched == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

static void send_job_fill(const struct runtime *runtime, struct send_job *job,
                          const struct send_request *r)
{
    struct envelope *draft = &job->draft;
    memcpy(job->user, r->who->user, sizeof job->user);
    memcpy(job->name, r->who->name, sizeof job->name);
    memcpy(job->key_hash, r->key_hash, sizeof job->key_hash);
    memcpy(job->body_hash, r->body_hash, sizeof job->body_hash);
    job->refused = r->refused;
    job->count_open = send_must_count(runtime, job->user);
    job->expires_in_s = r->expires_in_s;
    job->has_expires_in = r->has_expires_in;
    job->has_greeting = r->greeting_sent != NULL;
    draft->mode = r->mode;
    draft->total_fen = r->total_fen;
    draft->shares = r->shares;
    draft->theme = r->theme;
    draft->to_kind = r->to_kind;
    bool fits =
        str_set(draft->greeting, sizeof draft->greeting, r->greeting, strlen(r->greeting)) &&
        str_set(draft->to, sizeof draft->to, r->to, strlen(r->to)) &&
        (r->greeting_sent == NULL || str_set(job->greeting_sent, sizeof job->greeting_sent,
                                             r->greeting_sent, strlen(r->greeting_sent)));
    assert(fits); /* the decoder has checked all */
    (void)fits;
}

void send_now(struct send_service *s, struct send_request **requests, size_t n, int64_t deadline_us)
{
    struct batch *batch = batched_batch(s->batched);
    struct batch_jobs *jobs = batch_jobs_new(batch, n, 0);
    for (size_t i = 0; jobs != NULL && i < n; i++)
        send_job_fill(s->runtime, batch_job(jobs, i), requests[i]);
    enum err err = jobs != NULL ? batch_submit(batch, jobs, deadline_us) : ERR_FAULT;
    for (size_t i = 0; i < n; i++) {
        const struct send_job *job = err == ERR_OK ? batch_job(jobs, i) : NULL;
        requests[i]->err = job != NULL ? job->base.err : err;
        requests[i]->replayed = job != NULL && job->replayed;
        requests[i]->too_many_open = job != NULL && job->too_many_open;
        if (job != NULL && job->base.err == ERR_OK)
            requests[i]->envelope = job->draft;
    }
    if (err == ERR_OK)
        batch_release(batch, jobs);
}
