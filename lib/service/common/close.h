/* Close envelopes under their lock, and refund what is left, exactly once. */
#ifndef HONGBAO_SERVICE_COMMON_CLOSE_H
#define HONGBAO_SERVICE_COMMON_CLOSE_H

#include "lib/service/common/clock_guard.h"

struct close_due_result {
    size_t closed;   /* envelopes closed by this call */
    int64_t late_us; /* how long ago the first of them was due, in microseconds */
};

/* Close over store envelopes that are past due, some hundreds at most, and publish their ends, as
 * far as guard, of the caller's thread, trusts the primary's clock. Fill *done. cache may be NULL.
 * Return ERR_OK, or the error that ended the round; what is left is due in the next one. No
 * transaction is left open. */
MUST_USE enum err close_due(const struct runtime *runtime, struct store *store, struct cache *cache,
                            struct clock_guard *guard, struct close_due_result *done);

/* Close envelope id over store now, due or not, and publish its end. by is stored as what closed
 * it, but for a recall after the deadline, which counts as the deadline's. Set *found, and
 * *envelope to its state after. cache may be NULL. Wait for its lock as long as the session waits
 * for any, but briefly for CLOSER_DEADLINE. ERR_LOCKED: it is frozen, damaged or locked by another
 * process; nothing is closed. ERR_UNAVAILABLE: the primary is away; whether it is closed is
 * unknown. No transaction is left open. */
MUST_USE enum err close_envelope(const struct runtime *runtime, struct store *store,
                                 struct cache *cache, const struct id *id, enum envelope_closer by,
                                 bool *found, struct envelope *envelope);

#endif
