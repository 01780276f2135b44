/* Which errors make a transaction run again, and what its caller is given. */
#include "lib/service/common/txn.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct script {
    struct store store;
    const enum err *errors;
    size_t n, calls, rollbacks;
    struct runtime runtime;
};

static void script_rollback(struct store *s)
{
    ((struct script *)(void *)s)->rollbacks++;
}
static const struct store_ops script_ops = {.rollback = script_rollback};

static void fill_zero(void *self, void *out, size_t n)
{
    (void)self;
    memset(out, 0, n);
}
static const struct rng rng_zero = {.fill = fill_zero};

static enum err script_fn(struct store *store, void *context)
{
    struct script *s = context;
    assert_ptr_equal(store, &s->store);
    size_t call = s->calls++;
    return call < s->n ? s->errors[call] : ERR_OK;
}

static enum err run(struct script *s, const enum err *errors, size_t n, struct txn_policy policy)
{
    *s = (struct script){.store = {.ops = &script_ops}, .errors = errors, .n = n};
    s->runtime =
        (struct runtime){.clock = &clock_system, .rng = &rng_zero, .metrics = metrics_private()};
    return txn_run(&s->runtime, &s->store, script_fn, s, &policy);
}

#define RUN(s, policy, ...)                                                                        \
    run(s, (const enum err[]){__VA_ARGS__},                                                        \
        sizeof((const enum err[]){__VA_ARGS__}) / sizeof(enum err), policy)

static const struct txn_policy three = {.tries_max = 3};
static const struct txn_policy equal_ones = {.tries_max = 3, .repeat_duplicate = true};
static const struct txn_policy background = {.tries_max = 1, .next_round = true};

static void success_is_one_call_and_no_rollback(void **state)
{
    (void)state;
    struct script s;
    assert_int_equal(RUN(&s, three, ERR_OK), ERR_OK);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.rollbacks, 0);
}

static void deadlock_and_unknown_commit_run_again(void **state)
{
    (void)state;
    struct script s;
    assert_int_equal(RUN(&s, three, ERR_DEADLOCK, ERR_UNCERTAIN), ERR_OK);
    assert_int_equal(s.calls, 3);
    assert_int_equal(s.rollbacks, 2);
    assert_int_equal(metrics_get(s.runtime.metrics, METRIC_COMMITS_UNCERTAIN), 1);
}

static void tries_end_as_unavailable(void **state)
{
    (void)state;
    struct script s;
    assert_int_equal(RUN(&s, three, ERR_DEADLOCK, ERR_DEADLOCK, ERR_DEADLOCK), ERR_UNAVAILABLE);
    assert_int_equal(s.calls, 3);
    assert_int_equal(RUN(&s, three, ERR_UNCERTAIN, ERR_UNCERTAIN, ERR_UNCERTAIN), ERR_UNAVAILABLE);
    assert_int_equal(s.calls, 3);
}

static void a_server_that_stays_away_is_tried_once_more(void **state)
{
    (void)state;
    struct script s;
    assert_int_equal(RUN(&s, three, ERR_UNAVAILABLE), ERR_OK);
    assert_int_equal(s.calls, 2);
    assert_int_equal(RUN(&s, three, ERR_UNAVAILABLE, ERR_UNAVAILABLE), ERR_UNAVAILABLE);
    assert_int_equal(s.calls, 2);
}

static void other_errors_are_returned_at_once(void **state)
{
    (void)state;
    static const enum err errors[] = {ERR_LOCKED, ERR_DUPLICATE, ERR_RANGE, ERR_FAULT,
                                      ERR_INSUFFICIENT_FUNDS};
    struct script s;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        assert_int_equal(RUN(&s, three, errors[i]), errors[i]);
        assert_int_equal(s.calls, 1);
        assert_int_equal(s.rollbacks, 1);
    }
}

static void a_duplicate_runs_again_where_the_policy_says_so(void **state)
{
    (void)state;
    struct script s;
    assert_int_equal(RUN(&s, equal_ones, ERR_DUPLICATE), ERR_OK);
    assert_int_equal(s.calls, 2);
    assert_int_equal(RUN(&s, equal_ones, ERR_DUPLICATE, ERR_DUPLICATE, ERR_DUPLICATE),
                     ERR_UNAVAILABLE);
}

static void a_background_round_leaves_contention_to_the_next(void **state)
{
    (void)state;
    static const enum err left[] = {ERR_LOCKED, ERR_DEADLOCK, ERR_UNCERTAIN};
    static const enum err reported[] = {ERR_UNAVAILABLE, ERR_DUPLICATE, ERR_RANGE, ERR_FAULT};
    struct script s;
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        assert_int_equal(RUN(&s, background, left[i]), ERR_OK);
        assert_int_equal(s.calls, 1);
        assert_int_equal(s.rollbacks, 1);
    }
    for (size_t i = 0; i < sizeof reported / sizeof reported[0]; i++)
        assert_int_equal(RUN(&s, background, reported[i]), reported[i]);
}

static void nothing_begins_after_the_deadline(void **state)
{
    (void)state;
    struct script s;
    struct txn_policy late = three;
    late.deadline_us = clock_system.mono_us(clock_system.self) - 1;
    assert_int_equal(RUN(&s, late, ERR_OK), ERR_UNAVAILABLE);
    assert_int_equal(s.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success_is_one_call_and_no_rollback),
        cmocka_unit_test(deadlock_and_unknown_commit_run_again),
        cmocka_unit_test(tries_end_as_unavailable),
        cmocka_unit_test(a_server_that_stays_away_is_tried_once_more),
        cmocka_unit_test(other_errors_are_returned_at_once),
        cmocka_unit_test(a_duplicate_runs_again_where_the_policy_says_so),
        cmocka_unit_test(a_background_round_leaves_contention_to_the_next),
        cmocka_unit_test(nothing_begins_after_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
