/* The stall detector under a clock that the test moves. */
#include "lib/service/common/stall.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#define LEADERS 2
#define SHARED 3
#define FIRST_SHARED LEADERS

static _Atomic int64_t test_now_us;

static int64_t test_mono_us(void *self)
{
    (void)self;
    return atomic_load(&test_now_us);
}
static const struct clock test_clock = {.mono_us = test_mono_us, .wall_us = test_mono_us};

struct fixture {
    struct metrics *metrics;
    struct stall *stall;
};

static int set_up(void **state)
{
    static struct fixture f;
    f.metrics = metrics_private();
    f.stall = stall_new(&test_clock, f.metrics, LEADERS, SHARED);
    atomic_store(&test_now_us, 1000000);
    *state = &f;
    return f.stall == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    stall_free(f->stall);
    return 0;
}

static void advance(int64_t us)
{
    atomic_fetch_add(&test_now_us, us);
}

static uint64_t stalls(const struct fixture *f)
{
    return metrics_get(f->metrics, METRIC_DATABASE_STALLS);
}

/* Let one use fail after it has taken longer than a healthy primary would. */
static void make_stalled(struct fixture *f)
{
    int slot = stall_enter(f->stall);
    assert_true(slot >= FIRST_SHARED);
    advance(STALL_US + 1);
    stall_leave(f->stall, (unsigned)slot, false);
}

static void shared_slots_are_distinct_and_bounded(void **state)
{
    struct fixture *f = *state;
    bool seen[LEADERS + SHARED] = {false};
    for (int i = 0; i < SHARED; i++) {
        int slot = stall_enter(f->stall);
        assert_in_range(slot, FIRST_SHARED, LEADERS + SHARED - 1);
        assert_false(seen[slot]);
        seen[slot] = true;
    }
    advance(STALL_US + 1);
    assert_int_equal(stall_enter(f->stall), -1);
    stall_leave(f->stall, FIRST_SHARED + 1, true);
    assert_int_equal(stall_enter(f->stall), FIRST_SHARED + 1);
}

static void full_of_hanging_uses_is_a_stall_counted_once(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < SHARED; i++)
        assert_true(stall_enter(f->stall) >= 0);
    advance(STALL_US + 1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(stall_enter(f->stall), -1);
    assert_int_equal(stalls(f), 1);
}

static void a_slow_use_that_is_answered_is_no_stall(void **state)
{
    struct fixture *f = *state;
    int slot = stall_enter(f->stall);
    advance(STALL_US + 1);
    stall_leave(f->stall, (unsigned)slot, true);
    assert_int_equal(stalls(f), 0);
    assert_true(stall_enter(f->stall) >= 0);
    assert_true(stall_enter(f->stall) >= 0);
}

static void a_fast_failure_is_no_stall(void **state)
{
    struct fixture *f = *state;
    int slot = stall_enter(f->stall);
    advance(STALL_US);
    stall_leave(f->stall, (unsigned)slot, false);
    assert_int_equal(stalls(f), 0);
    assert_true(stall_enter(f->stall) >= 0);
    assert_true(stall_enter(f->stall) >= 0);
}

static void one_probe_at_a_time_until_one_is_fast(void **state)
{
    struct fixture *f = *state;
    int64_t until_us;
    make_stalled(f);
    assert_int_equal(stalls(f), 1);
    int probe = stall_enter(f->stall);
    assert_true(probe >= 0);
    assert_int_equal(stall_enter(f->stall), -1);
    assert_false(stall_enter_leader(f->stall, 0));
    assert_true(stall_blocks_queue(f->stall, LEADERS, &until_us));
    advance(STALL_US + 1);
    stall_leave(f->stall, (unsigned)probe, false);

    assert_true(stall_enter_leader(f->stall, 1)); /* a leader may be the probe */
    assert_int_equal(stall_enter(f->stall), -1);
    stall_leave(f->stall, 1, true);
    assert_true(stall_enter(f->stall) >= 0);
    assert_true(stall_enter(f->stall) >= 0);
    assert_int_equal(stalls(f), 1);
}

