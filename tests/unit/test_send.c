/* Sends, a batch at a time: money is deducted once for each key, within the balance and the limit
 * of the day. */
#include "lib/service/common/envelope_cache.h"
#include "tests/fake/fake_batches.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_S INT64_C(86400)

static struct fake_batches b;
static struct fake_sending ss[8];

static int set_up(void **state)
{
    (void)state;
    fake_batches_init(&b);
    memory_db_add_account(b.fake.db, "alice", 10000);
    memory_db_add_account(b.fake.db, "bob", 10000);
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

static size_t envelopes(void)
{
    return memory_db_count(b.fake.db, MEMORY_ENVELOPES);
}

static enum err send_one(const char *user, const char *key, int64_t total_fen)
{
    return fake_sending(&b, user, key, total_fen)->request.err;
}

static bool same_envelope(const struct fake_sending *x, const struct fake_sending *y)
{
    return id_compare(&x->request.envelope.id, &y->request.envelope.id) == 0;
}

static void a_batch_sends_each_in_one_transaction(void **state)
{
    (void)state;
    fake_sending_fill(&ss[0], "bob", "1", 100);
    fake_sending_fill(&ss[1], "alice", "1", 200);
    fake_sending_fill(&ss[2], "alice", "2", 300);
    fake_sendings_run(&b, ss, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct envelope *answered = &ss[i].request.envelope;
        assert_int_equal(ss[i].request.err, ERR_OK);
        const struct envelope *e = fake_envelope(&b.fake, &answered->id);
        assert_int_equal(e->total_fen, ss[i].request.total_fen);
        assert_int_equal(answered->total_fen, e->total_fen);
        assert_string_equal(e->sender, ss[i].who.user);
        assert_string_equal(e->sender_name, ss[i].who.name);
        assert_int_equal(e->expires_us, e->created_us + 3600 * FAKE_US_PER_S);
        assert_memory_equal(e->seed_hash, answered->seed_hash, sizeof e->seed_hash);
        assert_false(answered->has_seed);
    }
    assert_int_equal(balance("bob"), 9900);
    assert_int_equal(balance("alice"), 9500);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_COMMIT), 1);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 0);
}

static void the_seed_leaves_the_database_in_no_answer(void **state)
{
    static const uint8_t none[SEED_SIZE];
    (void)state;
    for (int repeat = 0; repeat < 2; repeat++) {
        const struct fake_sending *s = fake_sending(&b, "alice", "1", 100);
        assert_int_equal(s->request.err, ERR_OK);
        assert_false(s->request.envelope.has_seed);
        assert_memory_equal(s->request.envelope.seed, none, SEED_SIZE);
    }
}

static void gate_and_item_are_in_the_cache_before_the_answer(void **state)
{
    struct envelope item;
    struct gate g;
    (void)state;
    memory_cache_set_hints(b.fake.server, MEMORY_CACHE_HINTS_LATE);
    struct id id = fake_sending(&b, "alice", "1", 100)->request.envelope.id;
    assert_true(fake_gate_get(&b.fake, &id, &g));
    assert_int_equal(g.left, 2);
    assert_true(envelope_cache_get(&b.fake.runtime, b.fake.cache, &id, &item));
    assert_string_equal(item.sender, "alice");
}

static void a_key_sends_once(void **state)
{
    (void)state;
    ss[0] = *fake_sending(&b, "alice", "1", 100);
    fixed_clock_advance(&b.fake.clock, FAKE_US_PER_S);
    ss[1] = *fake_sending(&b, "alice", "1", 100);
    assert_true(same_envelope(&ss[0], &ss[1]));
    assert_int_equal(ss[0].request.envelope.created_us, ss[1].request.envelope.created_us);
    assert_int_equal(balance("alice"), 9900);
    assert_int_equal(envelopes(), 1);
    assert_int_equal(send_one("alice", "1", 101), ERR_IDEMPOTENCY_KEY_REUSED);
    assert_int_equal(send_one("bob", "1", 101), ERR_OK); /* a key belongs to its user */
    assert_int_equal(balance("alice"), 9900);
}

