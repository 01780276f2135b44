/* Limits the number of guests and ends those that are idle. */
#ifndef HONGBAO_SERVICE_ACCOUNT_GUESTS_H
#define HONGBAO_SERVICE_ACCOUNT_GUESTS_H

#include "lib/service/account/account.h"

/* How long a guest's token is valid, and how long a guest must have been idle to be ended. */
#define GUEST_DAYS 30

/* Return ERR_OK if there may be one more guest, ERR_LIMIT_EXCEEDED if there are as many as the
 * setting limits.guests, or an error of the store, a session of the caller's thread. Thread-safe.
 */
MUST_USE enum err guests_admit(const struct runtime *runtime, struct store *store);

/* End guests without transfers for GUEST_DAYS before now_us (the primary's time), pending credits
 * or open envelopes, a batch of them behind user id `after` in key order: withdraw their play money
 * and clear their names. Their transfers stay. Store the last one looked at in `after`, "" after
 * the end, and set *again if there may be more. `store` is a session of the caller's thread;
 * transactions use sessions of s. ERR_UNAVAILABLE and other errors of the store: some were ended.
 */
MUST_USE enum err guests_end_idle(const struct account_service *s, struct store *store,
                                  int64_t now_us, char after[USER_SIZE], bool *again);

#endif
