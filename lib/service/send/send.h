/* Send an envelope: deduct, envelope, seed, journal and idempotency key in one transaction, shared
 * with the sends that wait in the same process; then record and gate into the cache. */
#ifndef HONGBAO_SERVICE_SEND_SEND_H
#define HONGBAO_SERVICE_SEND_SEND_H

#include "lib/service/common/runtime.h"

/* One send; everything pointed to must live until the call returns. */
struct send_request {
    const struct who *who;
    uint8_t key_hash[32];  /* SHA-256 of user, route and Idempotency-Key */
    uint8_t body_hash[32]; /* SHA-256 of the request in canonical form */
    enum envelope_mode mode;
    int64_t total_fen, shares, expires_in_s;
    const char *greeting;
    enum recipients to_kind;
    const char *to;
    /* out. ERR_OK: envelope is as it was at birth, also for a repeated key (without the seed).
     * ERR_INSUFFICIENT_FUNDS, ERR_LIMIT_EXCEEDED (sent per day), ERR_IDEMPOTENCY_KEY_REUSED
     * (another body), ERR_IDEMPOTENCY_IN_PROGRESS, ERR_UNAVAILABLE (repeat the identical request).
     */
    enum err err;
    struct envelope envelope;
};
struct send_service;
struct send_service *send_service_new(const struct runtime *runtime, unsigned leaders);
void send_service_free(struct send_service *s);
/* Answers requests[0..n), 1 <= n <= BATCH_MAX. Thread-safe. */
void send_envelopes(struct send_service *s, struct send_request **requests, size_t n,
                    int64_t deadline_us);

#endif
