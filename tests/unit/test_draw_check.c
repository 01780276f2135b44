/* The draws of an envelope, recomputed claim by claim: each row breaks one thing. */
#include "lib/domain/draw_check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define SHARES 5
#define TOTAL_FEN 1000

static struct envelope make(enum envelope_mode mode)
{
    struct envelope e = {.mode = mode,
                         .total_fen = TOTAL_FEN,
                         .shares = SHARES,
                         .cap_fen = 400,
                         .state = STATE_SOLD_OUT,
                         .has_seed = true,
                         .seed = {7}};
    draw_seed_hash(e.seed_hash, &e.id, e.mode, e.total_fen, e.shares, e.cap_fen, e.seed);
    return e;
}

/* Set amounts to what e draws. */
static void draw_all(const struct envelope *e, int64_t amounts[SHARES])
{
    struct draw_left left = {e->total_fen, e->shares, e->cap_fen};
    for (uint32_t i = 0; i < SHARES; i++) {
        amounts[i] = e->mode == MODE_EQUAL ? draw_equal(e->total_fen, e->shares, i + 1)
                                           : draw_lucky(e->seed, &e->id, i + 1, &left);
        left.left_fen -= amounts[i];
        left.left_shares--;
    }
}

static bool is_wrong(const struct envelope *e, const int64_t amounts[SHARES], int64_t n)
{
    struct draw_check d;
    draw_check_begin(&d, e);
    for (int64_t i = 0; i < n; i++)
        draw_check_claim(&d, i + 1, amounts[i]);
    return d.wrong;
}

static void right_draws_pass(void **state)
{
    int64_t amounts[SHARES];
    (void)state;
    for (enum envelope_mode mode = MODE_LUCKY; mode <= MODE_EQUAL; mode++) {
        struct envelope e = make(mode);
        draw_all(&e, amounts);
        for (int64_t n = 0; n <= SHARES; n++)
            assert_false(is_wrong(&e, amounts, n));
    }
}

static void a_wrong_amount_is_found(void **state)
{
    struct envelope e = make(MODE_LUCKY);
    int64_t amounts[SHARES];
    (void)state;
    for (size_t i = 0; i < SHARES; i++) {
        draw_all(&e, amounts);
        amounts[i]++;
        assert_true(is_wrong(&e, amounts, SHARES));
    }
}

static void a_gap_and_a_claim_too_many_are_found(void **state)
{
    struct envelope e = make(MODE_LUCKY);
    int64_t amounts[SHARES];
    struct draw_check d;
    (void)state;
    draw_all(&e, amounts);
    draw_check_begin(&d, &e);
    draw_check_claim(&d, 2, amounts[0]);
    assert_true(d.wrong);
    draw_check_begin(&d, &e);
    for (int64_t i = 0; i < SHARES; i++)
        draw_check_claim(&d, i + 1, amounts[i]);
    draw_check_claim(&d, SHARES + 1, 1);
    assert_true(d.wrong);
}

static void a_seed_that_was_not_promised_is_found(void **state)
{
    struct envelope e = make(MODE_LUCKY);
    int64_t amounts[SHARES];
    (void)state;
    draw_all(&e, amounts);
    e.seed[31] ^= 1;
    assert_true(is_wrong(&e, amounts, 0));
    e = make(MODE_LUCKY);
    e.has_seed = false;
    assert_true(is_wrong(&e, amounts, 0));
    e = make(MODE_LUCKY);
    e.shares = 0; /* damaged */
    assert_true(is_wrong(&e, amounts, SHARES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_draws_pass),
        cmocka_unit_test(a_wrong_amount_is_found),
        cmocka_unit_test(a_gap_and_a_claim_too_many_are_found),
        cmocka_unit_test(a_seed_that_was_not_promised_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
