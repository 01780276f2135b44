/* Leader and followers: the jobs that wait in one process are run together. The first caller to
 * find a leader free leads: it takes up to BATCH_MAX jobs from the queue, runs them, wakes their
 * callers, and leaves the rest to the next. Thread-safe. */
#ifndef HONGBAO_SERVICE_COMMON_BATCH_H
#define HONGBAO_SERVICE_COMMON_BATCH_H

#include "lib/service/common/stall.h"
#include <stddef.h>

#define BATCH_LEADERS_MAX 4 /* the highest value of a pool's setting `leaders` */

struct batch;
struct batch_jobs; /* the jobs that one caller submits together, in one block of memory */

/* Run jobs[0..n), 1 <= n <= BATCH_MAX, in order of arrival; leave each with an answer. context is
 * that of the settings. leader, 0..leaders-1, names the resources to use: no two calls with the
 * same leader overlap. deadline_us is the earliest of all jobs (monotonic). Return ERR_OK if the
 * primary answered, else the error that shows it did not; the stall detector is given it. */
typedef enum err batch_run_fn(void *context, unsigned leader, void **jobs, size_t n,
                              int64_t deadline_us);

struct batch_settings {
    unsigned leaders; /* 1..BATCH_LEADERS_MAX, and slots of the stall detector */
    size_t job_size;  /* bytes of a job */
    enum metric_batch kind;
    batch_run_fn *run;
    void *context;
};

/* Create a batch. settings is copied; clock, metrics and stall must outlive it. Return NULL if out
 * of memory. */
struct batch *batch_new(const struct batch_settings *settings, const struct clock *clock,
                        struct metrics *metrics, struct stall *stall);

/* Free b. No job may be waiting or running. b may be NULL. */
void batch_free(struct batch *b);

/* Allocate n jobs, 1 <= n <= BATCH_MAX, and `extra` bytes that live as long as they do; all zero.
 * Return NULL if out of memory. The jobs belong to the caller until batch_submit. */
struct batch_jobs *batch_jobs_new(const struct batch *b, size_t n, size_t extra);

/* Return job i of jobs; suitably aligned for any type. */
void *batch_job(struct batch_jobs *jobs, size_t i);

/* Return the extra bytes of jobs. */
void *batch_jobs_extra(struct batch_jobs *jobs);

/* Queue jobs and wait until they have been run. ERR_OK: each job has its answer; read the answers,
 * then call batch_release. ERR_UNAVAILABLE: the primary has stalled, or deadline_us (monotonic) has
 * passed; the outcome is unknown, and jobs is no longer the caller's: do not read or release it. */
MUST_USE enum err batch_submit(struct batch *b, struct batch_jobs *jobs, int64_t deadline_us);

/* Drop the caller's reference to jobs after batch_submit returned ERR_OK. */
void batch_release(struct batch *b, struct batch_jobs *jobs);

#endif
