/* The draw "hongbao-1". Exactly fair: at every position the mean is remaining/left, with and
 * without a cap. Pure: the same seed, envelope and position always give the same amount. */
#ifndef HONGBAO_DOMAIN_DRAW_H
#define HONGBAO_DOMAIN_DRAW_H

#include "lib/base/id.h"
#include <stdint.h>

#define SEED_SIZE 32

enum envelope_mode { MODE_LUCKY = 1, MODE_EQUAL = 2 };

/* What is left before a draw. Asserted by the functions: left_shares >= 1 and
 * left_shares <= left_fen <= left_shares * cap_fen. */
struct draw_left {
    int64_t left_fen;
    int64_t left_shares;
    int64_t cap_fen;
};

/* The ranges of the two uniform numbers of a draw: t in t_low..t_high, v in 0..v_count-1. */
struct draw_range {
    int64_t t_low, t_high, v_count;
};
/* Return the ranges of t and v for left, with left->left_shares > 1 (asserted). */
struct draw_range draw_range(const struct draw_left *left);
/* Return the amount for t and v in their ranges: 1 + floor((t + v) / k), which with R fen and k
 * shares left is in max(1, R-(k-1)cap) .. min(cap, R-(k-1), floor(2R/k)). */
int64_t draw_amount(const struct draw_left *left, int64_t t, int64_t v);

/* Return the lucky amount, in fen, of position seq (1-based) of envelope id from the words of seed:
 * HMAC-SHA-256 of id || seq || counter; t first, then v, by rejection. The last position gets
 * everything that is left. */
int64_t draw_lucky(const uint8_t seed[SEED_SIZE], const struct id *id, uint32_t seq,
                   const struct draw_left *left);
/* Return the equal amount, in fen, of position seq (1..shares, asserted): total_fen / shares, and 1
 * more for the first total_fen mod shares positions. */
int64_t draw_equal(int64_t total_fen, int64_t shares, int64_t seq);

/* Write the hash that commits to seed before the draw to out: SHA-256("hongbao-1" || id || mode u8
 * || total_fen u64be || shares u32be || cap_fen u64be || seed). */
void draw_seed_hash(uint8_t out[32], const struct id *id, enum envelope_mode mode,
                    int64_t total_fen, int64_t shares, int64_t cap_fen,
                    const uint8_t seed[SEED_SIZE]);

#endif
