/* Credits: which come first, what happens to one that cannot be booked, and that none is booked
 * twice. */
#include "lib/service/settle/credit.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIMS 30
#define OLD_S 60

struct fixture {
    struct fake_service fake;
    struct claim claims[CLAIMS]; /* one second apart */
    size_t n;
};

static int set_up(void **state)
{
    static struct fixture f;
    f.n = 0;
    fake_service_init(&f.fake);
    f.fake.config.settle_batch = 10; /* 2 oldest and 8 largest */
    f.fake.config.settle_old_s = OLD_S;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fake_service_end(&((struct fixture *)*state)->fake);
    return 0;
}

static void audit(struct fixture *f)
{
    const char *wrong = memory_db_audit(f->fake.db);
    if (wrong != NULL)
        fail_msg("%s", wrong);
}

/* Lets user open a share of n envelopes, one second apart. */
static void win(struct fixture *f, const char *user, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct envelope e = {.shares = 2};
        fake_send(&f->fake, &e);
        f->claims[f->n++] = fake_open(&f->fake, &e.id, user);
        fixed_clock_advance(&f->fake.clock, FAKE_US_PER_S);
    }
}

static uint32_t lane(const char *user)
{
    return UINT32_C(1) << memory_lane_of(user);
}

static size_t run_lanes(struct fixture *f, uint32_t lanes)
{
    size_t booked = 0;
    assert_int_equal(credit_run_lanes(&f->fake.runtime, f->fake.store, lanes, &booked), ERR_OK);
    return booked;
}

static bool pending(struct fixture *f, const struct claim *c)
{
    return memory_db_credit(f->fake.db, &c->envelope, c->user) != NULL;
}

static int by_amount(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return x->amount_fen > y->amount_fen ? -1 : x->amount_fen < y->amount_fen ? 1 : 0;
}

/* No amount of what was booked, but of the two oldest, is below one that still waits. */
static void the_largest_come_first_with_a_few_of_the_oldest(void **state)
{
    struct fixture *f = *state;
    win(f, "bob", CLAIMS);
    size_t booked = run_lanes(f, lane("bob"));
    assert_in_range(booked, 8, 10); /* one of the oldest may be one of the largest */
    assert_false(pending(f, &f->claims[0]) || pending(f, &f->claims[1]));
    qsort(&f->claims[2], CLAIMS - 2, sizeof f->claims[0], by_amount);
    for (size_t i = 2; i < CLAIMS; i++)
        for (size_t k = i; k < CLAIMS; k++)
            if (pending(f, &f->claims[i]) && !pending(f, &f->claims[k]))
                assert_int_equal(f->claims[i].amount_fen, f->claims[k].amount_fen);
    audit(f);
}

static void they_go_by_age_once_one_has_waited_too_long(void **state)
{
    struct fixture *f = *state;
    win(f, "bob", CLAIMS);
    fake_clock_to(&f->fake, f->claims[0].opened_us + OLD_S * FAKE_US_PER_S + 1);
    assert_int_equal(run_lanes(f, lane("bob")), 10);
    for (size_t i = 0; i < CLAIMS; i++)
        assert_int_equal(pending(f, &f->claims[i]), i >= 10);
    audit(f);
}

/* At the age itself the largest still come first: some of the ten oldest wait. */
static void the_age_limit_is_exact(void **state)
{
    struct fixture *f = *state;
    size_t oldest_waiting = 0;
    win(f, "bob", CLAIMS);
    fake_clock_to(&f->fake, f->claims[0].opened_us + OLD_S * FAKE_US_PER_S);
    assert_in_range(run_lanes(f, lane("bob")), 8, 10);
    for (size_t i = 0; i < 10; i++)
        oldest_waiting += pending(f, &f->claims[i]) ? 1 : 0;
    assert_true(oldest_waiting > 0);
}

