/* The open service: checks tickets and hands the rest to the batch. A forged ticket goes no
 * further; a lapsed one does, because its user may have opened already. */
#include "lib/service/open/open.h"
#include "lib/service/open/open_batch.h"
#include <stdlib.h>
#include <string.h>

struct open_service {
    const struct runtime *runtime;
    struct batched *batched;
};

static uint64_t open_lock_of(const void *job)
{
    const struct open_job *j = job;
    uint64_t lock;
    memcpy(&lock, j->id.b + ID_SIZE - sizeof lock, sizeof lock);
    return lock;
}

/* Among repeats, one that may be given a share counts for all. */
static bool open_merge(void *first, const void *job)
{
    struct open_job *f = first;
    const struct open_job *j = job;
    if (id_compare(&f->id, &j->id) != 0 || strcmp(f->user, j->user) != 0)
        return false;
    f->lapsed = f->lapsed && j->lapsed;
    f->claimed = f->claimed || j->claimed;
    return true;
}

static void open_answer_repeat(void *job, const void *first)
{
    struct open_job *j = job;
    const struct open_job *f = first;
    j->base = f->base;
    j->answer = f->answer;
    j->replayed = f->base.err == ERR_OK && f->answer.state == OPEN_OPENED;
}

static const struct batched_ops open_ops = {.kind = METRIC_BATCH_OPEN,
                                            .job_size = sizeof(struct open_job),
                                            .leader_new = open_batch_new,
                                            .leader_free = open_batch_free,
                                            .merge = open_merge,
                                            .answer_repeat = open_answer_repeat,
                                            .run = open_batch_run,
                                            .lock_of = open_lock_of,
                                            .finish = open_batch_finish};

void open_service_free(struct open_service *s)
{
    if (s != NULL)
        batched_free(s->batched);
    free(s);
}

struct open_service *open_service_new(const struct runtime *runtime, struct session_pool *sessions,
                                      unsigned leaders)
{
    struct open_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->batched = batched_new(runtime, sessions, leaders, &open_ops);
    if (s->batched == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

/* Copy the request into a job. Copy its user's groups to *groups, and advance it past them. */
static void open_job_fill(struct open_job *job, const struct open_request *r,
                          char (**groups)[GROUP_SIZE])
{
    const struct who *who = r->who;
    job->id = *r->id;
    memcpy(job->user, who->user, sizeof job->user);
    memcpy(job->name, who->name, sizeof job->name);
    memcpy(*groups, who->groups, who->n_groups * sizeof who->groups[0]);
    job->groups = (const char(*)[GROUP_SIZE]) * groups;
    job->n_groups = who->n_groups;
    job->lapsed = r->lapsed;
    job->claimed = r->claimed;
    *groups += who->n_groups;
}

/* Return jobs for requests[0..n), or NULL if out of memory. */
static struct batch_jobs *open_jobs_new(struct open_service *s, struct open_request **requests,
                                        size_t n)
{
    size_t n_groups = 0;
    for (size_t i = 0; i < n; i++)
        n_groups += requests[i]->who->n_groups;
    struct batch_jobs *jobs =
        batch_jobs_new(batched_batch(s->batched), n, n_groups * sizeof(char[GROUP_SIZE]));
    char(*groups)[GROUP_SIZE] = jobs != NULL ? batch_jobs_extra(jobs) : NULL;
    for (size_t i = 0; jobs != NULL && i < n; i++)
        open_job_fill(batch_job(jobs, i), requests[i], &groups);
    return jobs;
}

void open_admitted(struct open_service *s, struct open_request **requests, size_t n,
                   int64_t deadline_us)
{
    struct batch *batch = batched_batch(s->batched);
    struct batch_jobs *jobs = open_jobs_new(s, requests, n);
    enum err err = jobs != NULL ? batch_submit(batch, jobs, deadline_us) : ERR_FAULT;
    for (size_t i = 0; i < n; i++) {
        const struct open_job *job = err == ERR_OK ? batch_job(jobs, i) : NULL;
        requests[i]->err = job != NULL ? job->base.err : err;
        requests[i]->replayed = job != NULL && job->replayed;
        if (job != NULL)
            requests[i]->answer = job->answer;
    }
    if (err == ERR_OK)
        batch_release(batch, jobs);
}

void open_now(struct open_service *s, struct open_request **requests, size_t n, int64_t deadline_us)
{
    struct open_request *admitted[BATCH_MAX];
    size_t count = 0;
    int64_t now_s = s->runtime->clock->wall_us(s->runtime->clock->self) / US_PER_S;
    for (size_t i = 0; i < n; i++) {
        struct open_request *r = requests[i];
        r->err = ticket_check(r->ticket, r->ticket_len, &s->runtime->ticket_keys,
                              s->runtime->generation, r->id, r->who->user, now_s);
        r->replayed = false;
        r->lapsed = r->claimed = r->err == ERR_TICKET_EXPIRED;
        if (r->err == ERR_OK || r->lapsed)
            admitted[count++] = r;
    }
    if (count > 0)
        open_admitted(s, admitted, count, deadline_us);
}
