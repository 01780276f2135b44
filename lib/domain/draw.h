/* The draw. Exactly fair: at every position the mean is remaining/left, with and without a cap.
 * Pure: the same seed, envelope and position give the same amount for ever. */
#ifndef HONGBAO_DOMAIN_DRAW_H
#define HONGBAO_DOMAIN_DRAW_H

#include "lib/base/err.h"
#include "lib/base/id.h"
#include <stdint.h>

#define SEED_SIZE 32

enum envelope_mode { MODE_LUCKY = 1, MODE_EQUAL = 2 };

/* What a position's amount is drawn from. Preconditions (asserted): left_shares >= 1,
 * left_shares <= left_fen <= left_shares * cap_fen. */
struct draw_left {
    int64_t left_fen;
    int64_t left_shares;
    int64_t cap_fen;
};

/* The ranges of the two uniform numbers for `left` with left_shares > 1: t in t_low..t_high,
 * v in 0..v_count-1. */
struct draw_range {
    int64_t t_low, t_high, v_count;
};
struct draw_range draw_range(const struct draw_left *left);
/* 1 + floor((t + v) / left_shares): in max(1, R-(k-1)cap) .. min(cap, R-(k-1), floor(2R/k)). */
int64_t draw_amount(const struct draw_left *left, int64_t t, int64_t v);

/* The lucky amount of position seq (1-based) of envelope id, from the seed's words (HMAC-SHA-256 of
 * id || seq || counter; t first, then v, by rejection). The last position takes all. */
int64_t draw_lucky(const uint8_t seed[SEED_SIZE], const struct id *id, uint32_t seq,
                   const struct draw_left *left);
/* The equal amount of position seq: total/shares, the first total mod shares get 1 fen more. */
int64_t draw_equal(int64_t total_fen, int64_t shares, int64_t seq);

/* SHA-256("hongbao-1" || id || mode u8 || total u64be || shares u32be || cap u64be || seed). */
void draw_seed_hash(uint8_t out[32], const struct id *id, enum envelope_mode mode,
                    int64_t total_fen, int64_t shares, int64_t cap_fen,
                    const uint8_t seed[SEED_SIZE]);

#endif
