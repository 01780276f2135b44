/* The draw, by enumeration of everything the two uniform numbers can be: exactly fair, within its
 * bounds, and what remains can always be shared out. */
#include "lib/domain/draw.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL_MAX 12
#define SHARES_MAX 6

/* A fraction, in lowest terms after every step. */
struct fraction {
    int64_t n, d;
};

static int64_t gcd(int64_t a, int64_t b)
{
    return b == 0 ? a : gcd(b, a % b);
}

static struct fraction reduce(int64_t n, int64_t d)
{
    int64_t g = gcd(n, d);
    return g == 0 ? (struct fraction){0, 1} : (struct fraction){n / g, d / g};
}

static struct fraction plus(struct fraction a, struct fraction b)
{
    return reduce(a.n * b.d + b.n * a.d, a.d * b.d);
}

static struct fraction times(struct fraction a, struct fraction b)
{
    return reduce(a.n * b.n, a.d * b.d);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Adds to mean[position..] the expectation of every later amount, over all (t, v), weighted. */
static void enumerate(struct draw_left left, struct fraction weight, struct fraction *mean)
{
    if (left.left_shares == 1) {
        assert_in_range(left.left_fen, 1, (uint64_t)left.cap_fen);
        mean[0] = plus(mean[0], times(weight, (struct fraction){left.left_fen, 1}));
        return;
    }
    struct draw_range r = draw_range(&left);
    int64_t low = most(1, left.left_fen - (left.left_shares - 1) * left.cap_fen);
    int64_t high = least(left.cap_fen, left.left_fen - (left.left_shares - 1));
    int64_t counts[TOTAL_MAX + 1] = {0};
    int64_t cases = (r.t_high - r.t_low + 1) * r.v_count;
    for (int64_t t = r.t_low; t <= r.t_high; t++)
        for (int64_t v = 0; v < r.v_count; v++) {
            int64_t amount = draw_amount(&left, t, v);
            assert_true(amount >= low && amount <= high);
            assert_true(amount * left.left_shares <= 2 * left.left_fen);
            counts[amount]++;
        }
    for (int64_t amount = low; amount <= high; amount++) {
        struct fraction p = times(weight, reduce(counts[amount], cases));
        struct draw_left rest = left;
        if (counts[amount] == 0)
            continue;
        mean[0] = plus(mean[0], times(p, (struct fraction){amount, 1}));
        rest.left_fen -= amount;
        rest.left_shares--;
        enumerate(rest, p, mean + 1);
    }
}

static void check_fair(int64_t total, int64_t shares, int64_t cap)
{
    struct fraction mean[SHARES_MAX], fair = reduce(total, shares);
    for (size_t i = 0; i < SHARES_MAX; i++)
        mean[i] = (struct fraction){0, 1};
    enumerate((struct draw_left){total, shares, cap}, (struct fraction){1, 1}, mean);
    for (int64_t i = 0; i < shares; i++) {
        assert_int_equal(mean[i].n, fair.n);
        assert_int_equal(mean[i].d, fair.d);
    }
}

static void the_mean_is_exact_at_every_position(void **state)
{
    (void)state;
    for (int64_t shares = 1; shares <= SHARES_MAX; shares++)
        for (int64_t total = shares; total <= TOTAL_MAX; total++)
            check_fair(total, shares, TOTAL_MAX);
}

static void the_mean_is_exact_with_every_cap(void **state)
{
    (void)state;
    for (int64_t shares = 1; shares <= SHARES_MAX; shares++)
        for (int64_t total = shares; total <= TOTAL_MAX; total++)
            for (int64_t cap = (total + shares - 1) / shares; cap < TOTAL_MAX; cap++)
                check_fair(total, shares, cap);
}

static void equal_shares_add_up_and_differ_by_one_at_most(void **state)
{
    (void)state;
    for (int64_t shares = 1; shares <= 60; shares++)
        for (int64_t total = shares; total <= 300; total++) {
            int64_t sum = 0;
            for (int64_t seq = 1; seq <= shares; seq++) {
                int64_t amount = draw_equal(total, shares, seq);
                assert_true(amount == total / shares || amount == total / shares + 1);
                assert_true(seq == 1 || amount <= draw_equal(total, shares, seq - 1));
                sum += amount;
            }
            assert_int_equal(sum, total);
        }
}

static void seeded_draws_stay_in_bounds_and_add_up(void **state)
{
    uint8_t seed[SEED_SIZE] = {0};
    struct id id = {{0}};
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        memcpy(seed, &round, sizeof round);
        int64_t shares = 1 + (int64_t)(round % 50), cap = 20000;
        int64_t total = shares + (int64_t)(round * 7919u % (unsigned)(shares * cap - shares + 1));
        struct draw_left left = {total, shares, cap};
        for (uint32_t seq = 1; left.left_shares > 0; seq++) {
            int64_t amount = draw_lucky(seed, &id, seq, &left);
            assert_true(amount >= 1 && amount <= cap);
            left.left_fen -= amount;
            left.left_shares--;
        }
        assert_int_equal(left.left_fen, 0);
    }
}

/* The published vectors: tests/vectors/draw.json holds the same for others. */
static void the_first_vector_is_drawn(void **state)
{
    uint8_t seed[SEED_SIZE], hash[32];
    struct id id;
    static const int64_t amounts[] = {139, 157, 101, 160, 18, 74, 13, 211, 10, 117};
    static const uint8_t expected[32] = {0x9a, 0x4d, 0x9b, 0x96, 0x95, 0xa0, 0x8e, 0xb1,
                                         0x02, 0x46, 0x67, 0xbb, 0x34, 0xff, 0xce, 0x55,
                                         0xd9, 0x24, 0x27, 0x3c, 0xc4, 0xa4, 0xac, 0x3c,
                                         0x69, 0x30, 0x8c, 0xac, 0xc2, 0x93, 0x71, 0x05};
    (void)state;
    for (size_t i = 0; i < SEED_SIZE; i++)
        seed[i] = (uint8_t)i;
    assert_true(id_parse(&id, "01a20d63-04ab-7000-b431-b856e67a7b86", 36));
    struct draw_left left = {1000, 10, 20000};
    for (uint32_t seq = 1; seq <= 10; seq++) {
        int64_t amount = draw_lucky(seed, &id, seq, &left);
        assert_int_equal(amount, amounts[seq - 1]);
        left.left_fen -= amount;
        left.left_shares--;
    }
    draw_seed_hash(hash, &id, MODE_LUCKY, 1000, 10, 20000, seed);
    assert_memory_equal(hash, expected, sizeof hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_is_exact_at_every_position),
        cmocka_unit_test(the_mean_is_exact_with_every_cap),
        cmocka_unit_test(equal_shares_add_up_and_differ_by_one_at_most),
        cmocka_unit_test(seeded_draws_stay_in_bounds_and_add_up),
        cmocka_unit_test(the_first_vector_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
