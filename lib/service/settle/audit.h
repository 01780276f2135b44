/* The auditor: every invariant on one snapshot, by a user that can only read. It repairs nothing.
 */
#ifndef HONGBAO_SERVICE_SETTLE_AUDIT_H
#define HONGBAO_SERVICE_SETTLE_AUDIT_H

#include "lib/store/audit.h"

#define AUDIT_RESULTS_MAX 32

struct audit_result {
    struct audit_rule rule;
    struct audit_count count;
};
/* Checks all; *n results, in a fixed order. An error means that not all could be asked. */
MUST_USE enum err audit_run(struct audit_session *s, struct audit_result results[AUDIT_RESULTS_MAX],
                            size_t *n);
/* Recomputes the draws of all closed envelopes, or of one: seed against hash, and every amount.
 * rows counts envelopes; 0 if there is no such closed envelope. */
MUST_USE enum err audit_draws(struct audit_session *s, const struct id *id,
                              struct audit_count *out);

#endif
