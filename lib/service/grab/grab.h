/* Grab: answered from the cache wherever possible; the database is asked under a cap. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_H
#define HONGBAO_SERVICE_GRAB_GRAB_H

#include "lib/service/grab/grab_batch.h"

struct grab_service;
/* threads: of the process; at most a quarter of them (at least 1) may wait for the database.
 * bursts: how many callers may be in grab_burst at once. */
struct grab_service *grab_service_new(const struct runtime *runtime, unsigned leaders,
                                      unsigned threads, unsigned bursts);
void grab_service_free(struct grab_service *s);

/* One grab; who and id must live until the call returns. */
struct grab_request {
    const struct who *who;
    const struct id *id;
    struct grab_work work; /* the service's own */
    /* out. ERR_OK: answer says grabbed (with a ticket), opened, busy, sold_out or expired.
     * ERR_NOT_FOUND, ERR_NOT_RECIPIENT, ERR_RATE_LIMITED (retry_after_s is set; never for an
     * envelope known to be closed), ERR_UNAVAILABLE. */
    enum err err;
    struct grab_answer answer;
    int64_t retry_after_s; /* of his rate limit */
};
/* Begins a request. True: it is answered already, for this process knows that the envelope has
 * closed. False: grab_burst or grab_wait has to. */
MUST_USE bool grab_begin(struct grab_service *s, struct grab_request *request);
/* Answers whatever the cache alone can answer of requests[0..n), 1 <= n <= BATCH_MAX. False in
 * answered[i]: grab_wait has to. burst: 0..bursts-1, one caller each. */
void grab_burst(struct grab_service *s, unsigned burst, struct grab_request **requests, size_t n,
                bool *answered);
/* Answers one that was begun, or that a burst left, with the primary's help. Thread-safe. */
void grab_wait(struct grab_service *s, struct grab_request *request, int64_t deadline_us);

#endif
