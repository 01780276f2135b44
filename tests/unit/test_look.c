/* Looks: what is read from the database, what is remembered of it, and which reader is shown what.
 */
#include "tests/fake/fake_looks.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_looks f;
static unsigned hooks;

static int set_up(void **state)
{
    (void)state;
    fake_looks_init(&f);
    hooks = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_db_set_hook(f.fake.db, NULL, NULL);
    fake_looks_end(&f);
    return 0;
}

static const struct page *page_of(const struct fake_look *l)
{
    assert_int_equal(l->request.err, ERR_OK);
    assert_non_null(l->request.page);
    return l->request.page;
}

static void assert_shows(const struct fake_look *l, int64_t opened)
{
    const struct page *page = page_of(l);
    assert_int_equal(page->envelope.opened_shares, opened);
    assert_int_equal(page->n_claims, opened);
    for (size_t i = 0; i < page->n_claims; i++) {
        const struct claim *c = &page->claims[i];
        assert_int_equal(c->seq, i + 1);
        assert_int_equal(c->amount_fen, memory_db_claim(f.fake.db, &f.e.id, c->user)->amount_fen);
    }
}

static void a_crowd_of_readers_costs_one_read(void **state)
{
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    assert_true(fake_look(&f, "carol")->deferred);
    unsigned reads = fake_looks_reads(&f);
    for (int i = 0; i < 5; i++) {
        const struct fake_look *l = fake_look(&f, "dave");
        assert_false(l->deferred);
        assert_shows(l, 1);
    }
    assert_int_equal(fake_looks_reads(&f), reads);
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_VERSION_GET), 0);
}

static void an_announced_claim_is_added_to_the_page(void **state)
{
    (void)state;
    assert_shows(fake_look(&f, "carol"), 0);
    unsigned reads = fake_looks_reads(&f);
    for (int i = 1; i <= 9; i++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "user-%d", i);
        (void)fake_open_announced(&f, user);
        const struct fake_look *l = fake_look(&f, "carol");
        assert_false(l->deferred);
        assert_shows(l, i);
        assert_int_equal(l->request.version, i + 1);
        assert_int_equal(l->request.page->envelope.opened_fen,
                         fake_envelope(&f.fake, &f.e.id)->opened_fen);
    }
    assert_int_equal(fake_looks_reads(&f), reads);
}

static void after_two_seconds_the_version_is_asked_for(void **state)
{
    (void)state;
    (void)fake_look(&f, "carol");
    unsigned reads = fake_looks_reads(&f);
    fixed_clock_advance(&f.fake.clock, 2 * FAKE_US_PER_S);
    assert_shows(fake_look(&f, "carol"), 0);
    assert_int_equal(fake_looks_reads(&f), reads);
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_VERSION_GET), 1);
    assert_false(fake_look(&f, "dave")->deferred); /* and announced again */
    (void)fake_open(&f.fake, &f.e.id, "bob");      /* by a process whose hint was lost */
    fixed_clock_advance(&f.fake.clock, 2 * FAKE_US_PER_S);
    assert_shows(fake_look(&f, "carol"), 1);
}

static void a_reader_that_has_the_version_is_sent_no_page(void **state)
{
    struct fake_look l;
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    for (int known = 0; known < 2; known++) { /* from the database, then from memory */
        fake_look_fill(&l, &f.e.id, "bob", PAGE_MAX);
        l.has_version = 2;
        l.has_seq = 1;
        fake_look_run(&f, &l);
        assert_int_equal(l.request.err, ERR_OK);
        assert_null(l.request.page);
        assert_int_equal(l.request.version, 2);
        assert_int_equal(l.request.mine_seq, 1);
        (void)fake_look(&f, "carol");
    }
    l.has_version = 1;
    fake_look_run(&f, &l);
    assert_non_null(l.request.page);
    assert_true(l.request.has_mine);
    fake_look_end(&l);
}

static void each_reader_has_its_own_claim(void **state)
{
    const char *users[] = {"bob", "carol", "dave"};
    (void)state;
    for (int i = 0; i < 2; i++)
        (void)fake_open(&f.fake, &f.e.id, users[i]);
    for (int repeat = 0; repeat < 2; repeat++) {
        for (int i = 0; i < 3; i++) {
            const struct fake_look *l = fake_look(&f, users[i]);
            assert_shows(l, 2);
            assert_int_equal(l->request.has_mine, i < 2);
            assert_int_equal(l->request.mine_seq, i < 2 ? i + 1 : 0);
            if (i < 2)
                assert_string_equal(l->request.mine.user, users[i]);
        }
    }
}

