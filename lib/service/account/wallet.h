/* Money in and out, by a back end's wallet token or hongbaoctl, and the accounts of guests (demo).
 * Each call is one transaction. */
#ifndef HONGBAO_SERVICE_ACCOUNT_WALLET_H
#define HONGBAO_SERVICE_ACCOUNT_WALLET_H

#include "lib/domain/views.h"
#include "lib/service/account/account.h"

struct wallet_request {
    enum transfer_kind kind; /* TRANSFER_TOPUP or TRANSFER_WITHDRAW */
    const char *user, *reference;
    const char *backend; /* whose reference it is: the subject of its wallet token, or BACKEND_.. */
    int64_t amount_fen;
    enum err refused;      /* error if neither key nor reference is known: a setting refuses the
                            * move; ERR_OK: none */
    bool must_exist;       /* open no account: ERR_NOT_FOUND if there is none */
    bool has_key;          /* an Idempotency-Key was sent: the hashes are set */
    uint8_t key_hash[32];  /* SHA-256 of user, route and Idempotency-Key */
    uint8_t body_hash[32]; /* SHA-256 of the request in canonical form */
};

/* Move the money of request once per (kind, back end, reference), by deadline_us, and store the
 * transfer in *out. A repeat with the same user and amount returns the first transfer and sets
 * *replayed, which is false otherwise. What version 0.1 booked has no back end: a reference that
 * was used then counts for every back end. ERR_REFERENCE_REUSED:
 * the reference has another user or amount; ERR_IDEMPOTENCY_KEY_REUSED: the key has another body;
 * request->refused; ERR_IDEMPOTENCY_IN_PROGRESS: an equal request is running;
 * ERR_INSUFFICIENT_FUNDS; ERR_LIMIT_EXCEEDED: the balance would pass AMOUNT_MAX_FEN; ERR_LOCKED:
 * another transaction holds the account; ERR_UNAVAILABLE: repeat the identical request. */
MUST_USE enum err wallet_move(const struct account_service *s, const struct wallet_request *request,
                              int64_t deadline_us, struct transfer *out, bool *replayed);

/* Create a guest, by deadline_us, and store the account in *out: user id "guest:<random>", name as
 * given, or one made from the id if it is "", and the configured demo balance. ERR_UNAVAILABLE:
 * call again; an account that was created all the same stays unused. */
MUST_USE enum err wallet_guest(const struct account_service *s, const char *name,
                               int64_t deadline_us, struct account *out);

#endif
