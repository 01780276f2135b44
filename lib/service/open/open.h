/* Open: draw the amount of the next share and store the claim, in a transaction shared with the
 * other opens that wait in this process. Nothing is answered before the commit. */
#ifndef HONGBAO_SERVICE_OPEN_OPEN_H
#define HONGBAO_SERVICE_OPEN_OPEN_H

#include "lib/service/common/session_pool.h"

struct open_service;

/* Create the service with `leaders` batch leaders, 1..BATCH_LEADERS_MAX, which are the first slots
 * of sessions. runtime and sessions must outlive it. Return NULL if out of memory. */
struct open_service *open_service_new(const struct runtime *runtime, struct session_pool *sessions,
                                      unsigned leaders);

/* Free s. No call may be in progress. s may be NULL. */
void open_service_free(struct open_service *s);

/* One open. who and id must live until the call returns. */
struct open_request {
    const struct who *who;    /* in */
    const struct id *id;      /* in */
    char ticket[TICKET_SIZE]; /* in; need not be terminated */
    size_t ticket_len;        /* in */
    bool lapsed;  /* in of open_admitted: only an earlier claim or the end is answered */
    bool claimed; /* in of open_admitted: the user is thought to have a claim. A guess either way
                   * costs time only */
    /* out. ERR_OK: answer is opened (the same amount and seq each time), sold_out or expired.
     * ERR_TICKET_INVALID, ERR_TICKET_EXPIRED (a lapsed ticket still gives an earlier claim or the
     * end), ERR_NOT_FOUND, ERR_NOT_RECIPIENT; ERR_LOCKED (another process holds the envelope) and
     * ERR_UNAVAILABLE: repeat the identical request; ERR_FAULT. */
    enum err err;
    bool replayed;             /* out: answer is an earlier claim of the user */
    struct open_answer answer; /* out */
};

/* Answer requests[0..n), 1 <= n <= BATCH_MAX, in one transaction with others. Wait for it no longer
 * than until deadline_us (monotonic). Thread-safe. */
void open_now(struct open_service *s, struct open_request **requests, size_t n,
              int64_t deadline_us);

/* Answer requests[0..n), 1 <= n <= BATCH_MAX, of users that need no ticket: ignore it, and do not
 * return its errors, but for ERR_TICKET_EXPIRED if lapsed is set. Otherwise like open_now, waiting
 * until deadline_us (monotonic) at most. Thread-safe. */
void open_admitted(struct open_service *s, struct open_request **requests, size_t n,
                   int64_t deadline_us);

#endif
