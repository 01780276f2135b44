/* Guests: how many there may be, and the end of idle ones. */
#include "lib/service/account/guests.h"
#include "lib/service/account/wallet.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY_US (INT64_C(86400) * FAKE_US_PER_S)

struct fixture {
    struct fake_service fake;
    struct account_service service;
    struct account guest;
};
static struct fixture f;

static int set_up(void **state)
{
    static const struct session_pool_settings settings = {.threads = 4};
    (void)state;
    memset(&f, 0, sizeof f);
    fake_service_init(&f.fake);
    f.service.runtime = &f.fake.runtime;
    f.service.sessions = session_pool_new(&f.fake.runtime, &settings);
    assert_non_null(f.service.sessions);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(memory_db_audit(f.fake.db));
    session_pool_free(f.service.sessions);
    fake_service_end(&f.fake);
    return 0;
}

static enum err make(void)
{
    return wallet_guest(&f.service, "Mei", 0, &f.guest);
}

/* End all idle guests; return how many calls it took. */
static int end_all(void)
{
    char after[USER_SIZE] = "";
    bool again = true;
    int calls = 0;
    for (; again; calls++)
        assert_int_equal(
            guests_end_idle(&f.service, f.fake.store, f.fake.clock.wall_us, after, &again), ERR_OK);
    assert_string_equal(after, "");
    return calls;
}

static const struct account *row(void)
{
    return memory_db_account(f.fake.db, f.guest.user);
}

static void guests_are_limited(void **state)
{
    int made = 0;
    (void)state;
    f.fake.config.guests_max = 20;
    for (int i = 0; i < 50; i++)
        made += make() == ERR_OK;
    assert_int_equal(made, 20);
    assert_int_equal(make(), ERR_LIMIT_EXCEEDED);
}

static void an_idle_guest_ends(void **state)
{
    (void)state;
    assert_int_equal(make(), ERR_OK);
    fixed_clock_advance(&f.fake.clock, 29 * DAY_US);
    assert_int_equal(end_all(), 1);
    assert_string_equal(row()->name, "Mei");
    fixed_clock_advance(&f.fake.clock, 2 * DAY_US);
    assert_int_equal(end_all(), 1);
    assert_int_equal(row()->balance_fen, 0);
    assert_string_equal(row()->name, "");
    assert_int_equal(memory_db_count(f.fake.db, MEMORY_TRANSFERS), 2);
    end_all(); /* once */
    assert_int_equal(memory_db_count(f.fake.db, MEMORY_TRANSFERS), 2);
}

static void ended_guests_do_not_count(void **state)
{
    (void)state;
    f.fake.config.guests_max = 20;
    for (int i = 0; i < 20; i++)
        assert_int_equal(make(), ERR_OK);
    assert_int_equal(make(), ERR_LIMIT_EXCEEDED);
    fixed_clock_advance(&f.fake.clock, 31 * DAY_US);
    end_all();
    assert_int_equal(make(), ERR_OK);
}

static void many_end_in_batches(void **state)
{
    (void)state;
    for (int i = 0; i < 250; i++)
        assert_int_equal(make(), ERR_OK);
    fixed_clock_advance(&f.fake.clock, 31 * DAY_US);
    assert_int_equal(end_all(), 3);
    assert_int_equal(row()->balance_fen, 0);
}

static void users_do_not_end(void **state)
{
    (void)state;
    memory_db_add_account(f.fake.db, "alice", 100);
    fixed_clock_advance(&f.fake.clock, 400 * DAY_US);
    end_all();
    assert_int_equal(memory_db_account(f.fake.db, "alice")->balance_fen, 100);
}

static void a_fault_is_repeated(void **state)
{
    static const enum memory_op ops[] = {MEMORY_GUESTS_IDLE, MEMORY_GUEST_END};
    char after[USER_SIZE] = "";
    bool again;
    (void)state;
    assert_int_equal(make(), ERR_OK);
    fixed_clock_advance(&f.fake.clock, 31 * DAY_US);
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        memory_db_fail(f.fake.db, ops[i], ERR_UNAVAILABLE, false, 0, 1);
        assert_int_equal(
            guests_end_idle(&f.service, f.fake.store, f.fake.clock.wall_us, after, &again),
            ERR_UNAVAILABLE);
        assert_false(again);
        after[0] = '\0';
    }
    end_all();
    assert_string_equal(row()->name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(guests_are_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_guest_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ended_guests_do_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_end_in_batches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(users_do_not_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fault_is_repeated, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
