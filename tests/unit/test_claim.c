/* Claims: what a burst costs, what comes before what, and what is refused. The books are audited
 * after each test. */
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

/* Let `first` take a share, others the rest, and this process learn of the end. */
static void sell_out(const char *first)
{
    char user[] = "winner-a";
    (void)fake_claim(&f, &f.e.id, first);
    for (; fake_envelope(&f.b.fake, &f.e.id)->state == STATE_OPEN; user[7]++)
        (void)fake_claim(&f, &f.e.id, user);
    assert_true(fake_claim_is_end(fake_claim(&f, &f.e.id, "late"), STATE_SOLD_OUT));
}

/* ---- bursts ---- */

static void a_burst_is_one_read_a_cas_an_envelope_and_one_commit(void **state)
{
    struct envelope other = {.shares = 3};
    const char *users[] = {"zoe", "bob", "carol"};
    (void)state;
    fake_send(&f.b.fake, &other);
    fake_gate_put(&f.b.fake, &other);
    for (size_t i = 0; i < 3; i++)
        fake_claiming_fill(&f.cs[i], &f.e.id, users[i]);
    fake_claiming_fill(&f.cs[3], &other.id, "bob");
    fake_claims_burst(&f, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(fake_claiming_is_stored(&f, &f.cs[i]));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f.cs[i].request.open.answer.claim.seq, i + 1); /* in order of arrival */
    assert_int_equal(fake_claims_gate_left(&f), 7);
    assert_int_equal(memory_cache_calls(f.b.fake.server, MEMORY_CACHE_CAS_ALL), 1);
    assert_int_equal(memory_cache_calls(f.b.fake.server, MEMORY_CACHE_GET), 1);
    assert_int_equal(memory_db_calls(f.b.fake.db, MEMORY_OPEN_READ), 1);
    assert_int_equal(memory_db_calls(f.b.fake.db, MEMORY_COMMIT), 1);
    assert_int_equal(fake_claims_asked(&f), 0);
}

static void those_without_a_share_of_the_gate_do_not_reach_the_primary(void **state)
{
    (void)state;
    fake_claims_put_gate(&f, 2);
    for (size_t i = 0; i < 5; i++) {
        char user[] = "user-0";
        user[5] = (char)('0' + i);
        fake_claiming_fill(&f.cs[i], &f.e.id, user);
    }
    fake_claims_burst(&f, 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(i < 2 ? fake_claiming_is_stored(&f, &f.cs[i])
                          : fake_claim_is_busy(&f.cs[i].request));
    assert_int_equal(fake_envelope(&f.b.fake, &f.e.id)->opened_shares, 2);
    assert_int_equal(fake_claims_asked(&f), 0);
}

static void claims_of_one_user_in_a_burst_are_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        fake_claiming_fill(&f.cs[i], &f.e.id, "bob");
    fake_claims_burst(&f, 8);
    for (size_t i = 0; i < 8; i++)
        assert_true(fake_claiming_is_stored(&f, &f.cs[i]));
    assert_int_equal(fake_claims_gate_left(&f), 9);
    assert_int_equal(fake_envelope(&f.b.fake, &f.e.id)->opened_shares, 1);
}

/* ---- the user's earlier claim ---- */

static void a_repeat_is_given_the_first_answer_and_takes_no_share(void **state)
{
    (void)state;
    struct open_answer first = fake_claim(&f, &f.e.id, "bob")->open.answer;
    for (unsigned repeat = 0; repeat < 3; repeat++) {
        fixed_clock_advance(&f.b.fake.clock, FAKE_US_PER_S);
        (void)fake_claim(&f, &f.e.id, "bob");
        assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
        assert_int_equal(f.cs[0].request.open.answer.claim.seq, first.claim.seq);
    }
    assert_int_equal(fake_claims_gate_left(&f), 9);
    assert_int_equal(fake_metric(&f.b.fake, METRIC_BATCH_LOOKUPS), 0); /* none was run again */
}

static void a_claim_of_another_process_is_looked_up_at_once(void **state)
{
    (void)state;
    struct claim first = fake_claims_elsewhere(&f, "bob");
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(f.cs[0].request.open.answer.claim.seq, first.seq);
    assert_int_equal(fake_metric(&f.b.fake, METRIC_BATCH_LOOKUPS), 0);
}

static void an_earlier_claim_comes_before_the_end(void **state)
{
    (void)state;
    sell_out("bob");
    unsigned reads = memory_db_calls(f.b.fake.db, MEMORY_OPEN_READ),
             confirmed = fake_claims_asked(&f);
    assert_true(fake_claim_is_end(fake_claim(&f, &f.e.id, "dave"), STATE_SOLD_OUT));
    assert_int_equal(memory_db_calls(f.b.fake.db, MEMORY_OPEN_READ), reads);
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(memory_db_calls(f.b.fake.db, MEMORY_OPEN_READ), reads + 1);
    assert_int_equal(fake_claims_asked(&f), confirmed);
}

static void an_earlier_claim_comes_before_recipients(void **state)
{
    struct envelope team = {.to_kind = TO_GROUP, .to = "team", .shares = 2};
    (void)state;
    fake_send(&f.b.fake, &team);
    fake_gate_put(&f.b.fake, &team);
    fake_claiming_fill(&f.cs[0], &team.id, "bob");
    f.cs[0].who.n_groups = 1;
    snprintf(f.cs[0].who.groups[0], sizeof f.cs[0].who.groups[0], "team");
    fake_claims_burst(&f, 1);
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    (void)fake_claim(&f, &team.id, "bob"); /* a token without the group */
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_claim(&f, &team.id, "mallory")->err, ERR_NOT_RECIPIENT);
}

