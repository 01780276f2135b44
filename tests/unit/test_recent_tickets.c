/* Tickets just given: found for a second by envelope and user, then forgotten. */
#include "lib/domain/limits.h"
#include "lib/service/grab/recent_tickets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_US INT64_C(5000000)
#define EXPIRES_S INT64_C(1771257600)

static const struct id one = {{1}};
static const struct id two = {{2}};

static int setup(void **state)
{
    *state = recent_tickets_new(&rng_system);
    return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    recent_tickets_free(*state);
    return 0;
}

static void test_found_by_envelope_and_user(void **state)
{
    assert_int_equal(recent_tickets_get(*state, &one, "u1", NOW_US), 0);
    recent_tickets_put(*state, &one, "u1", EXPIRES_S, NOW_US);
    assert_int_equal(recent_tickets_get(*state, &one, "u1", NOW_US), EXPIRES_S);
    assert_int_equal(recent_tickets_get(*state, &one, "u2", NOW_US), 0);
    assert_int_equal(recent_tickets_get(*state, &two, "u1", NOW_US), 0);
}

static void test_newest_wins(void **state)
{
    recent_tickets_put(*state, &one, "u1", EXPIRES_S, NOW_US);
    recent_tickets_put(*state, &one, "u1", EXPIRES_S + 1, NOW_US + 1);
    assert_int_equal(recent_tickets_get(*state, &one, "u1", NOW_US + 1), EXPIRES_S + 1);
}

static void test_forgotten_after_a_second(void **state)
{
    recent_tickets_put(*state, &one, "u1", EXPIRES_S, NOW_US);
    assert_int_equal(recent_tickets_get(*state, &one, "u1", NOW_US + 999999), EXPIRES_S);
    assert_int_equal(recent_tickets_get(*state, &one, "u1", NOW_US + 1000000), 0);
}

/* However many come, none is answered with another's ticket. */
static void test_a_crowd_is_never_mixed_up(void **state)
{
    char user[USER_SIZE];
    for (int i = 0; i < 10000; i++) {
        snprintf(user, sizeof user, "u%d", i);
        recent_tickets_put(*state, &one, user, EXPIRES_S + i, NOW_US);
    }
    int found = 0;
    for (int i = 0; i < 10000; i++) {
        snprintf(user, sizeof user, "u%d", i);
        int64_t expires_s = recent_tickets_get(*state, &one, user, NOW_US);
        assert_true(expires_s == 0 || expires_s == EXPIRES_S + i);
        found += expires_s != 0;
    }
    assert_true(found > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found_by_envelope_and_user, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forgotten_after_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_crowd_is_never_mixed_up, setup, teardown),
    };
    return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
