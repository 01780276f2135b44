/* Grab: answered from the cache wherever possible; the primary is asked under a cap. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_H
#define HONGBAO_SERVICE_GRAB_GRAB_H

#include "lib/service/common/session_pool.h"
#include "lib/service/grab/grab_batch.h"

struct grab_service;

/* Create the service. At most a quarter of `waiters` threads, but one at least, ask the primary at
 * once. Callers with a number below `acceptors` have memory of their own. runtime and sessions must
 * outlive the service. Return NULL if out of memory. */
struct grab_service *grab_service_new(const struct runtime *runtime, struct session_pool *sessions,
                                      unsigned waiters, unsigned acceptors);

/* Free s. No call may be in progress. s may be NULL. */
void grab_service_free(struct grab_service *s);

/* One grab. who and id must live until it is answered. */
struct grab_request {
    const struct who *who; /* in */
    const struct id *id;   /* in */
    struct grab_job job;   /* the service's own */
    /* out. ERR_OK: answer is grabbed (with a ticket), opened, busy, sold_out or expired.
     * ERR_NOT_FOUND, ERR_NOT_RECIPIENT, ERR_RATE_LIMITED (never for an envelope known to have
     * closed), ERR_UNAVAILABLE, ERR_FAULT. */
    enum err err;
    struct grab_answer answer; /* out */
    int64_t retry_after_s;     /* out, ERR_RATE_LIMITED: when the rate limit lets the user grab */
};

/* Answer what the process and the cache alone can answer of requests[0..n), 1 <= n <= BATCH_MAX, in
 * a fixed number of round trips to the cache, whatever n is. deferred[i] true: request i is not
 * answered, and grab_wait has to. acceptor: no two calls with the same number below the service's
 * `acceptors` overlap; any other number may be used by several threads. */
void grab_now(struct grab_service *s, unsigned acceptor, struct grab_request **requests, size_t n,
              bool *deferred);

/* Answer a request that grab_now has deferred, with the primary's help. Wait no longer than until
 * deadline_us (monotonic). Thread-safe. */
void grab_wait(struct grab_service *s, struct grab_request *request, int64_t deadline_us);

#endif
