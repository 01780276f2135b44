/* Thanks: by users with a share only, one per claim, and visible as a new version. */
#include "lib/service/account/thanks.h"
#include "lib/service/common/newest_version.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct fixture {
    struct fake_service fake;
    struct account_service service;
    struct envelope e;
};

static int set_up(void **state)
{
    static const struct session_pool_settings settings = {.threads = 4};
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    fake_service_init(&f.fake);
    f.service = (struct account_service){.runtime = &f.fake.runtime,
                                         .sessions = session_pool_new(&f.fake.runtime, &settings)};
    fake_send(&f.fake, &f.e);
    *state = &f;
    return f.service.sessions == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    const char *wrong = memory_db_audit(f->fake.db);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    session_pool_free(f->service.sessions);
    fake_service_end(&f->fake);
    return 0;
}

static enum err thank(struct fixture *f, const char *user, enum claim_thanks thanks,
                      struct claim *out, bool *replayed)
{
    return thanks_give(&f->service, user, &f->e.id, thanks, 0, out, replayed);
}

static int64_t stored_version(struct fixture *f)
{
    return fake_envelope(&f->fake, &f->e.id)->version;
}

static enum claim_thanks stored_thanks(struct fixture *f, const char *user)
{
    struct claim c;
    bool found;
    assert_int_equal(f->fake.store->ops->claim_get(f->fake.store, &f->e.id, user, &c, &found),
                     ERR_OK);
    assert_true(found);
    return c.thanks;
}

static void without_a_share_there_are_no_thanks(void **state)
{
    struct fixture *f = *state;
    struct claim c;
    bool replayed = true;
    fake_open(&f->fake, &f->e.id, "bob");
    int64_t before = stored_version(f);
    assert_int_equal(thank(f, "alice", THANKS_HUG, &c, &replayed), ERR_NOT_OPENED);
    assert_int_equal(thank(f, "bo", THANKS_HUG, &c, &replayed), ERR_NOT_OPENED);
    assert_false(replayed);
    f->e.id.b[15] ^= 1;
    assert_int_equal(thank(f, "bob", THANKS_HUG, &c, &replayed), ERR_NOT_FOUND);
    f->e.id.b[15] ^= 1;
    assert_int_equal(stored_version(f), before);
}

static void errors_store_nothing(void **state)
{
    static const enum memory_op ops[] = {MEMORY_OPEN_READ, MEMORY_THANKS_WRITE};
    struct fixture *f = *state;
    struct claim c;
    bool replayed;
    fake_open(&f->fake, &f->e.id, "bob");
    for (size_t i = 0; i < 2; i++) {
        memory_db_fail(f->fake.db, ops[i], ERR_LOCKED, false, 0, 1);
        assert_int_equal(thank(f, "bob", THANKS_HUG, &c, &replayed), ERR_UNAVAILABLE);
        memory_db_fail(f->fake.db, ops[i], ERR_FAULT, false, 0, 1);
        assert_int_equal(thank(f, "bob", THANKS_HUG, &c, &replayed), ERR_FAULT);
        assert_int_equal(stored_thanks(f, "bob"), THANKS_NONE);
    }
}

static void the_last_thanks_count_and_make_a_version(void **state)
{
    struct fixture *f = *state;
    struct claim c;
    bool replayed = true;
    fake_open(&f->fake, &f->e.id, "carol");
    struct claim won = fake_open(&f->fake, &f->e.id, "bob");
    int64_t before = stored_version(f);
    assert_int_equal(thank(f, "bob", THANKS_HUG, &c, &replayed), ERR_OK);
    assert_false(replayed);
    assert_int_equal(c.seq, won.seq);
    assert_int_equal(stored_version(f), before + 1);
    assert_int_equal(thank(f, "bob", THANKS_HUG, &c, &replayed), ERR_OK);
    assert_true(replayed);
    assert_int_equal(stored_version(f), before + 1);
    assert_int_equal(thank(f, "bob", THANKS_WOW, &c, &replayed), ERR_OK);
    assert_false(replayed);
    assert_int_equal(c.thanks, THANKS_WOW);
    assert_int_equal(stored_version(f), before + 2);
    assert_int_equal(stored_thanks(f, "bob"), THANKS_WOW);
    assert_int_equal(stored_thanks(f, "carol"), THANKS_NONE);
}

static void a_lost_commit_reply_is_repeated(void **state)
{
    struct fixture *f = *state;
    struct claim c;
    bool replayed;
    fake_open(&f->fake, &f->e.id, "bob");
    int64_t before = stored_version(f);
    memory_db_fail(f->fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    assert_int_equal(thank(f, "bob", THANKS_LUCK, &c, &replayed), ERR_OK);
    assert_int_equal(stored_thanks(f, "bob"), THANKS_LUCK);
    assert_int_equal(stored_version(f), before + 1);
}

/* Readers learn of it at once, and derive no claim from it. */
static void readers_are_told_of_the_version(void **state)
{
    struct fixture *f = *state;
    struct who reader = {.user = "carol"};
    struct newest_version newest;
    struct newest_version_query query = {.who = &reader, .id = &f->e.id, .out = &newest};
    struct claim c;
    bool replayed;
    fake_open(&f->fake, &f->e.id, "bob");
    assert_int_equal(thank(f, "bob", THANKS_CHEERS, &c, &replayed), ERR_OK);
    newest_versions_get(&f->fake.runtime, f->fake.cache, &query, 1);
    assert_true(newest.known);
    assert_int_equal(newest.version, stored_version(f));
    assert_int_equal(newest.n_claims, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_share_there_are_no_thanks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_store_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_thanks_count_and_make_a_version, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lost_commit_reply_is_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_are_told_of_the_version, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
