/* The text of the cache's items: the gate, a user's item, the envelope's record. Everything read
 * is checked; what does not parse or names another envelope or generation is no value. */
#ifndef HONGBAO_WIRE_GATE_VALUE_H
#define HONGBAO_WIRE_GATE_VALUE_H

#include "lib/base/err.h"
#include "lib/base/id.h"
#include "lib/domain/envelope.h"

#define GATE_KEY_SIZE 192
#define GATE_TEXT_SIZE 400
#define GATE_NONCES 3
#define VERSION_CLAIMS_MAX 4
#define VERSION_TEXT_SIZE 1600

enum gate_key { GATE_KEY_GATE, GATE_KEY_HOLD, GATE_KEY_UNKNOWN, GATE_KEY_VERSION };
/* "<envelope hex>/<kind letter>/<generation hex>": keys of one envelope begin alike, so that they
 * live on one server. out holds GATE_KEY_SIZE. */
void gate_key(char *out, enum gate_key kind, const uint8_t generation[16], const struct id *id);
void gate_user_key(char *out, const uint8_t generation[16], const struct id *id, const char *user);

struct gate {
    uint8_t generation[16];
    struct id id;
    uint64_t nonce; /* new with every write: a restarted memcached may repeat cas numbers */
    uint64_t before[GATE_NONCES]; /* of the last writes before that, newest first; 0: none */
    int64_t expires_us, shares;
    enum envelope_state state; /* STATE_OPEN, or final; a final one is never replaced */
    int64_t left;              /* 0..shares */
    bool restricted;           /* has `to`: the grab asks the primary who is admitted */
    bool guest;                /* the sender is a guest: only guests are admitted, and vice versa */
    int64_t refill_factor;     /* 1, 2, 4 .. 64 */
    int64_t refill_opened;     /* opened shares at the last refill; -1 never */
};
/* Writes the text (printable ASCII, no NUL needed by the cache but added); returns its length. */
size_t gate_write(char out[GATE_TEXT_SIZE], const struct gate *g);
/* False unless the text is exactly one well-formed gate of that envelope and generation with
 * 0 <= left <= shares. */
MUST_USE bool gate_read(struct gate *out, const char *text, size_t len,
                        const uint8_t generation[16], const struct id *id);

struct gate_version { /* of an envelope for anyone, as it is durably stored */
    int64_t version;
    bool guest; /* its sender is a guest */
    /* its newest claims, in order; each of them made one version, the last one this one */
    size_t n_claims;
    struct claim claims[VERSION_CLAIMS_MAX];
};
size_t gate_version_write(char out[VERSION_TEXT_SIZE], const struct gate_version *v,
                          const struct id *id);
MUST_USE bool gate_version_read(struct gate_version *out, const char *text, size_t len,
                                const struct id *id);

struct gate_user { /* what is known of one user and envelope */
    bool opened;
    int64_t amount_fen, seq, opened_us; /* opened */
    int64_t ticket_expires_s;           /* else: he was let in with a ticket until then */
};
size_t gate_user_write(char out[GATE_TEXT_SIZE], const struct gate_user *u, const struct id *id);
MUST_USE bool gate_user_read(struct gate_user *out, const char *text, size_t len,
                             const struct id *id);

#endif
