/* Steps of the primary's clock: nothing is refunded or forgotten early, and everything goes on once
 * the time can be trusted. */
#include "lib/service/common/clock_guard.h"
#include "lib/service/common/close.h"
#include "lib/service/settle/keys.h"
#include "tests/fake/fake_batches.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_S INT64_C(60)
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)
#define STEADY_S 600

static struct fake_batches b;
static struct clock_guard guard;

/* A round of settle. */
static void look(void)
{
    assert_int_equal(clock_guard_look(&guard, b.fake.store), ERR_OK);
}

static int set_up(void **state)
{
    (void)state;
    fake_batches_init(&b);
    memory_db_add_account(b.fake.db, "alice", 10000);
    clock_guard_init(&guard, &b.fake.runtime);
    look();
    assert_false(guard.held);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_batches_end(&b);
    return 0;
}

/* Sets the wall clock, which is the primary's, forward or back. */
static void step(int64_t s)
{
    fixed_clock_set_wall(&b.fake.clock, b.fake.clock.wall_us + s * US_PER_S);
}

/* Lets s seconds pass, with a round of settle each. */
static void pass(int64_t s)
{
    for (int64_t i = 0; i < s; i++) {
        fixed_clock_advance(&b.fake.clock, US_PER_S);
        look();
    }
}

static size_t refunds(void)
{
    struct close_due_result done;
    assert_int_equal(close_due(&b.fake.runtime, b.fake.store, b.fake.cache, &guard, &done), ERR_OK);
    return done.closed;
}

static size_t expire_keys(void)
{
    size_t before = memory_db_count(b.fake.db, MEMORY_KEYS);
    bool again;
    assert_int_equal(keys_expire(&b.fake.runtime, b.fake.store, &guard, &again), ERR_OK);
    return before - memory_db_count(b.fake.db, MEMORY_KEYS);
}

static const struct envelope *send_key(const char *key)
{
    const struct fake_sending *s = fake_sending(&b, "alice", key, 100);
    assert_int_equal(s->request.err, ERR_OK);
    return &s->request.envelope;
}

static void an_hour_ahead_and_back(void **state)
{
    (void)state;
    send_key("1"); /* for an hour */
    pass(4);
    step(2 * HOUR_S);
    assert_int_equal(refunds(), 0); /* before the next look, too */
    pass(STEADY_S - 1);
    assert_true(guard.held);
    assert_int_equal(refunds(), 0);
    assert_int_not_equal(memory_db_clock(b.fake.db)->held_us, 0);
    step(-2 * HOUR_S);
    look();
    assert_false(guard.held);
    assert_int_equal(memory_db_clock(b.fake.db)->held_us, 0);
    assert_int_equal(refunds(), 0);
    pass(HOUR_S - STEADY_S - 4);
    assert_int_equal(refunds(), 0);
    pass(1);
    assert_int_equal(refunds(), 1); /* on time */
}

/* The step comes between the look and the transaction. */
static void step_ahead(void *context, enum memory_op op, struct store *s)
{
    (void)s;
    if (op != MEMORY_OPEN_READ)
        return;
    memory_db_set_hook(b.fake.db, NULL, NULL);
    step(*(int64_t *)context);
}

static void a_step_after_the_list_was_read(void **state)
{
    int64_t back_s = -12, ahead_s = 2 * HOUR_S;
    (void)state;
    struct id id = send_key("1")->id;
    pass(HOUR_S);
    memory_db_set_hook(b.fake.db, step_ahead, &back_s);
    assert_int_equal(refunds(), 0);
    assert_true(guard.held);
    step(12);
    look();
    memory_db_set_hook(b.fake.db, step_ahead, &ahead_s);
    assert_int_equal(refunds(), 0);
    step(-ahead_s);
    look();
    assert_int_equal(refunds(), 1);
    assert_int_equal(fake_envelope(&b.fake, &id)->state, STATE_EXPIRED);
}

/* A machine that boots with a wrong clock, for 70 s. */
static void a_month_ahead_for_a_minute(void **state)
{
    (void)state;
    struct id first = send_key("1")->id;
    pass(10);
    step(32 * DAY_S);
    assert_int_equal(expire_keys(), 0); /* before the next look, too */
    pass(70);
    assert_int_equal(expire_keys(), 0);
    assert_int_equal(refunds(), 0);
    step(-32 * DAY_S);
    pass(1);
    assert_int_equal(expire_keys(), 0);
    assert_memory_equal(&send_key("1")->id, &first, sizeof first);
    fixed_clock_advance(&b.fake.clock, 30 * DAY_S * US_PER_S);
    look();
    assert_int_equal(expire_keys(), 1);
}

/* Keys were stored while the clock was a month behind: they must not look old when it is right. */
static void a_month_behind_is_corrected(void **state)
{
    (void)state;
    struct id first = send_key("1")->id;
    step(32 * DAY_S);
    pass(STEADY_S + 1);
    assert_false(guard.held); /* it stays, so it is right */
    assert_int_equal(refunds(), 1);
    assert_int_equal(expire_keys(), 0);
    assert_memory_equal(&send_key("1")->id, &first, sizeof first);
    fixed_clock_advance(&b.fake.clock, (30 * DAY_S - 1) * US_PER_S);
    look();
    assert_int_equal(expire_keys(), 0);
    fixed_clock_advance(&b.fake.clock, 2 * US_PER_S);
    look();
    assert_int_equal(expire_keys(), 1);
    clock_guard_init(&guard, &b.fake.runtime); /* a restart has the same answer */
    look();
    assert_int_equal(memory_db_clock(b.fake.db)->keys_after_us, guard.keys_after_us);
}

