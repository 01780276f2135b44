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

/* Back ends that are no subject of a wallet token, which has no space. */
#define BACKEND_OPERATOR "local operator" /* hongbaoctl */
#define BACKEND_GUESTS "demo guests"      /* the first balance of a guest */

struct transfer {
    struct id id; /* its time is at_us, to the millisecond */
    enum transfer_kind kind;
    char user[USER_SIZE]; /* the side that has a balance row */
    uint8_t ref[TRANSFER_REF_MAX];
    size_t ref_len;          /* unique together with kind and backend */
    char backend[USER_SIZE]; /* whose reference it is: a subject of wallet tokens or BACKEND_..;
                              * "": none, or a top-up or withdrawal that version 0.1 made */
    int64_t amount_fen;      /* > 0 */
    int64_t at_us;           /* value time: of a claim, when it was opened */
    int64_t balance_fen;     /* of the user after it, for top-ups and withdrawals; else -1 */
    int64_t booked_us;       /* when the balance changed; set by the store */
    int64_t entry;           /* 1, 2, 3 .. of the user in the order booked; set by the store */
};

/* Return +1 if a transfer of that kind adds to the user's balance, -1 if it subtracts. */
int transfer_sign(enum transfer_kind kind);
/* Return "topup", "withdraw", "send", "claim" or "refund" for kind, a static string; "unknown" for
 * any other number. */
const char *transfer_kind_name(enum transfer_kind kind);
/* Return the id of the transfer of claim seq of envelope, opened at opened_us. It is known before
 * the claim is credited, so that pending and credited claims have one order in the list of received
 * claims: the time of opened_us, and the rest from SHA-256 of the reference. The ledger is in order
 * of entry. */
struct id transfer_claim_id(const struct id *envelope, uint32_t seq, int64_t opened_us);
/* Return the transfer of amount_fen (> 0, asserted) from user to the new envelope at at_us, with an
 * id from rng. */
struct transfer transfer_for_send(const struct rng *rng, const char *user,
                                  const struct id *envelope, int64_t amount_fen, int64_t at_us);
/* Return the transfer that credits claim seq of envelope: amount_fen (> 0, asserted) to user,
 * opened at opened_us. */
struct transfer transfer_for_claim(const char *user, const struct id *envelope, uint32_t seq,
                                   int64_t amount_fen, int64_t opened_us);
/* Return the transfer that refunds amount_fen (> 0, asserted) of envelope to its sender user at
 * at_us, with an id from rng. */
struct transfer transfer_for_refund(const struct rng *rng, const char *user,
                                    const struct id *envelope, int64_t amount_fen, int64_t at_us);

#endif