static void all_is_booked_in_the_end(void **state)
{
    struct fixture *f = *state;
    int64_t sum_fen = 0;
    bool again = true;
    win(f, "bob", CLAIMS - 1);
    win(f, "carol", 1);
    for (size_t i = 0; i < CLAIMS - 1; i++)
        sum_fen += f->claims[i].amount_fen;
    for (int runs = 0; again; runs++) {
        assert_true(runs < 10);
        assert_int_equal(credit_run(&f->fake.runtime, f->fake.store, &again), ERR_OK);
    }
    assert_int_equal(memory_db_count(f->fake.db, MEMORY_CREDITS), 0);
    assert_int_equal(memory_db_account(f->fake.db, "bob")->balance_fen, sum_fen);
    assert_int_equal(fake_metric(&f->fake, METRIC_CLAIMS_CREDITED), CLAIMS);
    audit(f);
}

static void little_in_several_lanes_is_one_commit(void **state)
{
    struct fixture *f = *state;
    bool again;
    assert_int_not_equal(lane("bob"), lane("carol"));
    win(f, "bob", 2);
    win(f, "carol", 2);
    unsigned before = memory_db_calls(f->fake.db, MEMORY_COMMIT);
    assert_int_equal(credit_run(&f->fake.runtime, f->fake.store, &again), ERR_OK);
    assert_false(again);
    assert_int_equal(memory_db_calls(f->fake.db, MEMORY_COMMIT), before + 1);
    assert_int_equal(memory_db_count(f->fake.db, MEMORY_CREDITS), 0);
    audit(f);
}

/* A claim that was booked already cannot be booked: its transfer's key is taken. */
static struct transfer poison(struct fixture *f, const struct claim *c)
{
    struct transfer t =
        transfer_for_claim(c->user, &c->envelope, (uint32_t)c->seq, c->amount_fen, c->opened_us);
    memory_db_put(f->fake.db, MEMORY_TRANSFERS, &t);
    return t;
}

static int64_t postponed_for_s(struct fixture *f, const struct claim *c)
{
    int64_t until_us = memory_db_credit(f->fake.db, &c->envelope, c->user)->not_before_us;
    return (until_us - f->fake.clock.wall_us) / FAKE_US_PER_S;
}

static void one_that_cannot_be_booked_waits_alone(void **state)
{
    struct fixture *f = *state;
    win(f, "bob", 5);
    struct transfer booked = poison(f, &f->claims[2]);
    assert_int_equal(run_lanes(f, lane("bob")), 4);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(pending(f, &f->claims[i]), i == 2);
    assert_int_equal(postponed_for_s(f, &f->claims[2]), 1);
    assert_int_equal(fake_metric(&f->fake, METRIC_CREDITS_POSTPONED), 1);
    /* not before its time, then for twice as long each time, up to an hour */
    assert_int_equal(run_lanes(f, lane("bob")), 0);
    assert_int_equal(fake_metric(&f->fake, METRIC_CREDITS_POSTPONED), 1);
    for (int64_t wait_s = 2; wait_s <= 8192; wait_s *= 2) {
        fixed_clock_advance(&f->fake.clock, 3600 * FAKE_US_PER_S);
        assert_int_equal(run_lanes(f, lane("bob")), 0);
        assert_int_equal(postponed_for_s(f, &f->claims[2]), wait_s < 3600 ? wait_s : 3600);
    }
    memory_db_remove(f->fake.db, MEMORY_TRANSFERS, &booked); /* what stood in the way is gone */
    fixed_clock_advance(&f->fake.clock, 3600 * FAKE_US_PER_S);
    assert_int_equal(run_lanes(f, lane("bob")), 1);
    audit(f);
}