static void a_replay_is_answered_as_it_was_made(void **state)
{
    (void)state;
    struct envelope first = fake_sending(&b, "alice", "1", 100)->request.envelope;
    (void)fake_open(&b.fake, &first.id, "carol");
    (void)fake_open(&b.fake, &first.id, "dave");
    assert_int_equal(fake_envelope(&b.fake, &first.id)->state, STATE_SOLD_OUT);
    struct envelope again = fake_sending(&b, "alice", "1", 100)->request.envelope;
    assert_int_equal(again.state, STATE_OPEN);
    assert_int_equal(again.opened_shares, 0);
    assert_int_equal(again.opened_fen, 0);
    assert_int_equal(again.closed_us, 0);
    assert_int_equal(again.luckiest_seq, 0);
    assert_int_equal(again.version, first.version);
    assert_false(again.has_seed);
    assert_int_equal(again.expires_us, first.expires_us);
}

static void one_key_in_one_batch(void **state)
{
    (void)state;
    fake_sending_fill(&ss[0], "alice", "1", 100);
    fake_sending_fill(&ss[1], "alice", "1", 100);
    fake_sending_fill(&ss[2], "alice", "1", 999); /* with another body */
    fake_sending_fill(&ss[3], "bob", "1", 100);
    fake_sending_fill(&ss[4], "alice", "1", 100);
    fake_sendings_run(&b, ss, 5);
    assert_int_equal(ss[0].request.err, ERR_OK);
    assert_int_equal(ss[1].request.err, ERR_OK);
    assert_true(same_envelope(&ss[0], &ss[1]));
    assert_int_equal(ss[2].request.err, ERR_IDEMPOTENCY_KEY_REUSED);
    assert_int_equal(ss[3].request.err, ERR_OK);
    assert_false(same_envelope(&ss[0], &ss[3]));
    assert_true(same_envelope(&ss[0], &ss[4]));
    assert_int_equal(balance("alice"), 9900);
    assert_int_equal(balance("bob"), 9900);
    assert_int_equal(envelopes(), 2);
}

/* The first of a key is refused; so are its repeats, and the other body still is another one. */
static void one_key_in_one_batch_that_is_refused(void **state)
{
    (void)state;
    fake_sending_fill(&ss[0], "alice", "1", 10001);
    fake_sending_fill(&ss[1], "alice", "1", 10001);
    fake_sending_fill(&ss[2], "alice", "1", 100);
    fake_sendings_run(&b, ss, 3);
    assert_int_equal(ss[0].request.err, ERR_INSUFFICIENT_FUNDS);
    assert_int_equal(ss[1].request.err, ERR_INSUFFICIENT_FUNDS);
    assert_int_equal(ss[2].request.err, ERR_IDEMPOTENCY_KEY_REUSED);
    assert_int_equal(send_one("alice", "1", 100), ERR_OK); /* nothing was stored under it */
}

static void a_balance_is_spent_in_order_of_arrival(void **state)
{
    (void)state;
    const int64_t totals[] = {6000, 5000, 4000, 1};
    const enum err errs[] = {ERR_OK, ERR_INSUFFICIENT_FUNDS, ERR_OK, ERR_INSUFFICIENT_FUNDS};
    for (size_t i = 0; i < 4; i++)
        fake_sending_fill(&ss[i], "alice", (char[]){(char)('1' + i), '\0'}, totals[i]);
    fake_sendings_run(&b, ss, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ss[i].request.err, errs[i]);
    assert_int_equal(balance("alice"), 0);
    assert_int_equal(send_one("erin", "1", 2), ERR_INSUFFICIENT_FUNDS);
    assert_null(memory_db_account(b.fake.db, "erin"));
}

