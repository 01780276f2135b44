/* What retry_rows does over time: a locked row is parked for a second, and no deadline is passed.
 */
#include "lib/service/common/retry.h"
#include "tests/fake/fixed_clock.h"
#include "tests/fake/memory_store.h"
#include "tests/fake/seeded_rng.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PARKED_MAX 64 /* locks that far apart share a place in the table */

struct row {
    uint64_t lock;
    unsigned runs;
    enum err err;
};

struct fixture {
    struct fixed_clock clock;
    struct seeded_rng rng;
    struct runtime runtime;
    struct memory_db *db;
    struct store *store; /* only rolled back */
    struct retry *retry;
    uint64_t locked; /* the lock that another session holds; 0: none */
    enum err always; /* what every run returns, unless ERR_OK */
    int64_t run_us;  /* how long each run takes */
    unsigned calls;
};

static enum err run(void *context, void **rows, size_t n, bool nowait)
{
    struct fixture *f = context;
    (void)nowait;
    f->calls++;
    fixed_clock_advance(&f->clock, f->run_us);
    for (size_t i = 0; i < n; i++)
        ((struct row *)rows[i])->runs++;
    for (size_t i = 0; i < n; i++)
        if (f->locked != 0 && ((struct row *)rows[i])->lock == f->locked)
            return ERR_LOCKED;
    for (size_t i = 0; i < n && f->always == ERR_OK; i++)
        ((struct row *)rows[i])->err = ERR_OK;
    return f->always;
}

static uint64_t lock_of(const void *row)
{
    return ((const struct row *)row)->lock;
}

static void refuse(void *row, enum err err)
{
    ((struct row *)row)->err = err;
}

static const struct retry_ops ops = {.run = run, .lock_of = lock_of, .refuse = refuse};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.always = ERR_OK};
    fixed_clock_init(&f.clock);
    seeded_rng_init(&f.rng, 1);
    f.runtime =
        (struct runtime){.clock = &f.clock.clock, .rng = &f.rng.rng, .metrics = metrics_private()};
    f.db = memory_db_new(&f.clock.clock);
    f.store = memory_store_open(f.db);
    f.retry = retry_new(&f.runtime, &ops);
    *state = &f;
    return f.retry == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    retry_free(f->retry);
    f->store->ops->close(f->store);
    memory_db_free(f->db);
    return 0;
}

static enum err run_one(struct fixture *f, uint64_t lock, unsigned *runs)
{
    struct row row = {.lock = lock, .err = ERR_COUNT};
    void *rows[] = {&row};
    retry_rows(f->retry, f->store, f, rows, 1, f->clock.mono_us + 10 * US_PER_S);
    *runs = row.runs;
    return row.err;
}

static void a_locked_row_is_parked_for_a_second(void **state)
{
    struct fixture *f = *state;
    unsigned runs;
    f->locked = 7;
    assert_int_equal(run_one(f, 7, &runs), ERR_LOCKED);
    assert_true(runs > 0);
    f->locked = 0;
    assert_int_equal(run_one(f, 7, &runs), ERR_LOCKED); /* not even tried */
    assert_int_equal(runs, 0);
    assert_int_equal(run_one(f, 8, &runs), ERR_OK);
    fixed_clock_advance(&f->clock, US_PER_S - 1);
    assert_int_equal(run_one(f, 7, &runs), ERR_LOCKED);
    fixed_clock_advance(&f->clock, 1);
    assert_int_equal(run_one(f, 7, &runs), ERR_OK);
}

static void another_lock_in_its_place_is_not_parked(void **state)
{
    struct fixture *f = *state;
    unsigned runs;
    f->locked = 7;
    assert_int_equal(run_one(f, 7, &runs), ERR_LOCKED);
    f->locked = 0;
    assert_int_equal(run_one(f, 7 + PARKED_MAX, &runs), ERR_OK);
    assert_int_equal(run_one(f, 7, &runs), ERR_LOCKED);
}

static void tries_end_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    unsigned runs;
    f->always = ERR_UNCERTAIN;
    f->run_us = 4 * US_PER_S;
    assert_int_equal(run_one(f, 1, &runs), ERR_UNAVAILABLE);
    assert_int_equal(runs, 3); /* at 0, 4 and 8 of 10 seconds */
    f->run_us = 0;
    assert_int_equal(run_one(f, 1, &runs), ERR_UNAVAILABLE);
    assert_int_equal(runs, 6); /* or after six */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_locked_row_is_parked_for_a_second),
        TEST(another_lock_in_its_place_is_not_parked),
        TEST(tries_end_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
