/* The draw against a reference that is slow and obvious: bounds found by search, numbers by 128-bit
 * arithmetic. Input: seed (32), id (16), mode, cap, shares, then what makes up the total. All
 * positions are drawn. */
#include "lib/base/crypto.h"
#include "lib/domain/envelope.h"
#include "tests/fuzz/fuzz.h"

#define SHARES_MAX 40
__extension__ typedef unsigned __int128 wide; /* holds 2^64 */

struct reference {
    const uint8_t *seed;
    uint8_t message[24];
    unsigned words; /* used so far, of all blocks */
};

static uint64_t reference_word(struct reference *r)
{
    uint8_t block[32];
    uint64_t word = 0;
    unsigned counter = r->words / 4, at = r->words % 4;
    r->message[20] = r->message[21] = r->message[22] = 0;
    r->message[23] = (uint8_t)counter;
    FUZZ_CHECK(counter < 256);
    hash_hmac256(block, r->seed, r->message, sizeof r->message);
    for (unsigned i = 0; i < 8; i++)
        word = word * 256 + block[8 * at + i];
    r->words++;
    return word;
}

static int64_t reference_below(struct reference *r, int64_t n)
{
    wide all = (wide)1 << 64, bound = (wide)n;
    wide limit = all - all % bound;
    for (;;) {
        wide word = reference_word(r);
        if (word < limit)
            return (int64_t)(word % bound);
    }
}

/* True if amount leaves something that can be shared out. */
static int fits(int64_t amount, int64_t left, int64_t k, int64_t cap)
{
    int64_t rest = left - amount;
    return amount >= 1 && amount <= cap && rest >= k - 1 && rest <= (k - 1) * cap;
}

static int64_t reference_amount(struct reference *r, int64_t left, int64_t k, int64_t cap)
{
    int64_t low = 1, high = cap < left ? cap : left;
    if (k == 1)
        return left;
    while (!fits(low, left, k, cap))
        low++;
    while (!fits(high, left, k, cap))
        high--;
    int64_t s = left - k, below = s - k * (low - 1), above = k * (high - 1) - s;
    int64_t w = below < above ? below : above;
    int64_t t = s - w + reference_below(r, 2 * w + 1);
    int64_t v = reference_below(r, k);
    return 1 + (t + v) / k;
}

static void check_envelope(struct envelope *e)
{
    int64_t sum = 0;
    struct claim c;
    for (uint32_t seq = 1; e->state == STATE_OPEN; seq++) {
        struct reference r = {.seed = e->seed};
        int64_t left = e->total_fen - e->opened_fen, k = e->shares - e->opened_shares;
        memcpy(r.message, e->id.b, ID_SIZE);
        r.message[19] = (uint8_t)seq;
        int64_t expected = reference_amount(&r, left, k, e->cap_fen);
        if (e->mode == MODE_EQUAL)
            expected = e->total_fen / e->shares + (seq <= e->total_fen % e->shares);
        envelope_open_next(e, "u", "n", 1, &c);
        FUZZ_CHECK(c.amount_fen == expected && c.seq == seq && c.amount_fen <= e->cap_fen);
        sum += c.amount_fen;
    }
    FUZZ_CHECK(sum == e->total_fen && e->state == STATE_SOLD_OUT && envelope_consistent(e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct envelope e;
    if (size < 56)
        return 0;
    memset(&e, 0, sizeof e);
    memcpy(e.seed, data, 32);
    memcpy(e.id.b, data + 32, 16);
    e.mode = data[48] % 2 == 0 ? MODE_LUCKY : MODE_EQUAL;
    e.cap_fen = 1 + (data[49] << 8 | data[50]) % 5000;
    e.shares = 1 + data[51] % SHARES_MAX;
    uint32_t more =
        (uint32_t)data[52] << 24 | (uint32_t)data[53] << 16 | (uint32_t)data[54] << 8 | data[55];
    e.total_fen = e.shares + (int64_t)more % (e.shares * (e.cap_fen - 1) + 1);
    e.expires_us = 10;
    e.has_seed = true;
    check_envelope(&e);
    return 0;
}
