/* Opens, a batch at a time: which users are given a share, and what the others are answered. */
#include "tests/fake/fake_batches.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fake_batches b;
static struct envelope e; /* 10 shares, 1000 fen, to anyone */
static struct fake_opening os[BATCH_MAX];

static int set_up(void **state)
{
    (void)state;
    fake_batches_init(&b);
    e = (struct envelope){.shares = 10};
    fake_send(&b.fake, &e);
    fake_gate_put(&b.fake, &e);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_batches_end(&b);
    return 0;
}

static int64_t opened_shares(void)
{
    return fake_envelope(&b.fake, &e.id)->opened_shares;
}

static void fill(size_t i, const char *user, int64_t life_s)
{
    fake_opening_fill(&b, &os[i], &e.id, user, life_s);
}

static enum open_state answer_of(const struct fake_opening *o)
{
    assert_int_equal(o->request.err, ERR_OK);
    return o->request.answer.state;
}

static void a_batch_gives_each_user_the_next_share(void **state)
{
    struct envelope other = {.shares = 3};
    (void)state;
    fake_send(&b.fake, &other);
    const char *users[] = {"zoe", "bob", "carol"};
    for (size_t i = 0; i < 3; i++)
        fill(i, users[i], 60);
    fake_opening_fill(&b, &os[3], &other.id, "bob", 60);
    fake_openings_run(&b, os, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(fake_opening_is_stored(&b, &os[i]));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(os[i].request.answer.claim.seq, i + 1); /* in order of arrival */
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_COMMIT), 1);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 0);
}

static void repeats_in_a_batch_are_one_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        fill(i, i % 2 == 0 ? "bob" : "carol", 60);
    fake_openings_run(&b, os, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(fake_opening_is_stored(&b, &os[i]));
    assert_int_equal(os[0].request.answer.claim.seq, os[2].request.answer.claim.seq);
    assert_int_equal(opened_shares(), 2);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_OPEN_READ), 1);
    assert_int_equal(fake_metric(&b.fake, METRIC_BATCH_LOOKUPS), 0);
}

static void a_live_ticket_counts_for_its_repeats(void **state)
{
    (void)state;
    fill(0, "bob", -1);
    fill(1, "bob", 60);
    fill(2, "bob", -1);
    fill(3, "carol", -1);
    fake_openings_run(&b, os, 4);
    for (size_t i = 0; i < 3; i++)
        assert_true(fake_opening_is_stored(&b, &os[i]));
    assert_int_equal(os[3].request.err, ERR_TICKET_EXPIRED);
    assert_int_equal(opened_shares(), 1);
}

/* The first repeat of a user costs another run; from then on the user is expected to have one. */
static void a_later_repeat_gets_the_first_answer(void **state)
{
    (void)state;
    struct claim first = fake_open(&b.fake, &e.id, "bob"); /* by another process */
    for (unsigned repeat = 0; repeat < 3; repeat++) {
        const struct fake_opening *o = fake_opening(&b, &e.id, "bob");
        assert_true(fake_opening_is_stored(&b, o));
        assert_int_equal(o->request.answer.claim.seq, first.seq);
        assert_int_equal(fake_metric(&b.fake, METRIC_BATCH_LOOKUPS), 1);
    }
    assert_int_equal(opened_shares(), 1);
}

