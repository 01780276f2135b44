/* Recomputes the draws of closed envelopes, from the database or from a file. Pure. */
#ifndef HONGBAO_DOMAIN_DRAW_CHECK_H
#define HONGBAO_DOMAIN_DRAW_CHECK_H

#include "lib/domain/envelope.h"

struct draw_check {
    struct id id;
    enum envelope_mode mode;
    int64_t total_fen, shares;
    uint8_t seed[SEED_SIZE];
    struct draw_left left; /* before the next claim */
    int64_t next_seq;
    bool wrong; /* a draw, or the seed, is not what it should be */
};

/* Begin the check d of the closed envelope e, which may come from outside: its seed must be there
 * and be the one promised, or d->wrong is true. */
void draw_check_begin(struct draw_check *d, const struct envelope *e);
/* Check the claim with position seq and amount_fen: it must be the next one, and what the seed
 * draws, or d->wrong becomes true. */
void draw_check_claim(struct draw_check *d, int64_t seq, int64_t amount_fen);

#endif
