/* Text of a user item: what is known of one user and envelope. */
#ifndef HONGBAO_WIRE_USER_VALUE_H
#define HONGBAO_WIRE_USER_VALUE_H

#include "lib/base/err.h"
#include "lib/domain/envelope.h"

#define USER_TEXT_SIZE 128

struct user_value {
    bool opened;                        /* the user has a claim */
    int64_t amount_fen, seq, opened_us; /* if opened */
    int64_t ticket_expires_s;           /* if not: expiry of the ticket that the user was given */
};

/* Write *u, of envelope id, to out as printable ASCII and a NUL: "o1 <id hex> <amount> <seq>
 * <opened_us>" or "t1 <id hex> <expires_s>". Return its length without the NUL. */
size_t user_value_write(char out[USER_TEXT_SIZE], const struct user_value *u, const struct id *id);
/* Read text[0..len) into *out. Return false, with *out unchanged, unless it is exactly one
 * well-formed user item of envelope id. */
MUST_USE bool user_value_read(struct user_value *out, const char *text, size_t len,
                              const struct id *id);

#endif