/* What is inserted and what is found must not change places. */
static void a_repeat_costs_the_others_of_its_batch_nothing(void **state)
{
    (void)state;
    (void)fake_open(&b.fake, &e.id, "carol");
    const char *users[] = {"bob", "carol", "dave"};
    for (size_t i = 0; i < 3; i++)
        fill(i, users[i], 60);
    fake_openings_run(&b, os, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(fake_opening_is_stored(&b, &os[i]));
    assert_int_equal(os[1].request.answer.claim.seq, 1);
    assert_int_equal(opened_shares(), 3);
}

static void a_lapsed_ticket_gives_an_earlier_claim_or_the_end(void **state)
{
    (void)state;
    (void)fake_open(&b.fake, &e.id, "bob");
    fill(0, "bob", -1);
    fill(1, "carol", -1);
    fill(2, "dave", 0); /* lapses now */
    fake_openings_run(&b, os, 3);
    assert_true(fake_opening_is_stored(&b, &os[0]));
    assert_int_equal(os[1].request.err, ERR_TICKET_EXPIRED);
    assert_int_equal(os[2].request.err, ERR_TICKET_EXPIRED);
    assert_int_equal(opened_shares(), 1);
    for (char c = 'a'; opened_shares() < 10; c++)
        (void)fake_open(&b.fake, &e.id, (char[]){c, '\0'});
    fill(1, "carol", -1);
    fake_openings_run(&b, os, 2);
    assert_true(fake_opening_is_stored(&b, &os[0]));
    assert_int_equal(answer_of(&os[1]), OPEN_SOLD_OUT);
}

static void a_forged_ticket_goes_no_further(void **state)
{
    (void)state;
    (void)fake_open(&b.fake, &e.id, "bob");
    fill(0, "bob", 60);
    os[0].request.ticket[8] = os[0].request.ticket[8] == 'A' ? 'B' : 'A';
    fill(1, "carol", 60);
    memcpy(os[1].who.user, "dave", sizeof "dave"); /* with carol's */
    fill(2, "bob", 60);
    os[2].id.b[0] ^= 1; /* another envelope */
    fake_openings_run(&b, os, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(os[i].request.err, ERR_TICKET_INVALID);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_OPEN_READ), 1); /* that of fake_open */
}

static void those_without_a_share_are_answered_the_reason(void **state)
{
    struct envelope restricted = {.to_kind = TO_USERS, .to = "bob"};
    struct id none = id_make(&b.fake.rng.rng, b.fake.clock.wall_us, 0);
    (void)state;
    fake_send(&b.fake, &restricted);
    fake_opening_fill(&b, &os[0], &none, "bob", 60);
    fake_opening_fill(&b, &os[1], &restricted.id, "mallory", 60);
    fake_opening_fill(&b, &os[2], &restricted.id, "bob", 60);
    fake_opening_fill(&b, &os[3], &e.id, "guest:1", 60);
    fake_openings_run(&b, os, 4);
    assert_int_equal(os[0].request.err, ERR_NOT_FOUND);
    assert_int_equal(os[1].request.err, ERR_NOT_RECIPIENT);
    assert_true(fake_opening_is_stored(&b, &os[2]));
    assert_int_equal(os[3].request.err, ERR_NOT_RECIPIENT);
}

static void members_of_a_group_are_admitted(void **state)
{
    struct envelope team = {.to_kind = TO_GROUP, .to = "team"};
    (void)state;
    fake_send(&b.fake, &team);
    for (size_t i = 0; i < 3; i++) {
        char user[] = "user-0";
        user[5] = (char)('0' + i);
        fake_opening_fill(&b, &os[i], &team.id, user, 60);
        os[i].who.n_groups = i;
        snprintf(os[i].who.groups[0], sizeof os[i].who.groups[0], "%s", i == 1 ? "others" : "more");
        snprintf(os[i].who.groups[1], sizeof os[i].who.groups[1], "team");
    }
    fake_openings_run(&b, os, 3);
    assert_int_equal(os[0].request.err, ERR_NOT_RECIPIENT);
    assert_int_equal(os[1].request.err, ERR_NOT_RECIPIENT);
    assert_true(fake_opening_is_stored(&b, &os[2]));
}

