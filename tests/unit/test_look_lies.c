/* Looks when the cache is wrong, old or gone, and when what is stored is not durable yet: a reader
 * is shown what is stored, and nothing that a crash would undo. */
#include "tests/fake/fake_looks.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_looks f;

static int set_up(void **state)
{
    (void)state;
    fake_looks_init(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_looks_end(&f);
    return 0;
}

static void assert_truth(void)
{
    assert_true(fake_look_is_true(&f, "carol"));
}

static void version_item_gone(void)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_VERSION, f.fake.runtime.generation, &f.e.id);
    memory_cache_evict(f.fake.server, key);
}

/* The claim that would be the next one, as far as a cache can know. */
static struct claim plausible_claim(const char *user)
{
    const struct envelope *e = fake_envelope(&f.fake, &f.e.id);
    struct claim c = {.envelope = e->id,
                      .amount_fen = 7,
                      .seq = e->opened_shares + 1,
                      .opened_us = f.fake.clock.wall_us};
    snprintf(c.user, sizeof c.user, "%s", user);
    snprintf(c.name, sizeof c.name, "%s", user);
    return c;
}

/* ---- versions and claims that the cache made up ---- */

static void claims_that_do_not_add_up_are_not_believed(void **state)
{
    (void)state;
    (void)fake_open_announced(&f, "bob");
    assert_truth();
    const struct claim good = plausible_claim("mallory");
    struct claim bad[6];
    for (size_t i = 0; i < 6; i++)
        bad[i] = good;
    bad[0].seq = 3;           /* a gap */
    bad[1].seq = 1;           /* taken */
    bad[2].amount_fen = 1000; /* more than remains */
    bad[3].amount_fen = fake_envelope(&f.fake, &f.e.id)->total_fen -
                        fake_envelope(&f.fake, &f.e.id)->opened_fen; /* nothing for the rest */
    bad[4].amount_fen = 0;
    bad[5].amount_fen = -7;
    for (size_t i = 0; i < 6; i++) {
        fake_version_put(&f, 3, false, &bad[i], 1);
        assert_true(fake_look(&f, "dave")->deferred);
        version_item_gone();
        assert_truth();
    }
    fake_version_put(&f, 4, false, &good, 1); /* one of two is missing */
    assert_true(fake_look(&f, "dave")->deferred);
}

static void a_version_that_never_was_is_forgotten(void **state)
{
    struct claim c;
    (void)state;
    (void)fake_open_announced(&f, "bob");
    assert_truth();
    c = plausible_claim("mallory");
    fake_version_put(&f, 3, false, &c, 1);
    const struct fake_look *l = fake_look(&f, "carol");
    assert_int_equal(l->request.version, 3); /* for two seconds it cannot be known */
    version_item_gone();
    assert_truth();
    (void)fake_open(&f.fake, &f.e.id, "carol");
    version_item_gone();
    assert_truth();
}

static void a_version_far_ahead_is_read_from_the_database(void **state)
{
    (void)state;
    (void)fake_open_announced(&f, "bob");
    assert_truth();
    fake_version_put(&f, INT64_MAX, false, NULL, 0);
    for (int repeat = 0; repeat < 3; repeat++)
        assert_truth();
}

static void an_old_version_takes_nothing_back(void **state)
{
    (void)state;
    struct claim c = fake_open_announced(&f, "bob");
    (void)fake_open_announced(&f, "dave");
    assert_truth();
    fake_version_put(&f, 2, false, &c, 1);
    assert_truth();
    fake_version_put(&f, 1, false, NULL, 0);
    assert_truth();
}

static void a_version_item_that_is_none_is_not_read(void **state)
{
    const char *texts[] = {"", "v3", "nonsense", "v2 0 0 0", "\x01"};
    char key[ITEM_KEY_SIZE];
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    item_key(key, ITEM_KEY_VERSION, f.fake.runtime.generation, &f.e.id);
    for (size_t i = 0; i < 5; i++) {
        memory_cache_put(f.fake.server, key, texts[i]);
        assert_truth();
    }
}

/* ---- readers ---- */

