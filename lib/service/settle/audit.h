/* The audit: every invariant on one snapshot, by a user that can only read. It repairs nothing. */
#ifndef HONGBAO_SERVICE_SETTLE_AUDIT_H
#define HONGBAO_SERVICE_SETTLE_AUDIT_H

#include "lib/store/audit.h"

#define AUDIT_RESULTS_MAX 32

struct audit_result {
    struct audit_rule rule;
    struct audit_count count;
};
/* Begin a snapshot of s with since_us and key, as audit_session_begin takes them; check all
 * rules in a fixed order, fill results and set *n. After an error, one of store.h, only the first
 * *n - 1 results are valid. */
MUST_USE enum err audit_run(struct audit_session *s, int64_t since_us, const uint8_t *key,
                            struct audit_result results[AUDIT_RESULTS_MAX], size_t *n);
/* Recompute the draws of envelope id, or of all envelopes if id is NULL, that are closed, in the
 * snapshot of s: the seed against its hash, and every amount. Fill *out; its rows counts envelopes
 * and is 0 if there is no such closed envelope. */
MUST_USE enum err audit_draws(struct audit_session *s, const struct id *id,
                              struct audit_count *out);

#endif
