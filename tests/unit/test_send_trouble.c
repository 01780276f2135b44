/* Sends when the database refuses, hangs on to an account, or loses its reply: each key sends once,
 * and what is answered is durable. */
#include "tests/fake/fake_batches.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_batches b;
static struct fake_sending ss[4];
static struct send_set rival; /* of the other session */
static struct envelope rival_envelope;
static unsigned seen;

static int set_up(void **state)
{
    (void)state;
    fake_batches_init(&b);
    memory_db_add_account(b.fake.db, "alice", 10000);
    memory_db_add_account(b.fake.db, "bob", 10000);
    seen = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_batches_end(&b);
    return 0;
}

static int64_t balance(const char *user)
{
    return memory_db_account(b.fake.db, user)->balance_fen;
}

/* Two sends by alice, and one by bob in between. */
static void run(void)
{
    fake_sending_fill(&ss[0], "alice", "1", 100);
    fake_sending_fill(&ss[1], "bob", "1", 200);
    fake_sending_fill(&ss[2], "alice", "2", 300);
    fake_sendings_run(&b, ss, 3);
}

static void assert_all_sent_once(void)
{
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ss[i].request.err, ERR_OK);
        assert_int_equal(fake_envelope(&b.fake, &ss[i].request.envelope.id)->total_fen,
                         ss[i].request.total_fen);
    }
    assert_int_equal(memory_db_count(b.fake.db, MEMORY_ENVELOPES), 3);
    assert_int_equal(balance("alice"), 9600);
    assert_int_equal(balance("bob"), 9800);
}

static void an_uncertain_commit_is_run_again(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, false, 0, 1);
    run();
    assert_all_sent_once();
    assert_int_equal(fake_metric(&b.fake, METRIC_COMMITS_UNCERTAIN), 1);
}

static void an_uncertain_commit_that_was_applied_is_replayed(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    run();
    assert_all_sent_once();
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 1); /* it may not be durable */
}

static void what_stays_uncertain_is_unavailable_and_safe_to_repeat(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, false, 0, 100);
    run();
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ss[i].request.err, ERR_UNAVAILABLE);
    assert_int_equal(memory_cache_calls(b.fake.server, MEMORY_CACHE_FLUSH), 0);
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_OK, false, 0, 0);
    run();
    assert_all_sent_once();
}

/* ---- durable before answered ---- */

static void send_elsewhere(void)
{
    struct fake_sending s;
    struct send_request *one = &s.request;
    memory_db_delay_flush(b.fake.db, true);
    fake_sending_fill(&s, "alice", "1", 100);
    s.request.who = &s.who;
    send_now(b.send, &one, 1, b.fake.clock.mono_us + FAKE_US_PER_S);
    assert_int_equal(s.request.err, ERR_OK);
    assert_false(memory_db_is_durable(b.fake.db));
}

static void a_replay_waits_for_a_barrier(void **state)
{
    (void)state;
    send_elsewhere();
    assert_int_equal(fake_sending(&b, "alice", "1", 100)->request.err, ERR_OK);
    assert_true(memory_db_is_durable(b.fake.db));
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 1);
    assert_int_equal(fake_metric(&b.fake, METRIC_BARRIERS), 1);
}

static void without_the_barrier_there_is_no_replay(void **state)
{
    (void)state;
    send_elsewhere();
    memory_db_fail(b.fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 2);
    assert_int_equal(fake_sending(&b, "alice", "1", 100)->request.err, ERR_UNAVAILABLE);
    memory_db_crash(b.fake.db);
    assert_int_equal(balance("alice"), 10000);
    memory_db_delay_flush(b.fake.db, false);
    assert_int_equal(fake_sending(&b, "alice", "1", 100)->request.err, ERR_OK);
    assert_int_equal(balance("alice"), 9900);
}

static void a_reused_key_waits_for_no_barrier(void **state)
{
    (void)state;
    send_elsewhere();
    assert_int_equal(fake_sending(&b, "alice", "1", 101)->request.err, ERR_IDEMPOTENCY_KEY_REUSED);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 0);
}

/* ---- locks and refusals ---- */

static void a_locked_account_turns_out_its_own_rows_alone(void **state)
{
    (void)state;
    fake_lock_account(&b, "alice");
    run();
    assert_int_equal(ss[0].request.err, ERR_LOCKED);
    assert_int_equal(ss[1].request.err, ERR_OK);
    assert_int_equal(ss[2].request.err, ERR_LOCKED);
    assert_int_equal(balance("bob"), 9800);
    fake_unlock(&b);
    run(); /* it is parked for a second; bob's is a replay */
    assert_int_equal(ss[0].request.err, ERR_LOCKED);
    fixed_clock_advance(&b.fake.clock, FAKE_US_PER_S);
    run();
    assert_all_sent_once();
}

