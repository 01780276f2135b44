/* The parts of a token whose signature is known; for token.c only. */
#ifndef HONGBAO_WIRE_TOKEN_MEMBERS_H
#define HONGBAO_WIRE_TOKEN_MEMBERS_H

#include "lib/wire/token.h"

/* Check the header text[0..len), a JSON text: set *reason to TOKEN_GOOD, TOKEN_MALFORMED,
 * TOKEN_ALGORITHM or TOKEN_CRITICAL. ERR_FAULT if there is no memory. */
MUST_USE enum err token_read_header(const char *text, size_t len, enum token_reason *reason);
/* Check the payload text[0..len), a JSON text signed by a key of verdict->kind, against keys and
 * now_s, and fill *who and the rest of *verdict. ERR_FAULT if there is no memory. */
MUST_USE enum err token_read_payload(const struct token_keys *keys, const char *text, size_t len,
                                     int64_t now_s, struct who *who, struct token_verdict *verdict);

#endif