static void implausible_credits_wait_alone(void **state)
{
    struct fixture *f = *state;
    win(f, "bob", 5);
    struct credit *wrong[4];
    struct credit good[4];
    for (size_t i = 0; i < 4; i++) {
        wrong[i] = &memory_db_credit(f->fake.db, &f->claims[i].envelope, "bob")->c;
        good[i] = *wrong[i];
    }
    wrong[0]->amount_fen = -1;
    wrong[1]->seq = 0;
    wrong[2]->opened_us = INT64_MIN;
    wrong[3]->amount_fen = INT64_MAX;
    assert_int_equal(run_lanes(f, lane("bob")), 1);
    assert_int_equal(fake_metric(&f->fake, METRIC_CREDITS_POSTPONED), 4);
    for (size_t i = 0; i < 4; i++)
        memory_db_credit(f->fake.db, &good[i].envelope, "bob")->c = good[i];
    fixed_clock_advance(&f->fake.clock, 3600 * FAKE_US_PER_S);
    assert_int_equal(run_lanes(f, lane("bob")), 4);
    audit(f);
}

static void a_broken_one_in_several_lanes_keeps_none_of_the_others(void **state)
{
    struct fixture *f = *state;
    bool again;
    win(f, "bob", 2);
    win(f, "carol", 2);
    (void)poison(f, &f->claims[0]);
    assert_int_equal(credit_run(&f->fake.runtime, f->fake.store, &again), ERR_OK);
    assert_int_equal(memory_db_count(f->fake.db, MEMORY_CREDITS), 1);
    assert_true(pending(f, &f->claims[0]));
}

static void a_lane_of_another_daemon_is_left_alone(void **state)
{
    struct fixture *f = *state;
    static struct credit_set set;
    struct store *other = memory_store_open(f->fake.db);
    set = (struct credit_set){.lanes = lane("bob"), .limit_largest = 1, .limit_oldest = 1};
    win(f, "bob", 2);
    assert_int_equal(other->ops->credit_read(other, &set), ERR_OK);
    assert_int_equal(run_lanes(f, lane("bob")), 0);
    assert_true(pending(f, &f->claims[0]));
    other->ops->rollback(other);
    assert_int_equal(run_lanes(f, lane("bob")), 2);
    other->ops->close(other);
    audit(f);
}

static void a_lost_answer_books_once(void **state)
{
    struct fixture *f = *state;
    size_t booked;
    for (int applied = 0; applied < 2; applied++) {
        win(f, "bob", 3);
        memory_db_fail(f->fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, applied == 1, 0, 1);
        assert_int_equal(credit_run_lanes(&f->fake.runtime, f->fake.store, lane("bob"), &booked),
                         ERR_UNAVAILABLE);
        assert_int_equal(booked, 0);
        assert_int_equal(run_lanes(f, lane("bob")), applied == 1 ? 0 : 3);
        audit(f);
    }
    assert_int_equal(memory_db_count(f->fake.db, MEMORY_CREDITS), 0);
    assert_int_equal(fake_metric(&f->fake, METRIC_COMMITS_UNCERTAIN), 2);
}

static void an_absent_database_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const enum memory_op ops[] = {MEMORY_CREDIT_LANES, MEMORY_CREDIT_READ,
                                         MEMORY_CREDIT_WRITE};
    bool again;
    win(f, "bob", 3);
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        memory_db_fail(f->fake.db, ops[i], ERR_UNAVAILABLE, true, 0, 1);
        assert_int_equal(credit_run(&f->fake.runtime, f->fake.store, &again), ERR_UNAVAILABLE);
        assert_int_equal(memory_db_count(f->fake.db, MEMORY_CREDITS), 3);
    }
    assert_int_equal(credit_run(&f->fake.runtime, f->fake.store, &again), ERR_OK);
    audit(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_largest_come_first_with_a_few_of_the_oldest),
        TEST(they_go_by_age_once_one_has_waited_too_long),
        TEST(the_age_limit_is_exact),
        TEST(all_is_booked_in_the_end),
        TEST(little_in_several_lanes_is_one_commit),
        TEST(one_that_cannot_be_booked_waits_alone),
        TEST(implausible_credits_wait_alone),
        TEST(a_broken_one_in_several_lanes_keeps_none_of_the_others),
        TEST(a_lane_of_another_daemon_is_left_alone),
        TEST(a_lost_answer_books_once),
        TEST(an_absent_database_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
