/* Looks when the cache or the database is away, and when what is stored is not durable yet: nothing
 * is shown or remembered that a crash would undo. */
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
    memory_cache_set_hook(f.fake.server, NULL, NULL);
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

/* ---- a cache or a database that is away ---- */

static void without_a_cache_all_is_read(void **state)
{
    (void)state;
    memory_cache_set_away(f.fake.server, true);
    assert_truth();
    (void)fake_open(&f.fake, &f.e.id, "bob");
    assert_truth();
    (void)fake_open(&f.fake, &f.e.id, "carol");
    assert_truth();
    assert_truth();
}

static void without_a_database_what_is_known_is_shown(void **state)
{
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "bob");
    assert_truth();
    memory_db_set_away(f.fake.db, true);
    assert_truth();
    version_item_gone();
    assert_int_equal(fake_look(&f, "carol")->request.err, ERR_UNAVAILABLE);
    memory_db_set_away(f.fake.db, false);
    assert_truth();
}

/* ---- durable before shown ---- */

static void open_elsewhere(const char *user)
{
    memory_db_delay_flush(f.fake.db, true);
    (void)fake_open(&f.fake, &f.e.id, user);
    assert_false(memory_db_is_durable(f.fake.db));
}

static void see_publishing(void *context, enum memory_cache_op op, const char *key)
{
    (void)context;
    (void)key;
    if (op == MEMORY_CACHE_FLUSH)
        assert_true(memory_db_is_durable(f.fake.db));
}

static void a_version_is_shown_once_it_is_durable(void **state)
{
    (void)state;
    open_elsewhere("bob");
    memory_cache_set_hook(f.fake.server, see_publishing, NULL);
    assert_truth();
    assert_true(memory_db_is_durable(f.fake.db));
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_BARRIER), 1);
    assert_int_equal(fake_looks_reads(&f), 3); /* the envelope, carol's claim, the page */
    (void)fake_look(&f, NULL);
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_BARRIER), 1); /* it is known to be durable */
    open_elsewhere("carol");
    assert_int_equal(fake_look(&f, NULL)->request.err, ERR_OK);
    assert_true(memory_db_is_durable(f.fake.db));
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_BARRIER), 2);
}

static void without_the_barrier_nothing_is_shown_or_remembered(void **state)
{
    (void)state;
    assert_truth();
    open_elsewhere("bob");
    version_item_gone();
    memory_db_fail(f.fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 1);
    const struct fake_look *l = fake_look(&f, "carol");
    assert_int_equal(l->request.err, ERR_UNAVAILABLE);
    assert_null(l->request.page);
    memory_db_crash(f.fake.db);
    memory_db_delay_flush(f.fake.db, false);
    assert_truth();
    assert_int_equal(fake_look(&f, "carol")->request.version, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_cache_all_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_database_what_is_known_is_shown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_version_is_shown_once_it_is_durable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_barrier_nothing_is_shown_or_remembered, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
