/* Text of the gate of an envelope: how many shares may still be handed out, or the final state. */
#ifndef HONGBAO_WIRE_GATE_VALUE_H
#define HONGBAO_WIRE_GATE_VALUE_H

#include "lib/base/err.h"
#include "lib/domain/envelope.h"

#define GATE_TEXT_SIZE 400
#define GATE_NONCES 3
#define GATE_FACTOR_MAX 64

struct gate {
    uint8_t generation[16];
    struct id id;
    uint64_t nonce; /* new with every write: a restarted memcached may repeat cas numbers */
    uint64_t before[GATE_NONCES]; /* nonces of earlier writes, newest first; 0: none */
    int64_t expires_us, shares;
    enum envelope_state state; /* STATE_OPEN, or final; a final state is never replaced */
    int64_t left;              /* 0..shares */
    bool restricted;           /* has recipients: the grab must check the user */
    bool guest;                /* the sender is a guest: only guests are admitted, and vice versa */
    int64_t refill_factor;     /* 1, 2, 4 .. GATE_FACTOR_MAX */
    int64_t refill_opened;     /* opened shares at the last refill; -1 never */
};

/* Write *g to out as printable ASCII and a NUL. Return its length without the NUL. */
size_t gate_write(char out[GATE_TEXT_SIZE], const struct gate *g);
/* Read text[0..len) into *out. Return false, with *out unchanged, unless it is exactly one
 * well-formed gate of envelope id in generation with 0 <= left <= shares. */
MUST_USE bool gate_read(struct gate *out, const char *text, size_t len,
                        const uint8_t generation[16], const struct id *id);

#endif
