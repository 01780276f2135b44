/* Money in and out (wallet tokens, hongbaoctl) and guests (demo). One transaction each. */
#ifndef HONGBAO_SERVICE_ACCOUNT_WALLET_H
#define HONGBAO_SERVICE_ACCOUNT_WALLET_H

#include "lib/service/common/runtime.h"

struct wallet_request {
    enum transfer_kind kind; /* TOPUP or WITHDRAW */
    const char *user, *reference;
    int64_t amount_fen;
    bool has_key;
    uint8_t key_hash[32], body_hash[32];
};
/* Moves the money once per (kind, reference): the same user and amount again gives the first
 * answer, another body ERR_REFERENCE_REUSED; a key with another body ERR_IDEMPOTENCY_KEY_REUSED;
 * ERR_INSUFFICIENT_FUNDS; ERR_RANGE is shown as ERR_LIMIT_EXCEEDED (balance over AMOUNT_MAX_FEN);
 * ERR_UNAVAILABLE. store: a session of the caller's thread. */
MUST_USE enum err wallet_move(const struct runtime *runtime, struct store *store,
                              const struct wallet_request *request, struct transfer *out);
/* A new guest: user id "guest:<random>", name (given, or a default made from the id), the
 * configured demo balance. */
MUST_USE enum err wallet_guest(const struct runtime *runtime, struct store *store, const char *name,
                               struct account *out);

#endif
