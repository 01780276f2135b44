/* The batch. A commit costs a disk flush whether it holds one row or sixty, so callers that arrive
 * while a transaction runs are gathered into the next one. Both the queue or batch and the caller
 * hold a reference to jobs, so a caller can leave at its deadline while its jobs are being run. */
#include "lib/service/common/batch.h"
#include "lib/store/store.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define REFERENCES 2 /* of the queue or batch, and of the caller */

enum jobs_state { JOBS_QUEUED, JOBS_RUNNING, JOBS_DONE };

struct batch_jobs {
    int64_t deadline_us;
    enum jobs_state state;
    unsigned references;
    pthread_cond_t changed;
    struct batch_jobs *next;
    size_t n, job_size;
    _Alignas(max_align_t) unsigned char memory[]; /* the jobs, then the extra bytes */
};

struct batch {
    struct batch_settings settings;
    const struct clock *clock;
    struct metrics *metrics;
    struct stall *stall;
    pthread_mutex_t lock; /* of all below; taken before the stall detector's */
    struct batch_jobs *head, *tail;
    bool leading[BATCH_LEADERS_MAX];
};

struct batch *batch_new(const struct batch_settings *settings, const struct clock *clock,
                        struct metrics *metrics, struct stall *stall)
{
    assert(settings->leaders >= 1 && settings->leaders <= BATCH_LEADERS_MAX);
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->settings = *settings;
    b->clock = clock;
    b->metrics = metrics;
    b->stall = stall;
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

void batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    assert(b->head == NULL);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

struct batch_jobs *batch_jobs_new(const struct batch *b, size_t n, size_t extra)
{
    assert(n >= 1 && n <= BATCH_MAX);
    struct batch_jobs *jobs = calloc(1, sizeof *jobs + n * b->settings.job_size + extra);
    if (jobs == NULL)
        return NULL;
    jobs->n = n;
    jobs->job_size = b->settings.job_size;
    jobs->references = REFERENCES;
    clock_condition(&jobs->changed);
    return jobs;
}

void *batch_job(struct batch_jobs *jobs, size_t i)
{
    assert(i < jobs->n);
    return jobs->memory + i * jobs->job_size;
}

void *batch_jobs_extra(struct batch_jobs *jobs)
{
    return jobs->memory + jobs->n * jobs->job_size;
}

/* Lock held. */
static void batch_unref(struct batch_jobs *jobs)
{
    assert(jobs->references > 0);
    if (--jobs->references > 0)
        return;
    pthread_cond_destroy(&jobs->changed);
    free(jobs);
}

static void batch_queue_push(struct batch *b, struct batch_jobs *jobs)
{
    if (b->tail == NULL)
        b->head = jobs;
    else
        b->tail->next = jobs;
    b->tail = jobs;
}

static void batch_queue_remove(struct batch *b, struct batch_jobs *jobs)
{
    struct batch_jobs *previous = NULL;
    for (struct batch_jobs *at = b->head; at != jobs; at = at->next)
        previous = at;
    if (previous == NULL)
        b->head = jobs->next;
    else
        previous->next = jobs->next;
    if (b->tail == jobs)
        b->tail = previous;
    jobs->next = NULL;
}

/* Return a leader that is free, or BATCH_LEADERS_MAX. */
static unsigned batch_free_leader(const struct batch *b)
{
    for (unsigned i = 0; i < b->settings.leaders; i++)
        if (!b->leading[i])
            return i;
    return BATCH_LEADERS_MAX;
}

/* Take what has waited longest, as far as it fits into one batch, and list its jobs. Return how
 * many entries of taken are filled; *n is the number of jobs. */
static size_t batch_take(struct batch *b, struct batch_jobs **taken, void **list, size_t *n,
                         int64_t *deadline_us)
{
    size_t count = 0;
    *n = 0;
    *deadline_us = INT64_MAX;
    while (b->head != NULL && *n + b->head->n <= BATCH_MAX) {
        struct batch_jobs *jobs = b->head;
        batch_queue_remove(b, jobs);
        jobs->state = JOBS_RUNNING;
        if (jobs->deadline_us < *deadline_us)
            *deadline_us = jobs->deadline_us;
        for (size_t i = 0; i < jobs->n; i++)
            list[(*n)++] = batch_job(jobs, i);
        taken[count++] = jobs;
    }
    return count;
}

/* Run one batch as leader, which has entered the stall detector. Called and returns with the lock
 * held; releases it in between. */
static void batch_lead(struct batch *b, unsigned leader)
{
    struct batch_jobs *taken[BATCH_MAX];
    void *list[BATCH_MAX];
    int64_t deadline_us;
    size_t n, count = batch_take(b, taken, list, &n, &deadline_us);
    b->leading[leader] = true;
    pthread_mutex_unlock(&b->lock);

    metrics_batch(b->metrics, b->settings.kind, (unsigned)n);
    enum err err = b->settings.run(b->settings.context, leader, list, n, deadline_us);
    stall_leave(b->stall, leader, stall_answered(err));

    pthread_mutex_lock(&b->lock);
    b->leading[leader] = false;
    for (size_t i = 0; i < count; i++) {
        taken[i]->state = JOBS_DONE;
        pthread_cond_signal(&taken[i]->changed);
        batch_unref(taken[i]);
    }
    if (b->head != NULL)
        pthread_cond_signal(&b->head->changed);
}

static void batch_wait(struct batch *b, struct batch_jobs *jobs, int64_t until_us)
{
    if (jobs->deadline_us < until_us)
        until_us = jobs->deadline_us;
    struct timespec until = {.tv_sec = until_us / US_PER_S,
                             .tv_nsec = until_us % US_PER_S * NS_PER_US};
    pthread_cond_timedwait(&jobs->changed, &b->lock, &until);
}

/* Lock held. Lead or follow until jobs are done. ERR_UNAVAILABLE: they are not, and the caller has
 * to leave; if they were still queued, they no longer are. */
static enum err batch_wait_done(struct batch *b, struct batch_jobs *jobs)
{
    while (jobs->state != JOBS_DONE) {
        int64_t until_us = INT64_MAX;
        bool queued = jobs->state == JOBS_QUEUED;
        bool late = b->clock->mono_us(b->clock->self) >= jobs->deadline_us;
        unsigned leader = queued ? batch_free_leader(b) : BATCH_LEADERS_MAX;
        bool refused =
            late || (queued && stall_blocks_queue(b->stall, b->settings.leaders, &until_us));
        if (!refused && leader < BATCH_LEADERS_MAX)
            refused = !stall_enter_leader(b->stall, leader);
        if (refused && queued) {
            batch_queue_remove(b, jobs);
            jobs->references--; /* the queue's */
        }
        if (refused)
            return ERR_UNAVAILABLE;
        if (leader < BATCH_LEADERS_MAX)
            batch_lead(b, leader);
        else
            batch_wait(b, jobs, until_us);
    }
    return ERR_OK;
}

enum err batch_submit(struct batch *b, struct batch_jobs *jobs, int64_t deadline_us)
{
    jobs->deadline_us = deadline_us;
    pthread_mutex_lock(&b->lock);
    batch_queue_push(b, jobs);
    enum err err = batch_wait_done(b, jobs);
    if (err != ERR_OK)
        batch_unref(jobs);
    pthread_mutex_unlock(&b->lock);
    return err;
}

void batch_release(struct batch *b, struct batch_jobs *jobs)
{
    pthread_mutex_lock(&b->lock);
    batch_unref(jobs);
    pthread_mutex_unlock(&b->lock);
}
