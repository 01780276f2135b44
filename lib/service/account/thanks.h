/* Thanks: a user that has opened a share thanks the sender with one word of a fixed set, which is
 * shown with the claim. */
#ifndef HONGBAO_SERVICE_ACCOUNT_THANKS_H
#define HONGBAO_SERVICE_ACCOUNT_THANKS_H

#include "lib/service/account/account.h"

/* Store thanks, not THANKS_NONE, with the claim of user on envelope id, in place of earlier ones,
 * by deadline_us (monotonic, microseconds), and publish the new version of the envelope. Store the
 * claim in *out. *replayed: the claim had these thanks before, and nothing has changed.
 * ERR_NOT_FOUND; ERR_NOT_OPENED: the user has no share of it; ERR_UNAVAILABLE: repeat the request;
 * ERR_FAULT. */
MUST_USE enum err thanks_give(const struct account_service *s, const char *user,
                              const struct id *id, enum claim_thanks thanks, int64_t deadline_us,
                              struct claim *out, bool *replayed);

#endif