static void steady_counts_from_the_last_step(void **state)
{
    (void)state;
    step(HOUR_S);
    pass(STEADY_S - 10);
    step(HOUR_S);
    pass(STEADY_S - 10);
    assert_true(guard.held);
    pass(11);
    assert_false(guard.held);
}

static void an_hour_back(void **state)
{
    (void)state;
    send_key("1");
    pass(30 * MINUTE_S);
    step(-HOUR_S);
    pass(40 * MINUTE_S);
    assert_int_equal(refunds(), 0); /* due by the clock of before, not by the one that stayed */
    pass(50 * MINUTE_S);
    assert_int_equal(refunds(), 1);
}

static void a_slow_drift_is_no_step(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        pass(1);
        step(i % 2 == 0 ? 1 : 0); /* 50 s in all */
    }
    assert_false(guard.held);
    fixed_clock_advance(&b.fake.clock, 10 * HOUR_S * US_PER_S); /* no look for long */
    step(30);
    look();
    assert_false(guard.held);
}

/* A look that takes long says little, and is no step. */
static void delay(void *context, enum memory_op op, struct store *s)
{
    (void)context;
    (void)s;
    if (op == MEMORY_CLOCK_READ)
        fixed_clock_advance(&b.fake.clock, 20 * US_PER_S);
}

static void a_slow_primary_is_no_step(void **state)
{
    (void)state;
    memory_db_set_hook(b.fake.db, delay, NULL);
    for (int i = 0; i < 10; i++)
        look();
    assert_false(guard.held);
}

static void a_start_compares_with_the_time_of_the_last_one(void **state)
{
    (void)state;
    send_key("1");
    pass(6);
    fixed_clock_advance(&b.fake.clock, 5 * MINUTE_S * US_PER_S); /* a restart */
    clock_guard_init(&guard, &b.fake.runtime);
    look();
    assert_false(guard.held);
    step(2 * HOUR_S); /* while nothing runs */
    clock_guard_init(&guard, &b.fake.runtime);
    look();
    assert_true(guard.held);
    assert_int_equal(refunds(), 0);
    step(-2 * HOUR_S);
    look();
    assert_false(guard.held);
    assert_int_equal(refunds(), 0);
}

static void opens_do_not_close_while_the_clock_is_wrong(void **state)
{
    (void)state;
    struct id id = send_key("1")->id;
    pass(6);
    step(2 * HOUR_S);
    assert_int_equal(fake_opening(&b, &id, "bob")->request.err, ERR_UNAVAILABLE);
    assert_int_equal(fake_envelope(&b.fake, &id)->state, STATE_OPEN);
    look();
    assert_int_equal(fake_opening(&b, &id, "bob")->request.err, ERR_UNAVAILABLE);
    step(-2 * HOUR_S);
    look();
    assert_true(fake_opening_is_stored(&b, fake_opening(&b, &id, "bob")));
    pass(HOUR_S);
    const struct fake_opening *o = fake_opening(&b, &id, "carol");
    assert_int_equal(o->request.err, ERR_OK);
    assert_int_equal(o->request.answer.state, OPEN_EXPIRED);
}

/* A step that is smaller than what opens rely on settle for. */
static void opens_wait_where_refunds_do(void **state)
{
    (void)state;
    struct id id = send_key("1")->id;
    pass(HOUR_S - 15);
    step(20);
    look();
    assert_true(guard.held);
    assert_int_equal(fake_opening(&b, &id, "bob")->request.err, ERR_UNAVAILABLE);
    assert_int_equal(fake_envelope(&b.fake, &id)->state, STATE_OPEN);
}

static void no_key_is_deleted_while_refunds_wait(void **state)
{
    (void)state;
    send_key("1");
    fixed_clock_advance(&b.fake.clock, 31 * DAY_S * US_PER_S);
    look();
    step(HOUR_S);
    look();
    assert_int_equal(expire_keys(), 0);
    step(-HOUR_S);
    look();
    assert_int_equal(expire_keys(), 1);
}

static void an_outage_is_no_step(void **state)
{
    (void)state;
    memory_db_set_away(b.fake.db, true);
    assert_int_equal(clock_guard_look(&guard, b.fake.store), ERR_UNAVAILABLE);
    fixed_clock_advance(&b.fake.clock, HOUR_S * US_PER_S);
    memory_db_set_away(b.fake.db, false);
    look();
    assert_false(guard.held);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_hour_ahead_and_back),
        TEST(a_step_after_the_list_was_read),
        TEST(a_month_ahead_for_a_minute),
        TEST(a_month_behind_is_corrected),
        TEST(steady_counts_from_the_last_step),
        TEST(an_hour_back),
        TEST(a_slow_drift_is_no_step),
        TEST(a_slow_primary_is_no_step),
        TEST(a_start_compares_with_the_time_of_the_last_one),
        TEST(opens_do_not_close_while_the_clock_is_wrong),
        TEST(opens_wait_where_refunds_do),
        TEST(no_key_is_deleted_while_refunds_wait),
        TEST(an_outage_is_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
