/* Money: what must be refused first. */
#include "lib/domain/limits.h"
#include "lib/domain/money.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void what_lies_outside_is_refused(void **state)
{
    const int64_t bad[] = {-1, AMOUNT_MAX_FEN + 1, INT64_MIN, INT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t out = 7;
        assert_int_equal(money_add(bad[i], 0, &out), ERR_RANGE);
        assert_int_equal(money_add(0, bad[i], &out), ERR_RANGE);
        assert_int_equal(money_subtract(0, bad[i], &out), ERR_RANGE);
        assert_int_equal(out, 7);
    }
}

static void a_sum_over_the_limit_is_refused(void **state)
{
    int64_t out = 7;
    (void)state;
    assert_int_equal(money_add(AMOUNT_MAX_FEN, 1, &out), ERR_RANGE);
    assert_int_equal(out, 7);
    assert_int_equal(money_add(AMOUNT_MAX_FEN - 1, 1, &out), ERR_OK);
    assert_int_equal(out, AMOUNT_MAX_FEN);
}

static void nothing_goes_below_zero(void **state)
{
    int64_t out = 7;
    (void)state;
    assert_int_equal(money_subtract(5, 6, &out), ERR_INSUFFICIENT_FUNDS);
    assert_int_equal(out, 7);
    assert_int_equal(money_subtract(5, 5, &out), ERR_OK);
    assert_int_equal(out, 0);
}

static void a_balance_above_the_limit_can_be_lowered(void **state)
{
    int64_t out = 7;
    (void)state;
    assert_int_equal(money_subtract(-1, 0, &out), ERR_RANGE);
    assert_int_equal(money_subtract(INT64_MIN, 0, &out), ERR_RANGE);
    assert_int_equal(out, 7);
    assert_int_equal(money_subtract(AMOUNT_MAX_FEN + 5, 3, &out), ERR_OK);
    assert_int_equal(out, AMOUNT_MAX_FEN + 2);
    assert_int_equal(money_subtract(INT64_MAX, AMOUNT_MAX_FEN, &out), ERR_OK);
    assert_int_equal(out, INT64_MAX - AMOUNT_MAX_FEN);
    assert_int_equal(money_add(AMOUNT_MAX_FEN + 2, 1, &out), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_outside_is_refused),
        cmocka_unit_test(a_sum_over_the_limit_is_refused),
        cmocka_unit_test(nothing_goes_below_zero),
        cmocka_unit_test(a_balance_above_the_limit_can_be_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
