/* Claim: grab and open in one request. Admission decides whether the user may try for a share, as
 * for a grab; requests admitted go into the batched open without a ticket. */
#ifndef HONGBAO_SERVICE_CLAIM_CLAIM_H
#define HONGBAO_SERVICE_CLAIM_CLAIM_H

#include "lib/service/grab/admission.h"
#include "lib/service/open/open.h"

struct claim_service;

/* Create the service on `open`, the open service of the process. waiters and acceptors are those of
 * admission_new. runtime, sessions and open must outlive it. Return NULL if out of memory. */
struct claim_service *claim_service_new(const struct runtime *runtime,
                                        struct session_pool *sessions, struct open_service *open,
                                        unsigned waiters, unsigned acceptors);

/* Free s. No call may be in progress. s may be NULL. */
void claim_service_free(struct claim_service *s);

/* One claim. who and id must live until it is answered. */
struct claim_request {
    const struct who *who;    /* in */
    const struct id *id;      /* in */
    struct grab_job job;      /* the service's own */
    struct open_request open; /* the service's own */
    /* out. ERR_OK: the answer is open.answer (opened, sold_out or expired) if `tried` is set, else
     * job.answer (busy, sold_out or expired). Otherwise an error of admission_wait or
     * open_admitted; after ERR_LOCKED and ERR_UNAVAILABLE, repeat the identical request. */
    enum err err;
    bool tried;            /* out */
    int64_t retry_after_s; /* out, ERR_RATE_LIMITED: when the rate allows the claim */
};

/* Answer requests[0..n), 1 <= n <= BATCH_MAX: a fixed number of round trips to the cache, then one
 * transaction with others for those admitted. deferred[i] true: request i needs the primary before
 * it can be admitted and is not answered; claim_wait has to. acceptor is as for admission_now. Wait
 * for the transaction no longer than until deadline_us (monotonic). */
void claim_now(struct claim_service *s, unsigned acceptor, struct claim_request **requests,
               size_t n, int64_t deadline_us, bool *deferred);

/* Answer a request that claim_now has deferred. Wait no longer than until deadline_us (monotonic).
 * Thread-safe. */
void claim_wait(struct claim_service *s, struct claim_request *request, int64_t deadline_us);

#endif