static void a_guest_is_shown_no_page_that_the_cache_calls_a_guests(void **state)
{
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    assert_truth(); /* it is remembered */
    fake_version_put(&f, 2, true, NULL, 0);
    const struct fake_look *l = fake_look(&f, "guest:1");
    assert_int_equal(l->request.err, ERR_NOT_RECIPIENT);
    assert_null(l->request.page);
    assert_truth(); /* nor is it kept from its own readers */
    fake_version_put(&f, 2, false, NULL, 0);
    assert_int_equal(fake_look(&f, "guest:1")->request.err, ERR_NOT_RECIPIENT);
}

static void put_mine(const struct user_value *u)
{
    char key[ITEM_KEY_SIZE], text[USER_TEXT_SIZE];
    item_key_user(key, f.fake.runtime.generation, &f.e.id, "carol");
    (void)user_value_write(text, u, &f.e.id);
    memory_cache_put(f.fake.server, key, text);
}

static void a_claim_of_another_user_is_not_mine(void **state)
{
    (void)state;
    struct claim bob = fake_open_announced(&f, "bob");
    assert_truth();
    struct user_value u = {
        .opened = true, .amount_fen = bob.amount_fen, .seq = bob.seq, .opened_us = bob.opened_us};
    put_mine(&u);
    assert_truth();
}

static void a_claim_with_another_amount_is_not_mine(void **state)
{
    (void)state;
    struct claim carol = fake_open_announced(&f, "carol");
    assert_truth();
    struct user_value u = {.opened = true,
                           .amount_fen = carol.amount_fen + 1,
                           .seq = carol.seq,
                           .opened_us = carol.opened_us};
    put_mine(&u);
    assert_truth();
}

static void a_claim_that_the_page_does_not_have_yet_is_looked_up(void **state)
{
    (void)state;
    (void)fake_open_announced(&f, "bob");
    assert_truth();
    struct user_value u = {.opened = true, .amount_fen = 9, .seq = 2, .opened_us = 1};
    put_mine(&u); /* it never was */
    const struct fake_look *l = fake_look(&f, "carol");
    assert_true(l->deferred);
    assert_false(l->request.has_mine);
    struct claim c = fake_open(&f.fake, &f.e.id, "carol"); /* it is, but its version is not known */
    u.amount_fen = c.amount_fen;
    put_mine(&u);
    assert_truth();
}

static void a_ticket_is_no_claim(void **state)
{
    (void)state;
    struct user_value u = {.ticket_expires_s = f.fake.clock.wall_us / FAKE_US_PER_S + 60};
    put_mine(&u);
    assert_truth();
    (void)fake_open_announced(&f, "carol");
    put_mine(&u); /* the item of the open was lost */
    assert_truth();
}

static void a_burst_answers_each_reader_its_own(void **state)
{
    static struct fake_look ls[4];
    struct look_request *rs[4];
    const char *users[] = {"bob", "carol", "guest:1", "carol"};
    bool deferred[4] = {false};
    (void)state;
    (void)fake_open_announced(&f, "carol");
    (void)fake_open_announced(&f, "bob");
    assert_truth();
    version_item_gone();
    assert_truth(); /* announced again */
    for (size_t i = 0; i < 4; i++) {
        fake_look_fill(&ls[i], &f.e.id, users[i], PAGE_MAX);
        ls[i].request.who = &ls[i].who;
        ls[i].request.id = &ls[i].id;
        ls[i].request.context = &ls[i];
        ls[i].request.is_current = f.last.request.is_current;
        rs[i] = &ls[i].request;
    }
    unsigned gets = memory_cache_calls(f.fake.server, MEMORY_CACHE_GET);
    look_now(f.service, rs, 4, deferred);
    assert_int_equal(memory_cache_calls(f.fake.server, MEMORY_CACHE_GET), gets + 1);
    const int64_t seqs[] = {2, 1, 0, 1};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(deferred[i], i == 2);
        if (i != 2)
            assert_int_equal(rs[i]->mine_seq, seqs[i]);
        fake_look_end(&ls[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(claims_that_do_not_add_up_are_not_believed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_version_that_never_was_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_version_far_ahead_is_read_from_the_database, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_old_version_takes_nothing_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_version_item_that_is_none_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_is_shown_no_page_that_the_cache_calls_a_guests,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claim_of_another_user_is_not_mine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claim_with_another_amount_is_not_mine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claim_that_the_page_does_not_have_yet_is_looked_up,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_is_no_claim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_burst_answers_each_reader_its_own, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
