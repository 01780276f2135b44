/* A claim service on the fakes, beside the open service that it uses. Everything runs on the
 * caller's thread. */
#ifndef HONGBAO_TESTS_FAKE_CLAIMS_H
#define HONGBAO_TESTS_FAKE_CLAIMS_H

#include "lib/service/claim/claim.h"
#include "tests/fake/fake_batches.h"

/* One claim. */
struct fake_claiming {
    struct who who;
    struct id id;
    struct claim_request request; /* answered */
    bool deferred;                /* by the burst */
};

struct fake_claims {
    struct fake_batches b;
    struct claim_service *service;
    struct envelope e; /* stored, with its gate in the cache: 10 shares, 1000 fen, to anyone */
    struct fake_claiming cs[BATCH_MAX];
};

/* Make all of it. Aborts on failure. */
void fake_claims_init(struct fake_claims *f);
/* Free all of it, and fail the test if the books do not agree. */
void fake_claims_end(struct fake_claims *f);

/* Fill c: a claim by user on the envelope id. */
void fake_claiming_fill(struct fake_claiming *c, const struct id *id, const char *user);
/* Run the first n of cs as one burst, and then those that it has deferred. */
void fake_claims_burst(struct fake_claims *f, size_t n);
/* Claim, as cs[0]. */
struct claim_request *fake_claim(struct fake_claims *f, const struct id *id, const char *user);
/* Return true if c was answered with a claim, and it is stored as answered. */
bool fake_claiming_is_stored(struct fake_claims *f, const struct fake_claiming *c);
/* Return true if r was answered "sold out" or "expired", as end says, by whichever part. */
bool fake_claim_is_end(const struct claim_request *r, enum envelope_state end);
/* Return true if r was answered "busy" and when to come again. */
bool fake_claim_is_busy(const struct claim_request *r);

/* Return the shares left at the gate of e; -1: there is no valid gate. */
int64_t fake_claims_gate_left(struct fake_claims *f);
/* Write the gate of e with `left` shares into the cache. */
void fake_claims_put_gate(struct fake_claims *f, int64_t left);
/* Write the item of user at e into the cache. */
void fake_claims_put_user(struct fake_claims *f, const char *user, const struct user_value *u);
/* Let user open the next share of e in another process, which writes the user's item. */
struct claim fake_claims_elsewhere(struct fake_claims *f, const char *user);
/* Return how often the primary was asked about an envelope. */
unsigned fake_claims_asked(struct fake_claims *f);

#endif