static void the_limit_of_a_day_counts_that_day_alone(void **state)
{
    (void)state;
    b.fake.config.sent_per_day_fen = 1000;
    b.fake.config.year_offset_min = 480;
    /* midnight in UTC+8, a day from now at most */
    int64_t now_s = b.fake.clock.wall_us / FAKE_US_PER_S;
    int64_t midnight_s = ((now_s + 8 * 3600) / DAY_S + 1) * DAY_S - 8 * 3600;
    assert_int_equal(send_one("alice", "1", 600), ERR_OK);
    assert_int_equal(send_one("alice", "2", 401), ERR_LIMIT_EXCEEDED);
    assert_int_equal(send_one("bob", "1", 1000), ERR_OK);
    assert_int_equal(send_one("alice", "3", 400), ERR_OK);
    assert_int_equal(send_one("alice", "4", 2), ERR_LIMIT_EXCEEDED);
    fake_clock_to(&b.fake, midnight_s * FAKE_US_PER_S - 1);
    assert_int_equal(send_one("alice", "4", 2), ERR_LIMIT_EXCEEDED);
    fixed_clock_advance(&b.fake.clock, 1);
    assert_int_equal(send_one("alice", "4", 1000), ERR_OK);
    assert_int_equal(send_one("alice", "5", 2), ERR_LIMIT_EXCEEDED);
    assert_int_equal(memory_db_account(b.fake.db, "alice")->sent_day_fen, 1000);
    fixed_clock_advance(&b.fake.clock, DAY_S * FAKE_US_PER_S);
    assert_int_equal(send_one("alice", "5", 2), ERR_OK);
    assert_int_equal(memory_db_account(b.fake.db, "alice")->sent_day_fen, 2);
}

static void the_limit_counts_within_a_batch(void **state)
{
    (void)state;
    b.fake.config.sent_per_day_fen = 1000;
    for (size_t i = 0; i < 3; i++)
        fake_sending_fill(&ss[i], "alice", (char[]){(char)('1' + i), '\0'}, 500);
    fake_sendings_run(&b, ss, 3);
    assert_int_equal(ss[0].request.err, ERR_OK);
    assert_int_equal(ss[1].request.err, ERR_OK);
    assert_int_equal(ss[2].request.err, ERR_LIMIT_EXCEEDED);
    assert_int_equal(send_one("alice", "1", 500), ERR_OK); /* a replay is no new one */
}

static void open_envelopes_are_limited(void **state)
{
    char key[8];
    int64_t sent = 0;
    (void)state;
    b.fake.config.open_envelopes = 10;
    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof key, "k%d", i);
        sent += send_one("alice", key, 10) == ERR_OK;
    }
    assert_int_equal(sent, 10); /* five uncounted, then as many as are counted */
    assert_int_equal(send_one("alice", "k0", 10), ERR_OK); /* a replay is no new one */
    assert_int_equal(send_one("bob", "1", 10), ERR_OK);
    fake_sending_fill(&ss[0], "alice", "more", 10);
    fake_sendings_run(&b, ss, 1);
    assert_int_equal(ss[0].request.err, ERR_LIMIT_EXCEEDED);
    assert_true(ss[0].request.too_many_open);
}

static void only_refusals_write_nothing(void **state)
{
    (void)state;
    assert_int_equal(send_one("alice", "1", 10001), ERR_INSUFFICIENT_FUNDS);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_SEND_WRITE), 0);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_COMMIT), 0);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_BARRIER), 0);
    assert_int_equal(memory_db_count(b.fake.db, MEMORY_KEYS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_sends_each_in_one_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_seed_leaves_the_database_in_no_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gate_and_item_are_in_the_cache_before_the_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_sends_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replay_is_answered_as_it_was_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_key_in_one_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_key_in_one_batch_that_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_balance_is_spent_in_order_of_arrival, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_limit_of_a_day_counts_that_day_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_limit_counts_within_a_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(open_envelopes_are_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_refusals_write_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
