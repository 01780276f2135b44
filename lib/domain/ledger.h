/* The ledger: double entry, one row moves an amount from one account to another. Pure.
 * Accounts: a user's id; "*world"; "*e:<32 hex>" for an envelope. Only users have a balance row. */
#ifndef HONGBAO_DOMAIN_LEDGER_H
#define HONGBAO_DOMAIN_LEDGER_H

#include "lib/base/id.h"
#include "lib/domain/limits.h"

enum transfer_kind {
    TRANSFER_TOPUP = 1,    /* world -> user; ref = reference */
    TRANSFER_WITHDRAW = 2, /* user -> world; ref = reference */
    TRANSFER_SEND = 3,     /* user -> envelope; ref = envelope id */
    TRANSFER_CLAIM = 4,    /* envelope -> user; ref = envelope id, seq (u32 big-endian) */
    TRANSFER_REFUND = 5    /* envelope -> user; ref = envelope id */
};

#define TRANSFER_REF_MAX REFERENCE_MAX

struct transfer {
    struct id id; /* its time is the value time at_us */
    enum transfer_kind kind;
    char user[USER_SIZE]; /* the side that has a balance row */
    uint8_t ref[TRANSFER_REF_MAX];
    size_t ref_len;      /* unique together with kind, for ever */
    int64_t amount_fen;  /* > 0 */
    int64_t at_us;       /* value time: of a claim, when it was opened */
    int64_t balance_fen; /* the user's after it, for topup and withdraw; else -1 */
};

/* +1 if the kind adds to the user's balance, -1 if it takes. */
int transfer_sign(enum transfer_kind kind);
const char *transfer_kind_name(enum transfer_kind kind); /* topup withdraw send claim refund */
/* The id that a claim's transfer will have: known before it is booked, so that records of pending
 * and booked claims share one order. The time of opened_us, the rest from SHA-256 of envelope and
 * seq. */
struct id transfer_claim_id(const struct id *envelope, uint32_t seq, int64_t opened_us);
/* Builds the one transfer of its kind; the ids of the others are made from at_us and rng. */
struct transfer transfer_for_send(const struct rng *rng, const char *user,
                                  const struct id *envelope, int64_t amount_fen, int64_t at_us);
struct transfer transfer_for_claim(const char *user, const struct id *envelope, uint32_t seq,
                                   int64_t amount_fen, int64_t opened_us);
struct transfer transfer_for_refund(const struct rng *rng, const char *user,
                                    const struct id *envelope, int64_t amount_fen, int64_t at_us);

#endif
