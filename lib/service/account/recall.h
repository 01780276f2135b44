/* Recall: the sender of an envelope takes back what is left in it. */
#ifndef HONGBAO_SERVICE_ACCOUNT_RECALL_H
#define HONGBAO_SERVICE_ACCOUNT_RECALL_H

#include "lib/service/account/account.h"

/* Close envelope id now, if it is open, refund what is left to its sender, user, and publish its
 * end, by deadline_us (monotonic, microseconds). Store the envelope as it is then in *out, and set
 * *replayed: it was recalled before. An envelope that the last claim or its deadline closed first
 * is no error: closed_by of *out differs. ERR_NOT_FOUND; ERR_NOT_SENDER: user is not its sender;
 * ERR_LOCKED: it is frozen, or locked by another process; ERR_UNAVAILABLE: the database is away:
 * repeat the request; ERR_FAULT. */
MUST_USE enum err recall_envelope(const struct account_service *s, const char *user,
                                  const struct id *id, int64_t deadline_us, struct envelope *out,
                                  bool *replayed);

#endif