static void the_last_share_sells_out_and_is_published(void **state)
{
    struct gate g;
    (void)state;
    for (size_t i = 0; i < 12; i++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "user-%zu", i);
        fill(i, user, 60);
    }
    fake_openings_run(&b, os, 12);
    int64_t sum_fen = 0;
    for (size_t i = 0; i < 10; i++) {
        assert_true(fake_opening_is_stored(&b, &os[i]));
        sum_fen += os[i].request.answer.claim.amount_fen;
    }
    assert_int_equal(sum_fen, 1000);
    for (size_t i = 10; i < 12; i++)
        assert_int_equal(answer_of(&os[i]), OPEN_SOLD_OUT);
    assert_true(fake_gate_get(&b.fake, &e.id, &g));
    assert_int_equal(g.state, STATE_SOLD_OUT);
    assert_true(fake_marker_exists(&b.fake, &e.id));
    assert_int_equal(memory_db_count(b.fake.db, MEMORY_CLOSINGS), 1);
}

static void a_past_due_envelope_is_closed_before_it_is_answered(void **state)
{
    (void)state;
    (void)fake_open(&b.fake, &e.id, "carol");
    fake_clock_to(&b.fake, e.expires_us);
    const char *users[] = {"bob", "carol", "dave"};
    for (size_t i = 0; i < 3; i++)
        fill(i, users[i], 60);
    fake_openings_run(&b, os, 3);
    assert_int_equal(answer_of(&os[0]), OPEN_EXPIRED);
    assert_true(fake_opening_is_stored(&b, &os[1]));
    assert_int_equal(answer_of(&os[2]), OPEN_EXPIRED);
    const struct envelope *now = fake_envelope(&b.fake, &e.id);
    assert_int_equal(now->state, STATE_EXPIRED);
    assert_int_equal(now->opened_fen + now->refunded_fen, now->total_fen);
    assert_true(fake_marker_exists(&b.fake, &e.id));
}

static void a_closing_that_fails_leaves_the_end_unanswered(void **state)
{
    (void)state;
    fake_clock_to(&b.fake, e.expires_us);
    memory_db_fail(b.fake.db, MEMORY_REFUND_WRITE, ERR_FAULT, false, 0, 1);
    assert_int_equal(fake_opening(&b, &e.id, "bob")->request.err, ERR_FAULT);
    assert_int_equal(fake_envelope(&b.fake, &e.id)->state, STATE_OPEN);
    assert_false(fake_marker_exists(&b.fake, &e.id));
    assert_int_equal(answer_of(fake_opening(&b, &e.id, "bob")), OPEN_EXPIRED);
}

static void a_frozen_envelope_gives_nothing_but_earlier_claims(void **state)
{
    bool changed;
    (void)state;
    (void)fake_open(&b.fake, &e.id, "bob");
    assert_int_equal(b.other->ops->freeze(b.other, &e.id, 1, &changed), ERR_OK);
    fill(0, "bob", 60);
    fill(1, "carol", 60);
    fill(2, "dave", -1);
    fake_openings_run(&b, os, 3);
    assert_true(fake_opening_is_stored(&b, &os[0]));
    assert_int_equal(os[1].request.err, ERR_UNAVAILABLE);
    assert_int_equal(os[2].request.err, ERR_UNAVAILABLE);
    assert_int_equal(opened_shares(), 1);
    fake_clock_to(&b.fake, e.expires_us); /* nor is it closed */
    fill(1, "carol", 60);
    fake_openings_run(&b, &os[1], 1);
    assert_int_equal(os[1].request.err, ERR_UNAVAILABLE);
    assert_int_equal(fake_envelope(&b.fake, &e.id)->state, STATE_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_gives_each_user_the_next_share, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeats_in_a_batch_are_one_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_live_ticket_counts_for_its_repeats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_repeat_gets_the_first_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeat_costs_the_others_of_its_batch_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lapsed_ticket_gives_an_earlier_claim_or_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_forged_ticket_goes_no_further, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_without_a_share_are_answered_the_reason, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(members_of_a_group_are_admitted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_share_sells_out_and_is_published, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_past_due_envelope_is_closed_before_it_is_answered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_closing_that_fails_leaves_the_end_unanswered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_frozen_envelope_gives_nothing_but_earlier_claims, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
