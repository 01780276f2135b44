/* A grab's ticket: base64url(version 1 byte || expiry u32be seconds || first 24 bytes of
 * HMAC-SHA-256(key, "hongbao-ticket-1" || generation || envelope || expiry || user)). No state;
 * worthless to others and in another generation. */
#ifndef HONGBAO_WIRE_TICKET_H
#define HONGBAO_WIRE_TICKET_H

#include "lib/base/err.h"
#include "lib/base/id.h"
#include "lib/domain/limits.h"
#include "lib/wire/token.h"

/* Signed with the pair's current key. out holds TICKET_SIZE. */
void ticket_make(char *out, const struct secret_pair *keys, const uint8_t generation[16],
                 const struct id *envelope, const char *user, int64_t expires_s);
/* ERR_OK; ERR_TICKET_EXPIRED: genuine, but lapsed at now_s; ERR_TICKET_INVALID: anything else. */
MUST_USE enum err ticket_check(const char *text, size_t len, const struct secret_pair *keys,
                               const uint8_t generation[16], const struct id *envelope,
                               const char *user, int64_t now_s);

#endif
