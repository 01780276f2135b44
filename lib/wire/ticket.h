/* A ticket of a grab: base64url(version 1 byte || expiry u32be seconds || first 24 bytes of
 * HMAC-SHA-256(key, "hongbao-ticket-1" || generation || envelope || expiry || user)). It is
 * stateless and useless to other users and in another generation. */
#ifndef HONGBAO_WIRE_TICKET_H
#define HONGBAO_WIRE_TICKET_H

#include "lib/base/err.h"
#include "lib/base/id.h"
#include "lib/domain/limits.h"
#include "lib/wire/token.h"

/* Write a ticket for user and envelope in generation that expires at expires_s (UTC seconds),
 * signed with the current key of keys, to out, which holds TICKET_SIZE bytes. */
void ticket_make(char *out, const struct secret_pair *keys, const uint8_t generation[16],
                 const struct id *envelope, const char *user, int64_t expires_s);
/* Check text[0..len) as a ticket of user for envelope in generation at now_s (UTC seconds), signed
 * with either key of keys. ERR_TICKET_EXPIRED if it is genuine but has expired, ERR_TICKET_INVALID
 * if it is anything else. */
MUST_USE enum err ticket_check(const char *text, size_t len, const struct secret_pair *keys,
                               const uint8_t generation[16], const struct id *envelope,
                               const char *user, int64_t now_s);

#endif