static void leaders_do_not_wait_for_room(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < SHARED; i++)
        assert_true(stall_enter(f->stall) >= 0);
    assert_true(stall_enter_leader(f->stall, 0));
    assert_true(stall_enter_leader(f->stall, 1));
}

static void nothing_queues_behind_a_leader_that_hangs(void **state)
{
    struct fixture *f = *state;
    int64_t until_us;
    assert_false(stall_blocks_queue(f->stall, LEADERS, &until_us));
    assert_true(until_us == INT64_MAX);
    assert_true(stall_enter_leader(f->stall, 1));
    int64_t entered_us = atomic_load(&test_now_us);
    assert_false(stall_blocks_queue(f->stall, LEADERS, &until_us));
    assert_true(until_us == entered_us + STALL_US + 1);
    advance(STALL_US + 1);
    assert_true(stall_blocks_queue(f->stall, LEADERS, &until_us));
    assert_true(stall_blocks_queue(f->stall, LEADERS, &until_us));
    assert_int_equal(stalls(f), 1);
    stall_leave(f->stall, 1, true);
    assert_false(stall_blocks_queue(f->stall, LEADERS, &until_us));
}

static void a_shared_use_that_hangs_does_not_block_the_queue(void **state)
{
    struct fixture *f = *state;
    int64_t until_us;
    assert_true(stall_enter(f->stall) >= 0);
    advance(STALL_US + 1);
    assert_false(stall_blocks_queue(f->stall, LEADERS, &until_us));
}

struct waiter {
    struct stall *stall;
    int slot;
    pthread_t thread;
};

static void *waiter_run(void *arg)
{
    struct waiter *w = arg;
    w->slot = stall_enter(w->stall);
    return NULL;
}

static void a_free_slot_ends_the_wait(void **state)
{
    (void)state;
    struct stall *s = stall_new(&clock_system, metrics_private(), 0, 1);
    struct waiter w = {.stall = s};
    assert_int_equal(stall_enter(s), 0);
    assert_int_equal(pthread_create(&w.thread, NULL, waiter_run, &w), 0);
    stall_leave(s, 0, true);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.slot, 0);
    stall_leave(s, 0, true);
    stall_free(s);
}

static void waiting_ends_when_the_use_inside_hangs(void **state)
{
    (void)state;
    struct stall *s = stall_new(&clock_system, metrics_private(), 0, 1);
    assert_int_equal(stall_enter(s), 0);
    assert_int_equal(stall_enter(s), -1);
    stall_leave(s, 0, false);
    stall_free(s);
}

static void answers_and_failures(void **state)
{
    (void)state;
    static const enum err answered[] = {ERR_OK,       ERR_NOT_FOUND, ERR_INSUFFICIENT_FUNDS,
                                        ERR_DEADLOCK, ERR_LOCKED,    ERR_DUPLICATE,
                                        ERR_RANGE};
    static const enum err failed[] = {ERR_UNAVAILABLE, ERR_UNCERTAIN, ERR_FAULT};
    for (size_t i = 0; i < sizeof answered / sizeof answered[0]; i++)
        assert_true(stall_answered(answered[i]));
    for (size_t i = 0; i < sizeof failed / sizeof failed[0]; i++)
        assert_false(stall_answered(failed[i]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(shared_slots_are_distinct_and_bounded),
        TEST(full_of_hanging_uses_is_a_stall_counted_once),
        TEST(a_slow_use_that_is_answered_is_no_stall),
        TEST(a_fast_failure_is_no_stall),
        TEST(one_probe_at_a_time_until_one_is_fast),
        TEST(leaders_do_not_wait_for_room),
        TEST(nothing_queues_behind_a_leader_that_hangs),
        TEST(a_shared_use_that_hangs_does_not_block_the_queue),
        TEST(a_free_slot_ends_the_wait),
        TEST(waiting_ends_when_the_use_inside_hangs),
        TEST(answers_and_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