/* Let the other session work on alice's key "1" until fake_unlock. */
static void send_in_another_process(void)
{
    struct fake_sending s;
    const struct store_ops *ops = b.other->ops;
    fake_sending_fill(&s, "alice", "1", 100);
    memset(&rival, 0, sizeof rival);
    rival.n_rows = rival.n_accounts = 1;
    snprintf(rival.accounts[0].user, USER_SIZE, "alice");
    struct send_row *row = &rival.rows[0];
    snprintf(row->user, USER_SIZE, "alice");
    memcpy(row->key_hash, s.request.key_hash, sizeof row->key_hash);
    memcpy(row->body_hash, s.request.body_hash, sizeof row->body_hash);
    row->envelope = &rival_envelope;
    assert_int_equal(ops->send_read(b.other, &rival), ERR_OK);
    rival_envelope = (struct envelope){.sender = "alice", .mode = MODE_EQUAL, .total_fen = 100};
    rival_envelope.id = id_make(&b.fake.rng.rng, rival.now_us, 0);
    rival_envelope.shares = 2;
    rival_envelope.cap_fen = 20000;
    rival_envelope.created_us = rival.now_us;
    rival_envelope.expires_us = rival.now_us + 3600 * FAKE_US_PER_S;
    rival_envelope.version = 1;
    row->transfer =
        transfer_for_send(&b.fake.rng.rng, "alice", &rival_envelope.id, 100, rival.now_us);
    row->insert = true;
    assert_int_equal(ops->send_write(b.other, &rival), ERR_OK);
}

static void a_key_that_another_process_works_on_is_in_progress(void **state)
{
    (void)state;
    send_in_another_process();
    run();
    assert_int_equal(ss[0].request.err, ERR_IDEMPOTENCY_IN_PROGRESS);
    assert_int_equal(ss[1].request.err, ERR_OK);
    assert_int_equal(ss[2].request.err, ERR_LOCKED); /* another key of the same account */
    fake_unlock(&b);
    fixed_clock_advance(&b.fake.clock, FAKE_US_PER_S);
    run();
    assert_all_sent_once();
}

static void a_row_that_the_schema_refuses_fails_alone(void **state)
{
    (void)state;
    struct account *bob = memory_db_account(b.fake.db, "bob");
    memory_db_fail(b.fake.db, MEMORY_SEND_WRITE, ERR_RANGE, false, 0, 2);
    run(); /* the whole, and the first half */
    assert_int_equal(ss[0].request.err, ERR_UNAVAILABLE);
    assert_int_equal(ss[1].request.err, ERR_OK);
    assert_int_equal(ss[2].request.err, ERR_OK);
    assert_int_equal(balance("alice"), 9700);
    assert_int_equal(bob->balance_fen, 9800);
    run(); /* the same requests again */
    assert_all_sent_once();
}

static void a_deadlock_sends_once(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_SEND_WRITE, ERR_DEADLOCK, false, 0, 1);
    run();
    assert_all_sent_once();
}

static void a_server_away_is_tried_once_more(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_SEND_READ, ERR_UNAVAILABLE, false, 0, 1);
    run();
    assert_all_sent_once();
    memory_db_set_away(b.fake.db, true);
    unsigned reads = memory_db_calls(b.fake.db, MEMORY_SEND_READ);
    assert_int_equal(fake_sending(&b, "alice", "3", 100)->request.err, ERR_UNAVAILABLE);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_SEND_READ), reads + 2);
    memory_db_set_away(b.fake.db, false);
}

/* Nothing of a batch is seen in the cache before its commit. */
static void look_at_the_cache(void *context, enum memory_op op, struct store *s)
{
    (void)context;
    (void)s;
    if (op != MEMORY_COMMIT)
        return;
    seen++;
    assert_int_equal(memory_cache_calls(b.fake.server, MEMORY_CACHE_FLUSH), 0);
}

static void the_cache_is_filled_after_the_commit(void **state)
{
    (void)state;
    memory_db_set_hook(b.fake.db, look_at_the_cache, NULL);
    run();
    assert_int_equal(seen, 1);
    assert_int_equal(memory_cache_calls(b.fake.server, MEMORY_CACHE_FLUSH), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_uncertain_commit_is_run_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_uncertain_commit_that_was_applied_is_replayed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_stays_uncertain_is_unavailable_and_safe_to_repeat,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replay_waits_for_a_barrier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_barrier_there_is_no_replay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reused_key_waits_for_no_barrier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_locked_account_turns_out_its_own_rows_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_another_process_works_on_is_in_progress, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_the_schema_refuses_fails_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_deadlock_sends_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_away_is_tried_once_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_cache_is_filled_after_the_commit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
