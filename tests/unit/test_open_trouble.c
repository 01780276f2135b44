/* Opens when the database refuses, hangs on to a row, or loses its reply: each is answered what is
 * stored and durable, and the trouble of one is not that of the others. */
#include "tests/fake/fake_batches.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_batches b;
static struct envelope e, second;
static struct fake_opening os[4];
static unsigned seen;

static int set_up(void **state)
{
    (void)state;
    fake_batches_init(&b);
    e = second = (struct envelope){.shares = 10};
    fake_send(&b.fake, &e);
    fake_send(&b.fake, &second);
    fake_gate_put(&b.fake, &e);
    seen = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_batches_end(&b);
    return 0;
}

/* Run opens of bob and carol at e, and of dave at second. */
static void run(void)
{
    fake_opening_fill(&b, &os[0], &e.id, "bob", 60);
    fake_opening_fill(&b, &os[1], &second.id, "dave", 60);
    fake_opening_fill(&b, &os[2], &e.id, "carol", 60);
    fake_openings_run(&b, os, 3);
}

static void assert_all_stored_once(void)
{
    for (size_t i = 0; i < 3; i++)
        assert_true(fake_opening_is_stored(&b, &os[i]));
    assert_int_equal(memory_db_count(b.fake.db, MEMORY_CLAIMS), 3);
}

/* ---- durable before answered ---- */

/* Another process opens; what it committed is visible, and not durable yet. */
static void open_elsewhere(unsigned n)
{
    memory_db_delay_flush(b.fake.db, true);
    for (unsigned i = 0; i < n; i++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "user-%u", i);
        (void)fake_open(&b.fake, &e.id, user);
    }
    assert_false(memory_db_is_durable(b.fake.db));
}

/* Nothing is published before what it rests on is durable. */
static void see_publishing(void *context, enum memory_cache_op op, const char *key)
{
    (void)context;
    (void)key;
    seen += op == MEMORY_CACHE_FLUSH;
    assert_true(memory_db_is_durable(b.fake.db));
}

static void an_earlier_claim_waits_for_a_barrier(void **state)
{
    (void)state;
    open_elsewhere(1);
    memory_cache_set_hook(b.fake.server, see_publishing, NULL);
    for (unsigned repeat = 1; repeat <= 2; repeat++) {
        assert_true(fake_opening_is_stored(&b, fake_opening(&b, &e.id, "user-0")));
        assert_true(memory_db_is_durable(b.fake.db));
        assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), repeat);
        assert_int_equal(fake_metric(&b.fake, METRIC_BARRIERS), repeat);
    }
    assert_int_equal(seen, 2);
}

static void an_earlier_end_waits_for_a_barrier(void **state)
{
    (void)state;
    open_elsewhere(10);
    const struct fake_opening *o = fake_opening(&b, &e.id, "bob");
    assert_int_equal(o->request.err, ERR_OK);
    assert_int_equal(o->request.answer.state, OPEN_SOLD_OUT);
    assert_true(memory_db_is_durable(b.fake.db));
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 1);
}

static void without_the_barrier_there_is_no_answer(void **state)
{
    (void)state;
    open_elsewhere(10);
    memory_db_fail(b.fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 2);
    assert_int_equal(fake_opening(&b, &e.id, "bob")->request.err, ERR_UNAVAILABLE);
    memory_db_fail(b.fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 2);
    assert_int_equal(fake_opening(&b, &e.id, "user-3")->request.err, ERR_UNAVAILABLE);
    memory_db_crash(b.fake.db);
    memory_db_delay_flush(b.fake.db, false);
    assert_true(fake_opening_is_stored(&b, fake_opening(&b, &e.id, "bob")));
    assert_int_equal(fake_envelope(&b.fake, &e.id)->opened_shares, 1);
}

static void a_commit_makes_earlier_rows_durable_too(void **state)
{
    (void)state;
    open_elsewhere(1);
    memory_db_delay_flush(b.fake.db, false);
    fake_opening_fill(&b, &os[0], &e.id, "user-0", -1); /* looked up at once */
    fake_opening_fill(&b, &os[1], &e.id, "bob", 60);
    fake_openings_run(&b, os, 2);
    assert_true(fake_opening_is_stored(&b, &os[0]) && fake_opening_is_stored(&b, &os[1]));
    assert_true(memory_db_is_durable(b.fake.db));
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 0);
}

static void a_refusal_waits_for_nothing(void **state)
{
    (void)state;
    open_elsewhere(1);
    fake_opening_fill(&b, &os[0], &e.id, "bob", -1);
    fake_openings_run(&b, os, 1);
    assert_int_equal(os[0].request.err, ERR_TICKET_EXPIRED);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 0);
}

/* ---- commits whose reply is lost ---- */

static void an_uncertain_commit_is_run_again(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, false, 0, 1);
    run();
    assert_all_stored_once();
    assert_int_equal(fake_metric(&b.fake, METRIC_COMMITS_UNCERTAIN), 1);
}

