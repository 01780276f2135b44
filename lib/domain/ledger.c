#include "lib/domain/ledger.h"
#include <assert.h>
#include <string.h>

int transfer_sign(enum transfer_kind kind)
{
    return kind == TRANSFER_WITHDRAW || kind == TRANSFER_SEND ? -1 : 1;
}

const char *transfer_kind_name(enum transfer_kind kind)
{
    static const char *const names[] = {"", "topup", "withdraw", "send", "claim", "refund"};
    return names[kind];
}

static struct transfer transfer_for_envelope(const struct rng *rng, enum transfer_kind kind,
                                             const char *user, const struct id *envelope,
                                             int64_t amount_fen, int64_t at_us)
{
    assert(amount_fen > 0 && strlen(user) < USER_SIZE);
    struct transfer t = {.kind = kind, .amount_fen = amount_fen, .at_us = at_us, .balance_fen = -1};
    t.id = id_make(rng, at_us, 0);
    memcpy(t.user, user, strlen(user));
    memcpy(t.ref, envelope->b, ID_SIZE);
    t.ref_len = ID_SIZE;
    return t;
}

struct transfer transfer_for_send(const struct rng *rng, const char *user,
                                  const struct id *envelope, int64_t amount_fen, int64_t at_us)
{
    return transfer_for_envelope(rng, TRANSFER_SEND, user, envelope, amount_fen, at_us);
}

struct transfer transfer_for_claim(const struct rng *rng, const char *user,
                                   const struct id *envelope, uint32_t seq, int64_t amount_fen,
                                   int64_t opened_us)
{
    struct transfer t =
        transfer_for_envelope(rng, TRANSFER_CLAIM, user, envelope, amount_fen, opened_us);
    for (int i = 3; i >= 0; i--, seq >>= 8)
        t.ref[ID_SIZE + i] = (uint8_t)seq;
    t.ref_len = ID_SIZE + 4;
    return t;
}

struct transfer transfer_for_refund(const struct rng *rng, const char *user,
                                    const struct id *envelope, int64_t amount_fen, int64_t at_us)
{
    return transfer_for_envelope(rng, TRANSFER_REFUND, user, envelope, amount_fen, at_us);
}
