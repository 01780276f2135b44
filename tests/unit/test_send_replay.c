/* A repeat of a send gets the first answer, whatever the settings are now and whichever version
 * stored its key. */
#include "tests/fake/fake_batches.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_batches b;
static struct fake_sending ss[3];

static int set_up(void **state)
{
    (void)state;
    fake_batches_init(&b);
    memory_db_add_account(b.fake.db, "alice", 10000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_batches_end(&b);
    return 0;
}

static int64_t balance(void)
{
    return memory_db_account(b.fake.db, "alice")->balance_fen;
}

static bool same_envelope(const struct fake_sending *x, const struct fake_sending *y)
{
    return id_compare(&x->request.envelope.id, &y->request.envelope.id) == 0;
}

static void the_first_is_no_replay(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        fake_sending_fill(&ss[i], "alice", i < 2 ? "1" : "2", 100);
    fake_sendings_run(&b, ss, 3); /* two repeat each other within a batch */
    assert_false(ss[0].request.replayed);
    assert_true(ss[1].request.replayed);
    assert_false(ss[2].request.replayed);
    assert_true(fake_sending(&b, "alice", "1", 100)->request.replayed);
    assert_false(fake_sending(&b, "alice", "1", 101)->request.replayed); /* another body */
    assert_false(fake_sending(&b, "alice", "3", 99999)->request.replayed);
}

static void a_commit_without_a_reply_is_no_replay(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    ss[0] = *fake_sending(&b, "alice", "1", 100);
    assert_int_equal(ss[0].request.err, ERR_OK);
    assert_false(ss[0].request.replayed);
    ss[1] = *fake_sending(&b, "alice", "1", 100);
    assert_true(ss[1].request.replayed && same_envelope(&ss[0], &ss[1]));
    assert_int_equal(balance(), 9900);
}

static void limits_refuse_only_what_is_new(void **state)
{
    (void)state;
    ss[0] = *fake_sending(&b, "alice", "1", 100);
    fake_sending_fill(&ss[1], "alice", "1", 100);
    fake_sending_fill(&ss[2], "alice", "2", 100);
    ss[1].request.refused = ss[2].request.refused = ERR_INVALID_REQUEST;
    fake_sendings_run(&b, &ss[1], 2);
    assert_int_equal(ss[1].request.err, ERR_OK);
    assert_true(ss[1].request.replayed && same_envelope(&ss[0], &ss[1]));
    assert_int_equal(ss[2].request.err, ERR_INVALID_REQUEST);
    assert_int_equal(balance(), 9900);
    fake_sending_fill(&ss[2], "alice", "1", 101);
    ss[2].request.refused = ERR_INVALID_REQUEST;
    fake_sendings_run(&b, &ss[2], 1);
    assert_int_equal(ss[2].request.err, ERR_IDEMPOTENCY_KEY_REUSED);
}

/* Stores under the key of s the hash that version 0.1 computed of its request. */
static void store_hash_0_1(const struct fake_sending *s, const char *greeting, int64_t expires_in_s)
{
    struct memory_key like = {.created_us = 0};
    char text[256];
    memcpy(like.key_hash, s->request.key_hash, sizeof like.key_hash);
    struct memory_key *key = memory_db_find(b.fake.db, MEMORY_KEYS, &like);
    assert_non_null(key);
    int len = snprintf(text, sizeof text, "2\n%lld\n2\n%lld\n%s\n0\n",
                       (long long)s->request.total_fen, (long long)expires_in_s, greeting);
    hash_sha256(key->body_hash, text, (size_t)len);
}

static enum err repeat(const struct fake_sending *first, const char *greeting_sent,
                       int64_t expires_in_s, int64_t total_fen)
{
    fake_sending_fill(&ss[1], "alice", "1", total_fen);
    ss[1].request.greeting = "a new default";
    ss[1].request.greeting_sent = greeting_sent;
    ss[1].request.has_expires_in = expires_in_s != 0;
    ss[1].request.expires_in_s = expires_in_s != 0 ? expires_in_s : 7200; /* a new default */
    fake_sendings_run(&b, &ss[1], 1);
    assert_true(ss[1].request.err != ERR_OK || same_envelope(first, &ss[1]));
    return ss[1].request.err;
}

static void hashes_of_version_0_1_are_known(void **state)
{
    (void)state;
    fake_sending_fill(&ss[0], "alice", "1", 100);
    ss[0].request.greeting = "old default";
    fake_sendings_run(&b, &ss[0], 1);
    store_hash_0_1(&ss[0], "old default", 3600);
    assert_int_equal(repeat(&ss[0], NULL, 0, 100), ERR_OK);
    assert_int_equal(repeat(&ss[0], "old default", 3600, 100), ERR_OK);
    assert_int_equal(repeat(&ss[0], NULL, 0, 101), ERR_IDEMPOTENCY_KEY_REUSED);
    assert_int_equal(repeat(&ss[0], "other", 0, 100), ERR_IDEMPOTENCY_KEY_REUSED);
    assert_int_equal(repeat(&ss[0], NULL, 3601, 100), ERR_IDEMPOTENCY_KEY_REUSED);
    store_hash_0_1(&ss[0], " spaces ", 3600); /* it did not clean greetings */
    assert_int_equal(repeat(&ss[0], " spaces ", 3600, 100), ERR_OK);
    assert_int_equal(balance(), 9900);
}

static void a_repeated_open_says_so(void **state)
{
    struct envelope e = {.expires_us = 0};
    (void)state;
    fake_send(&b.fake, &e);
    assert_false(fake_opening(&b, &e.id, "bob")->request.replayed);
    assert_true(fake_opening(&b, &e.id, "bob")->request.replayed);
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    const struct fake_opening *o = fake_opening(&b, &e.id, "carol");
    assert_int_equal(o->request.err, ERR_OK);
    assert_false(o->request.replayed);
    assert_true(fake_opening(&b, &e.id, "carol")->request.replayed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_is_no_replay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_without_a_reply_is_no_replay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_refuse_only_what_is_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hashes_of_version_0_1_are_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_open_says_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
