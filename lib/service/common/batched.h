/* A batched operation: the shell that open and send share. Requests become jobs; the jobs of a
 * batch that repeat each other become one row; the rows run as one transaction, which is retried as
 * its errors demand; repeats are given the answer of the job they repeat. Thread-safe. */
#ifndef HONGBAO_SERVICE_COMMON_BATCHED_H
#define HONGBAO_SERVICE_COMMON_BATCHED_H

#include "lib/service/common/batch.h"
#include "lib/service/common/session_pool.h"

/* The first member of every job. */
struct batched_job {
    enum err err; /* how the job ended; ERR_OK: it has an answer */
};

struct batched_ops {
    enum metric_batch kind;
    size_t job_size;

    /* Create what one leader needs to run a transaction: session is its own, and runtime is that of
     * the service; both outlive it. Return NULL if out of memory. */
    void *(*leader_new)(const struct runtime *runtime, struct session *session);
    /* Free a leader. leader may be NULL. */
    void (*leader_free)(void *leader);

    /* Return true if job repeats `first`, so that one row does for both; take over into `first`
     * what it has to know of job. Both are jobs. */
    bool (*merge)(void *first, const void *job);
    /* Give job, which repeats `first`, the answer of `first`, error included. */
    void (*answer_repeat)(void *job, const void *first);

    /* Run jobs[0..n) as one transaction with the resources of `leader`: run of retry_ops, whose
     * rows are jobs. nowait: return ERR_LOCKED instead of waiting for a locked row. */
    enum err (*run)(void *leader, void **jobs, size_t n, bool nowait);
    /* Return the number of the lock that job needs: lock_of of retry_ops. */
    uint64_t (*lock_of)(const void *job);

    /* Finish jobs[0..n), which have been run or refused, outside the transaction. */
    void (*finish)(void *leader, void **jobs, size_t n);
};

struct batched;

/* Create a batched operation with `leaders` leaders, which are the first slots of sessions.
 * runtime, sessions and ops must outlive it. Return NULL if out of memory. */
struct batched *batched_new(const struct runtime *runtime, struct session_pool *sessions,
                            unsigned leaders, const struct batched_ops *ops);

/* Free b. No job may be waiting or running. b may be NULL. */
void batched_free(struct batched *b);

/* Return the batch of b: for batch_jobs_new, batch_submit and batch_release. */
struct batch *batched_batch(struct batched *b);

#endif
