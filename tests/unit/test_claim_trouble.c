/* Claims while the cache lies or is away, and while the primary fails: nothing in the cache decides
 * about money. The books are audited after each test. */
#include "tests/fake/fake_claims.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_claims f;

static int set_up(void **state)
{
    (void)state;
    fake_claims_init(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_claims_end(&f);
    return 0;
}

/* ---- what the cache says may be wrong ---- */

static void amounts_in_the_cache_are_not_believed(void **state)
{
    const struct user_value lie = {.opened = true, .amount_fen = 999, .seq = 7, .opened_us = 1};
    (void)state;
    fake_claims_put_user(&f, "bob", &lie); /* who has no claim */
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    fake_claims_put_user(&f, "bob", &lie);
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_envelope(&f.b.fake, &f.e.id)->opened_shares, 1);
}

static void a_false_end_is_not_believed(void **state)
{
    struct envelope wrong = f.e;
    (void)state;
    wrong.state = STATE_SOLD_OUT;
    fake_gate_put(&f.b.fake, &wrong);
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(f.cs[0].deferred && fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_claims_asked(&f), 1);
}

static void without_a_cache_the_primary_decides(void **state)
{
    (void)state;
    memory_cache_set_away(f.b.fake.server, true);
    for (size_t i = 0; i < 12; i++) {
        char user[] = "user-a";
        user[5] = (char)('a' + i);
        (void)fake_claim(&f, &f.e.id, user);
        assert_true(i < 10 ? fake_claiming_is_stored(&f, &f.cs[0])
                           : fake_claim_is_end(&f.cs[0].request, STATE_SOLD_OUT));
    }
    memory_cache_set_away(f.b.fake.server, false);
}

static void after_a_restart_of_the_cache_the_gate_is_made_again(void **state)
{
    (void)state;
    (void)fake_claim(&f, &f.e.id, "bob");
    memory_cache_restart(f.b.fake.server);
    (void)fake_claim(&f, &f.e.id, "carol");
    assert_true(f.cs[0].deferred && fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_claims_gate_left(&f), 8);
    (void)fake_claim(&f, &f.e.id, "bob"); /* no item is left: the primary finds the claim */
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(f.cs[0].request.open.answer.claim.seq, 1);
    assert_int_equal(fake_metric(&f.b.fake, METRIC_GATE_CREATED), 1);
}

/* ---- trouble with the primary ---- */

static void a_claim_that_failed_is_repeated_with_its_share_of_the_gate(void **state)
{
    (void)state;
    memory_db_set_away(f.b.fake.db, true);
    assert_int_equal(fake_claim(&f, &f.e.id, "bob")->err, ERR_UNAVAILABLE);
    memory_db_set_away(f.b.fake.db, false);
    assert_int_equal(fake_claims_gate_left(&f), 9);
    fixed_clock_advance(&f.b.fake.clock, 2 * FAKE_US_PER_S);
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_claims_gate_left(&f), 9);
}

static void an_uncertain_commit_gives_the_claim_it_stored(void **state)
{
    (void)state;
    memory_db_fail(f.b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_envelope(&f.b.fake, &f.e.id)->opened_shares, 1);
}

static void a_locked_envelope_does_not_hold_up_the_others(void **state)
{
    struct envelope other = {.shares = 3};
    (void)state;
    fake_send(&f.b.fake, &other);
    fake_gate_put(&f.b.fake, &other);
    fake_claiming_fill(&f.cs[0], &f.e.id, "bob");
    fake_claiming_fill(&f.cs[1], &other.id, "bob");
    fake_lock_envelope(&f.b, &f.e.id);
    fake_claims_burst(&f, 2);
    fake_unlock(&f.b);
    assert_int_equal(f.cs[0].request.err, ERR_LOCKED);
    assert_true(fake_claiming_is_stored(&f, &f.cs[1]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(amounts_in_the_cache_are_not_believed),
        TEST(a_false_end_is_not_believed),
        TEST(without_a_cache_the_primary_decides),
        TEST(after_a_restart_of_the_cache_the_gate_is_made_again),
        TEST(a_claim_that_failed_is_repeated_with_its_share_of_the_gate),
        TEST(an_uncertain_commit_gives_the_claim_it_stored),
        TEST(a_locked_envelope_does_not_hold_up_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
