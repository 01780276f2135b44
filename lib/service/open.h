/* Open: the amount is drawn and the claim stored in one transaction, shared with the opens that
 * wait in the same process. Never an answer before the commit. */
#ifndef HONGBAO_SERVICE_OPEN_H
#define HONGBAO_SERVICE_OPEN_H

#include "lib/service/env.h"

struct open_service;
struct open_service *open_service_new(const struct env *env, unsigned leaders);
void open_service_free(struct open_service *s);
/* ERR_OK: opened (the same amount and seq however often it is asked), sold_out or expired.
 * ERR_TICKET_INVALID, ERR_TICKET_EXPIRED (looked at in the order forged, own claim, closed,
 * lapsed), ERR_NOT_FOUND, ERR_NOT_RECIPIENT, ERR_UNAVAILABLE (repeat the identical request).
 * Thread-safe. */
MUST_USE enum err open_envelope(struct open_service *s, const struct who *who, const struct id *id,
                                const char *ticket, size_t ticket_len, int64_t deadline_us,
                                struct open_answer *out);

#endif
