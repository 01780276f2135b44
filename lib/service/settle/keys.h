/* Deletes idempotency keys that are older than the setting idempotency_days. */
#ifndef HONGBAO_SERVICE_SETTLE_KEYS_H
#define HONGBAO_SERVICE_SETTLE_KEYS_H

#include "lib/service/common/clock_guard.h"

/* Delete one batch of expired keys over store, a session of the caller's thread, and commit; none
 * while guard, of any thread, does not trust the primary's clock. Set *again if there may be more.
 * ERR_UNAVAILABLE and the other errors of a store: nothing was deleted, or it is not known; *again
 * is then false. */
MUST_USE enum err keys_expire(const struct runtime *runtime, struct store *store,
                              const struct clock_guard *guard, bool *again);

#endif
