/* Who has opened an envelope: told only what is sure. */
#include "lib/service/look/claimer_set.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct id one = {{1}};
static const struct id two = {{2}};

static int setup(void **state)
{
    *state = claimer_set_new();
    return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    claimer_set_free(*state);
    return 0;
}

/* The claims first..first+n-1 of users "u1", "u2", ... */
static void add(struct claimer_set *c, const struct id *id, int64_t first, size_t n)
{
    static struct claim claims[PAGE_MAX];
    for (size_t i = 0; i < n; i++) {
        claims[i].seq = first + (int64_t)i;
        snprintf(claims[i].user, sizeof claims[i].user, "u%lld", (long long)claims[i].seq);
    }
    claimer_set_add(c, id, claims, n);
}

static void test_sure_of_those_known(void **state)
{
    assert_true(claimer_set_without(*state, &one, 0, "x"));
    assert_false(claimer_set_without(*state, &one, 1, "x"));
    add(*state, &one, 1, 40);
    assert_int_equal(claimer_set_known(*state, &one), 40);
    assert_true(claimer_set_without(*state, &one, 40, "x"));
    assert_true(claimer_set_without(*state, &one, 39, "u41"));
    assert_false(claimer_set_without(*state, &one, 40, "u1"));
    assert_false(claimer_set_without(*state, &one, 40, "u40"));
    assert_false(claimer_set_without(*state, &one, 41, "x"));
    assert_false(claimer_set_without(*state, &two, 1, "x"));
    claimer_set_forget(*state, &two);
    assert_int_equal(claimer_set_known(*state, &one), 40);
    claimer_set_forget(*state, &one);
    assert_int_equal(claimer_set_known(*state, &one), 0);
    assert_false(claimer_set_without(*state, &one, 40, "x"));
}

static void test_only_without_a_gap(void **state)
{
    add(*state, &one, 2, 10);
    assert_int_equal(claimer_set_known(*state, &one), 0);
    add(*state, &one, 1, 10);
    add(*state, &one, 12, 10);
    assert_int_equal(claimer_set_known(*state, &one), 10);
    add(*state, &one, 6, 10); /* those known already are passed over */
    assert_int_equal(claimer_set_known(*state, &one), 15);
    assert_false(claimer_set_without(*state, &one, 15, "u15"));
}

static void test_bounded(void **state)
{
    for (int64_t first = 1; first < 2 * CLAIMER_SET_MAX; first += PAGE_MAX)
        add(*state, &one, first, PAGE_MAX);
    assert_int_equal(claimer_set_known(*state, &one), CLAIMER_SET_MAX);
    assert_false(claimer_set_without(*state, &one, CLAIMER_SET_MAX + 1, "x"));
    assert_true(claimer_set_without(*state, &one, CLAIMER_SET_MAX, "x"));
}

/* Of many envelopes some are forgotten, none is taken for another. */
static void test_many_envelopes(void **state)
{
    size_t kept = 0;
    for (int i = 0; i < 10000; i++) {
        struct id id = {{1}};
        id.b[ID_SIZE - 4] = (uint8_t)i;
        id.b[ID_SIZE - 3] = (uint8_t)(i >> 8);
        add(*state, &id, 1, (size_t)(i % 7) + 1);
        assert_int_equal(claimer_set_known(*state, &id), i % 7 + 1);
    }
    for (int i = 0; i < 10000; i++) {
        struct id id = {{1}};
        id.b[ID_SIZE - 4] = (uint8_t)i;
        id.b[ID_SIZE - 3] = (uint8_t)(i >> 8);
        int64_t known = claimer_set_known(*state, &id);
        assert_true(known == 0 || known == i % 7 + 1);
        kept += known > 0;
    }
    assert_true(kept >= 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sure_of_those_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_without_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_envelopes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