static void pages_follow_each_other(void **state)
{
    struct fake_look l;
    (void)state;
    for (int i = 0; i < 5; i++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "user-%d", i);
        (void)fake_open(&f.fake, &f.e.id, user);
    }
    for (int repeat = 0; repeat < 2; repeat++) {
        fake_look_fill(&l, &f.e.id, "user-4", 2);
        for (int64_t after = 0; after < 6; after += 2) {
            l.request.after_seq = after;
            fake_look_run(&f, &l);
            const struct page *page = page_of(&l);
            assert_int_equal(page->n_claims, after < 4 ? 2 : 1);
            assert_int_equal(page->claims[0].seq, after + 1);
            assert_int_equal(page->next_seq, after < 4 ? after + 2 : 0);
            assert_int_equal(l.request.mine_seq, 5); /* wherever it is */
            fake_look_end(&l);
        }
    }
}

static void strangers_see_nothing_of_a_restricted_envelope(void **state)
{
    struct envelope e = {.to_kind = TO_USERS, .to = "bob carol"};
    const char *readers[] = {"alice", "bob", "carol", "mallory", "guest:1", NULL};
    const enum err errs[] = {ERR_OK,          ERR_OK, ERR_OK, ERR_NOT_RECIPIENT, ERR_NOT_RECIPIENT,
                             ERR_UNAUTHORIZED};
    (void)state;
    fake_send(&f.fake, &e);
    f.e = e;
    (void)fake_open(&f.fake, &e.id, "bob");
    for (int repeat = 0; repeat < 2; repeat++)
        for (size_t i = 0; i < 6; i++) {
            const struct fake_look *l = fake_look(&f, readers[i]);
            assert_int_equal(l->request.err, errs[i]);
            assert_int_equal(l->request.page != NULL, errs[i] == ERR_OK);
        }
}

static void guests_and_users_see_their_own_envelopes(void **state)
{
    struct envelope e = {.sender = "guest:1"};
    (void)state;
    fake_send(&f.fake, &e);
    for (int repeat = 0; repeat < 2; repeat++) {
        assert_shows(fake_look(&f, "bob"), 0);
        assert_int_equal(fake_look(&f, "guest:2")->request.err, ERR_NOT_RECIPIENT);
    }
    f.e = e;
    for (int repeat = 0; repeat < 2; repeat++) {
        assert_shows(fake_look(&f, "guest:2"), 0);
        assert_int_equal(fake_look(&f, "bob")->request.err, ERR_NOT_RECIPIENT);
    }
}

static void without_a_token_there_are_no_claims(void **state)
{
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    const struct fake_look *l = fake_look(&f, NULL);
    assert_int_equal(page_of(l)->n_claims, 0);
    assert_int_equal(page_of(l)->envelope.opened_shares, 1);
    assert_false(l->request.has_mine);
    assert_shows(fake_look(&f, "bob"), 1); /* and that page is not kept */
}

static void what_is_not_there_is_not_found(void **state)
{
    struct fake_look l;
    struct id id = id_make(&f.fake.rng.rng, f.fake.clock.wall_us, 0);
    (void)state;
    fake_look_fill(&l, &id, "bob", PAGE_MAX);
    fake_look_run(&f, &l);
    assert_int_equal(l.request.err, ERR_NOT_FOUND);
}

/* Another process opens a share between two reads. */
static void open_in_between(void *context, enum memory_op op, struct store *s)
{
    const enum memory_op *when = context;
    (void)s;
    if (op == *when && hooks++ == 0)
        (void)fake_open(&f.fake, &f.e.id, "zoe");
}

static void a_claim_made_between_the_reads_is_left_out(void **state)
{
    enum memory_op when = MEMORY_CLAIMS_PAGE;
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    memory_db_set_hook(f.fake.db, open_in_between, &when);
    assert_shows(fake_look(&f, "carol"), 1);
    assert_int_equal(hooks, 1);
}

static void the_readers_own_claim_is_never_newer_than_its_page(void **state)
{
    enum memory_op when = MEMORY_CLAIM_GET;
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    memory_db_set_hook(f.fake.db, open_in_between, &when);
    const struct fake_look *l = fake_look(&f, "zoe");
    assert_shows(l, 2);
    assert_int_equal(l->request.mine_seq, 2);
    assert_int_equal(l->request.version, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_crowd_of_readers_costs_one_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_announced_claim_is_added_to_the_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_two_seconds_the_version_is_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_has_the_version_is_sent_no_page, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_reader_has_its_own_claim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_follow_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_see_nothing_of_a_restricted_envelope, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(guests_and_users_see_their_own_envelopes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_token_there_are_no_claims, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claim_made_between_the_reads_is_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_readers_own_claim_is_never_newer_than_its_page, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
