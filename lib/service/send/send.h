/* Send an envelope: deduct, envelope, seed, transfer and idempotency key in one transaction, shared
 * with the other sends that wait in this process; then gate and envelope item into the cache. */
#ifndef HONGBAO_SERVICE_SEND_SEND_H
#define HONGBAO_SERVICE_SEND_SEND_H

#include "lib/service/common/session_pool.h"

/* One send. Everything pointed to must live until the call returns. */
struct send_request {
    const struct who *who;
    uint8_t key_hash[32];  /* SHA-256 of user, route and Idempotency-Key */
    uint8_t body_hash[32]; /* SHA-256 of the members that were sent */
    enum err refused; /* error if the key is not known: a limit refuses the request; ERR_OK: none */
    enum envelope_mode mode;
    int64_t total_fen, shares, expires_in_s;
    const char *greeting;
    enum envelope_theme theme;
    bool has_expires_in;       /* it was sent; else it is the default */
    const char *greeting_sent; /* as sent; NULL: none was */
    enum recipients to_kind;
    const char *to;
    /* out. refused; ERR_OK: envelope is as it was when made, also for a repeated key, without the
     * seed. ERR_INSUFFICIENT_FUNDS, ERR_LIMIT_EXCEEDED (sent per day, or too many open envelopes),
     * ERR_IDEMPOTENCY_KEY_REUSED (another body), ERR_IDEMPOTENCY_IN_PROGRESS; ERR_LOCKED (another
     * process holds the account) and ERR_UNAVAILABLE: repeat the identical request; ERR_FAULT. */
    enum err err;
    bool too_many_open;       /* out: which limit ERR_LIMIT_EXCEEDED is */
    bool replayed;            /* out: the envelope was made by an earlier request with the key */
    struct envelope envelope; /* out */
};

struct send_service;

/* Create the service with `leaders` batch leaders, 1..BATCH_LEADERS_MAX, which are the first slots
 * of sessions. runtime and sessions must outlive it. Return NULL if out of memory. */
struct send_service *send_service_new(const struct runtime *runtime, struct session_pool *sessions,
                                      unsigned leaders);

/* Free s. No call may be in progress. s may be NULL. */
void send_service_free(struct send_service *s);

/* Answer requests[0..n), 1 <= n <= BATCH_MAX, in one transaction with others. Wait for it no longer
 * than until deadline_us (monotonic). Thread-safe. */
void send_now(struct send_service *s, struct send_request **requests, size_t n,
              int64_t deadline_us);

#endif