static void an_uncertain_commit_that_was_applied_gives_its_claims(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    run();
    assert_all_stored_once();
    assert_int_equal(fake_metric(&b.fake, METRIC_COMMITS_UNCERTAIN), 1);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 1); /* it may not be durable */
}

static void the_last_share_is_found_again_after_a_lost_reply(void **state)
{
    (void)state;
    for (char c = 'a'; fake_envelope(&b.fake, &e.id)->opened_shares < 9; c++)
        (void)fake_open(&b.fake, &e.id, (char[]){c, '\0'});
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    fake_opening_fill(&b, &os[0], &e.id, "zoe", 60);
    fake_opening_fill(&b, &os[1], &e.id, "yan", 60);
    fake_openings_run(&b, os, 2);
    assert_true(fake_opening_is_stored(&b, &os[0]));
    assert_int_equal(os[1].request.err, ERR_OK);
    assert_int_equal(os[1].request.answer.state, OPEN_SOLD_OUT);
}

static void what_stays_uncertain_is_unavailable_and_safe_to_repeat(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, false, 0, 100);
    run();
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(os[i].request.err, ERR_UNAVAILABLE);
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_OK, false, 0, 0);
    run();
    assert_all_stored_once();
}

static void nothing_is_published_of_a_transaction_that_failed(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, false, 0, 100);
    run();
    assert_int_equal(memory_cache_calls(b.fake.server, MEMORY_CACHE_FLUSH), 0);
    char key[ITEM_KEY_SIZE];
    item_key_user(key, b.fake.runtime.generation, &e.id, "bob");
    assert_null(memory_cache_look(b.fake.server, key));
}

/* ---- locks and refusals ---- */

static void a_locked_envelope_turns_out_its_own_rows_alone(void **state)
{
    (void)state;
    fake_lock_envelope(&b, &e.id);
    run();
    assert_int_equal(os[0].request.err, ERR_LOCKED);
    assert_true(fake_opening_is_stored(&b, &os[1]));
    assert_int_equal(os[2].request.err, ERR_LOCKED);
    fake_unlock(&b);
    run(); /* it is parked for a second */
    assert_int_equal(os[0].request.err, ERR_LOCKED);
    fixed_clock_advance(&b.fake.clock, FAKE_US_PER_S);
    run();
    assert_all_stored_once();
}

static void a_row_that_the_schema_refuses_fails_alone(void **state)
{
    (void)state;
    struct memory_credit stray = {.c = {.user = "dave", .envelope = second.id}};
    memory_db_put(b.fake.db, MEMORY_CREDITS, &stray); /* its credit exists already */
    run();
    assert_true(fake_opening_is_stored(&b, &os[0]));
    assert_int_equal(os[1].request.err, ERR_UNAVAILABLE);
    assert_true(fake_opening_is_stored(&b, &os[2]));
    memory_db_remove(b.fake.db, MEMORY_CREDITS, &stray);
}

static void a_fault_is_answered_to_all(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_OPEN_WRITE, ERR_FAULT, false, 0, 1);
    run();
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(os[i].request.err, ERR_FAULT);
    assert_int_equal(memory_db_count(b.fake.db, MEMORY_CLAIMS), 0);
}

/* ---- time ---- */

static void see_deadline(void *context, enum memory_op op, struct store *s)
{
    const int64_t *expected = context;
    if (op != MEMORY_OPEN_READ)
        return;
    seen++;
    assert_int_equal(memory_store_deadline(s), *expected);
}

static void the_session_has_the_deadline_of_the_batch(void **state)
{
    int64_t deadline_us = b.fake.clock.mono_us + FAKE_US_PER_S;
    (void)state;
    memory_db_set_hook(b.fake.db, see_deadline, &deadline_us);
    run();
    assert_int_equal(seen, 1);
}

static void pass_the_deadline(void *context, enum memory_op op, struct store *s)
{
    (void)context;
    (void)s;
    if (op == MEMORY_OPEN_WRITE)
        fixed_clock_advance(&b.fake.clock, 2 * FAKE_US_PER_S);
}

static void nothing_is_begun_after_the_deadline(void **state)
{
    (void)state;
    memory_db_set_hook(b.fake.db, pass_the_deadline, NULL);
    run();
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(os[i].request.err, ERR_UNAVAILABLE);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_OPEN_READ), 1);
    assert_int_equal(memory_db_count(b.fake.db, MEMORY_CLAIMS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_earlier_claim_waits_for_a_barrier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_earlier_end_waits_for_a_barrier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_barrier_there_is_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_makes_earlier_rows_durable_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_waits_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_uncertain_commit_is_run_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_uncertain_commit_that_was_applied_gives_its_claims,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_share_is_found_again_after_a_lost_reply, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_stays_uncertain_is_unavailable_and_safe_to_repeat,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_published_of_a_transaction_that_failed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_locked_envelope_turns_out_its_own_rows_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_the_schema_refuses_fails_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_fault_is_answered_to_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_session_has_the_deadline_of_the_batch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_begun_after_the_deadline, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
