/* Rules of single users: read in pages, replaced as a whole, kept while the database is away. */
#include "lib/service/common/user_rules.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SETTING_FEN 500

struct fixture {
    struct fake_service fake;
    struct user_rules *rules;
};

static int set_up(void **state)
{
    static struct fixture f;
    fake_service_init(&f.fake);
    f.rules = user_rules_new();
    *state = &f;
    return f.rules == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    user_rules_free(f->rules);
    fake_service_end(&f->fake);
    return 0;
}

static void put(struct fixture *f, const char *user, bool blocked, int64_t limit_fen)
{
    struct user_rule rule = {.blocked = blocked, .sent_per_day_fen = limit_fen};
    snprintf(rule.user, sizeof rule.user, "%s", user);
    memory_db_put(f->fake.db, MEMORY_RULES, &rule);
}

static void users_without_a_rule_have_the_setting(void **state)
{
    struct fixture *f = *state;
    put(f, "bob", true, -1);
    put(f, "carol", false, 7);
    assert_false(user_rules_blocked(f->rules, "bob")); /* not read yet */
    assert_int_equal(user_rules_refresh(f->rules, f->fake.store), ERR_OK);
    assert_true(user_rules_blocked(f->rules, "bob"));
    assert_false(user_rules_blocked(f->rules, "bo"));
    assert_false(user_rules_blocked(f->rules, "carol"));
    assert_int_equal(user_rules_sent_per_day(f->rules, "carol", SETTING_FEN), 7);
    assert_int_equal(user_rules_sent_per_day(f->rules, "bob", SETTING_FEN), SETTING_FEN);
    assert_int_equal(user_rules_sent_per_day(f->rules, "dave", SETTING_FEN), SETTING_FEN);
    assert_false(user_rules_blocked(NULL, "bob"));
    assert_int_equal(user_rules_sent_per_day(NULL, "bob", SETTING_FEN), SETTING_FEN);
}

static void many_rules_are_read_in_pages(void **state)
{
    struct fixture *f = *state;
    char user[16];
    for (int i = 0; i < 512; i++) { /* two full pages, and an empty one */
        snprintf(user, sizeof user, "u%d", i);
        put(f, user, true, -1);
    }
    assert_int_equal(user_rules_refresh(f->rules, f->fake.store), ERR_OK);
    for (int i = 0; i < 512; i++) {
        snprintf(user, sizeof user, "u%d", i);
        assert_true(user_rules_blocked(f->rules, user));
    }
    assert_int_equal(memory_db_calls(f->fake.db, MEMORY_USER_RULES), 3);
}

static void a_failed_refresh_keeps_the_rules(void **state)
{
    struct fixture *f = *state;
    put(f, "bob", true, -1);
    assert_int_equal(user_rules_refresh(f->rules, f->fake.store), ERR_OK);
    memory_db_fail(f->fake.db, MEMORY_USER_RULES, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(user_rules_refresh(f->rules, f->fake.store), ERR_UNAVAILABLE);
    assert_true(user_rules_blocked(f->rules, "bob"));
    put(f, "bob", false, -1);
    assert_int_equal(user_rules_refresh(f->rules, f->fake.store), ERR_OK);
    assert_false(user_rules_blocked(f->rules, "bob"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(users_without_a_rule_have_the_setting),
        TEST(many_rules_are_read_in_pages),
        TEST(a_failed_refresh_keeps_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
