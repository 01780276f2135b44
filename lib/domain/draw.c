/* Integers only: the draw is part of the public protocol and must give the same result everywhere.
 */
#include "lib/domain/draw.h"
#include "lib/base/crypto.h"
#include <assert.h>
#include <string.h>

/* With R fen and k shares left, S = R-k is the sum above the minimum of 1 fen each. t is uniform
 * in S-w..S+w and v in 0..k-1, so (t+v)/k rounded down has the mean S/k exactly: t averages S, and
 * the floor over all v of (t+v)/k averages t/k. w is as large as the bounds allow. */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct draw_range draw_range(const struct draw_left *left)
{
    int64_t total = left->left_fen, k = left->left_shares, cap = left->cap_fen;
    assert(k > 1 && k <= total && total <= k * cap);
    int64_t above = total - k;
    int64_t low = total - (k - 1) * cap > 1 ? total - (k - 1) * cap : 1;
    int64_t high = least(cap, total - (k - 1));
    int64_t width = least(above - k * (low - 1), k * (high - 1) - above);
    return (struct draw_range){.t_low = above - width, .t_high = above + width, .v_count = k};
}

int64_t draw_amount(const struct draw_left *left, int64_t t, int64_t v)
{
    return 1 + (t + v) / left->left_shares;
}

/* The stream of words derived from the seed for one position. */
struct words {
    const uint8_t *seed;
    uint8_t message[ID_SIZE + 8];
    uint32_t counter;
    size_t used; /* bytes of block */
    uint8_t block[32];
};

static void put_u32(uint8_t *out, uint32_t n)
{
    for (int i = 3; i >= 0; i--, n >>= 8)
        out[i] = (uint8_t)n;
}

static void put_u64(uint8_t *out, uint64_t n)
{
    for (int i = 7; i >= 0; i--, n >>= 8)
        out[i] = (uint8_t)n;
}

static uint64_t next_word(struct words *w)
{
    if (w->used == sizeof w->block) {
        put_u32(w->message + ID_SIZE + 4, w->counter++);
        hash_hmac256(w->block, w->seed, w->message, sizeof w->message);
        w->used = 0;
    }
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word = word << 8 | w->block[w->used++];
    return word;
}

/* Return a uniform number in 0..n-1: words >= 2^64 - (2^64 mod n) are rejected. */
static int64_t word_below(struct words *w, int64_t n)
{
    uint64_t bound = (uint64_t)n;
    uint64_t excess = (UINT64_MAX % bound + 1) % bound;
    uint64_t word;
    do
        word = next_word(w);
    while (excess != 0 && word >= UINT64_MAX - excess + 1);
    return (int64_t)(word % bound);
}

int64_t draw_lucky(const uint8_t seed[SEED_SIZE], const struct id *id, uint32_t seq,
                   const struct draw_left *left)
{
    assert(left->left_shares >= 1 && left->left_shares <= left->left_fen &&
           left->left_fen <= left->left_shares * left->cap_fen);
    if (left->left_shares == 1)
        return left->left_fen;
    struct words w = {.seed = seed, .used = sizeof w.block};
    memcpy(w.message, id->b, ID_SIZE);
    put_u32(w.message + ID_SIZE, seq);
    struct draw_range range = draw_range(left);
    int64_t t = range.t_low + word_below(&w, range.t_high - range.t_low + 1);
    int64_t v = word_below(&w, range.v_count);
    bytes_wipe(&w, sizeof w);
    return draw_amount(left, t, v);
}

int64_t draw_equal(int64_t total_fen, int64_t shares, int64_t seq)
{
    assert(shares >= 1 && seq >= 1 && seq <= shares && total_fen >= shares);
    return total_fen / shares + (seq <= total_fen % shares ? 1 : 0);
}

void draw_seed_hash(uint8_t out[32], const struct id *id, enum envelope_mode mode,
                    int64_t total_fen, int64_t shares, int64_t cap_fen,
                    const uint8_t seed[SEED_SIZE])
{
    static const char prefix[] = "hongbao-1";
    uint8_t message[sizeof prefix - 1 + ID_SIZE + 1 + 8 + 4 + 8 + SEED_SIZE], *p = message;
    memcpy(p, prefix, sizeof prefix - 1);
    p += sizeof prefix - 1;
    memcpy(p, id->b, ID_SIZE);
    p += ID_SIZE;
    *p++ = (uint8_t)mode;
    put_u64(p, (uint64_t)total_fen);
    put_u32(p + 8, (uint32_t)shares);
    put_u64(p + 12, (uint64_t)cap_fen);
    memcpy(p + 20, seed, SEED_SIZE);
    hash_sha256(out, message, sizeof message);
    bytes_wipe(message, sizeof message);
}