static void a_ticket_of_a_grab_counts(void **state)
{
    struct user_value ticket = {.ticket_expires_s = f.b.fake.clock.wall_us / FAKE_US_PER_S + 60};
    (void)state;
    fake_claims_put_gate(&f, 0);
    fake_claims_put_user(&f, "bob", &ticket);
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    ticket.ticket_expires_s -= 120; /* lapsed */
    fake_claims_put_user(&f, "carol", &ticket);
    (void)fake_claim(&f, &f.e.id, "carol");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_claims_gate_left(&f), 0);
}

/* ---- refusals ---- */

static void those_refused_are_answered_the_reason(void **state)
{
    struct id none = id_make(&f.b.fake.rng.rng, f.b.fake.clock.wall_us, 0);
    (void)state;
    assert_int_equal(fake_claim(&f, &none, "bob")->err, ERR_NOT_FOUND);
    assert_int_equal(fake_claim(&f, &f.e.id, "guest:1")->err, ERR_NOT_RECIPIENT);
    assert_int_equal(fake_envelope(&f.b.fake, &f.e.id)->opened_shares, 0);
}

static void a_past_due_envelope_is_closed_for_a_ticket_and_busy_without(void **state)
{
    const struct user_value ticket = {.ticket_expires_s = UINT32_MAX};
    (void)state;
    fake_clock_to(&f.b.fake, f.e.expires_us);
    assert_true(fake_claim_is_busy(fake_claim(&f, &f.e.id, "carol")));
    fake_claims_put_user(&f, "bob", &ticket);
    assert_true(fake_claim_is_end(fake_claim(&f, &f.e.id, "bob"), STATE_EXPIRED));
    const struct envelope *now = fake_envelope(&f.b.fake, &f.e.id);
    assert_int_equal(now->state, STATE_EXPIRED);
    assert_int_equal(now->refunded_fen, now->total_fen);
}

static void claims_share_the_rate_of_grabs(void **state)
{
    (void)state;
    f.b.fake.config.grabs_per_s = 1;
    f.b.fake.config.grabs_burst = 2;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(fake_claim(&f, &f.e.id, "bob")->err, ERR_OK);
    assert_int_equal(fake_claim(&f, &f.e.id, "bob")->err, ERR_RATE_LIMITED);
    assert_true(f.cs[0].request.retry_after_s >= 1);
    assert_int_equal(fake_claim(&f, &f.e.id, "carol")->err, ERR_OK);
}

/* Only those whom the primary would have to look up. */
static void at_a_closed_envelope_the_rate_limits_known_users_only(void **state)
{
    (void)state;
    sell_out("bob");
    f.b.fake.config.grabs_per_s = 1;
    f.b.fake.config.grabs_burst = 2;
    fixed_clock_advance(&f.b.fake.clock, 10 * FAKE_US_PER_S);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(fake_claim_is_end(fake_claim(&f, &f.e.id, "dave"), STATE_SOLD_OUT));
        assert_int_equal(fake_claim(&f, &f.e.id, "bob")->err, i < 2 ? ERR_OK : ERR_RATE_LIMITED);
    }
}

/* Its end would be answered in place of the earlier claim. */
static void a_known_user_over_the_rate_is_not_answered_the_end(void **state)
{
    char user[] = "winner-a";
    (void)state;
    (void)fake_claims_elsewhere(&f, "bob");
    for (; fake_envelope(&f.b.fake, &f.e.id)->state == STATE_OPEN; user[7]++)
        (void)fake_claims_elsewhere(&f, user);
    fake_gate_put(&f.b.fake, fake_envelope(&f.b.fake, &f.e.id));
    f.b.fake.config.grabs_per_s = 1;
    f.b.fake.config.grabs_burst = 1;
    (void)fake_claim(&f, &f.e.id, "bob");
    assert_true(fake_claiming_is_stored(&f, &f.cs[0]));
    assert_int_equal(fake_claim(&f, &f.e.id, "bob")->err, ERR_RATE_LIMITED);
    assert_true(fake_claim_is_end(fake_claim(&f, &f.e.id, "dave"), STATE_SOLD_OUT));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_burst_is_one_read_a_cas_an_envelope_and_one_commit),
        TEST(those_without_a_share_of_the_gate_do_not_reach_the_primary),
        TEST(claims_of_one_user_in_a_burst_are_one),
        TEST(a_repeat_is_given_the_first_answer_and_takes_no_share),
        TEST(a_claim_of_another_process_is_looked_up_at_once),
        TEST(an_earlier_claim_comes_before_the_end),
        TEST(an_earlier_claim_comes_before_recipients),
        TEST(a_ticket_of_a_grab_counts),
        TEST(those_refused_are_answered_the_reason),
        TEST(a_past_due_envelope_is_closed_for_a_ticket_and_busy_without),
        TEST(claims_share_the_rate_of_grabs),
        TEST(at_a_closed_envelope_the_rate_limits_known_users_only),
        TEST(a_known_user_over_the_rate_is_not_answered_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
