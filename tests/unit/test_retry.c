/* Which error makes which rows run again, and that nobody's error becomes another's. The
 * transaction is a script; real ones are tested with the real database. */
#include "lib/service/common/retry.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct row {
    uint64_t lock;
    bool poison;  /* a data error whenever it takes part */
    bool foreign; /* its lock is held by somebody else */
    enum err err;
    int runs;
};

/* The first errors to give, whatever the rows; then as the rows demand. */
struct script {
    const enum err *first;
    size_t n_first, calls;
    size_t largest_nowait_groups;
};

static enum err run(void *context, void **rows, size_t n, bool nowait)
{
    struct script *s = context;
    size_t call = s->calls++;
    for (size_t i = 0; i < n; i++)
        ((struct row *)rows[i])->runs++;
    if (call < s->n_first && s->first[call] != ERR_OK)
        return s->first[call];
    for (size_t i = 0; i < n; i++) {
        const struct row *row = rows[i];
        if (nowait && row->lock != ((struct row *)rows[0])->lock)
            s->largest_nowait_groups++;
        if (row->foreign)
            return ERR_LOCKED;
        if (row->poison)
            return ERR_RANGE;
    }
    for (size_t i = 0; i < n; i++)
        ((struct row *)rows[i])->err = ERR_OK;
    return ERR_OK;
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

static void fill_zero(void *self, void *out, size_t n)
{
    (void)self;
    memset(out, 0, n);
}
static const struct rng rng_zero = {.fill = fill_zero};

static void rollback_nothing(struct store *s)
{
    (void)s;
}
static const struct store_ops store_script_ops = {.rollback = rollback_nothing};
static struct store store_script = {.ops = &store_script_ops};

struct fixture {
    struct runtime runtime;
    struct retry *retry;
    struct row rows[8];
    void *pointers[8];
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    f.runtime =
        (struct runtime){.clock = &clock_system, .rng = &rng_zero, .metrics = metrics_private()};
    f.retry = retry_new(&f.runtime, &ops);
    for (size_t i = 0; i < 8; i++) {
        f.rows[i] = (struct row){.lock = i / 2, .err = ERR_COUNT};
        f.pointers[i] = &f.rows[i];
    }
    *state = &f;
    return f.retry == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    retry_free(f->retry);
    return 0;
}

static void go(struct fixture *f, struct script *s)
{
    retry_rows(f->retry, &store_script, s, f->pointers, 8,
               clock_system.mono_us(clock_system.self) + 60 * INT64_C(1000000));
}

static void nothing_is_begun_after_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct script s = {0};
    retry_rows(f->retry, &store_script, &s, f->pointers, 8,
               clock_system.mono_us(clock_system.self) - 1);
    assert_int_equal(s.calls, 0);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(f->rows[i].err, ERR_UNAVAILABLE);
}

static void a_server_that_stays_away_is_tried_once_more(void **state)
{
    struct fixture *f = *state;
    const enum err away[] = {ERR_UNAVAILABLE, ERR_UNAVAILABLE, ERR_UNAVAILABLE};
    struct script s = {.first = away, .n_first = 3};
    go(f, &s);
    assert_int_equal(s.calls, 2);
    assert_int_equal(f->rows[3].err, ERR_UNAVAILABLE);
}

static void a_fault_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    const enum err fault[] = {ERR_FAULT};
    struct script s = {.first = fault, .n_first = 1};
    go(f, &s);
    assert_int_equal(s.calls, 1);
    assert_int_equal(f->rows[0].err, ERR_FAULT);
}

static void deadlock_and_unknown_commit_run_the_whole_again(void **state)
{
    struct fixture *f = *state;
    const enum err first[] = {ERR_DEADLOCK, ERR_UNCERTAIN, ERR_UNAVAILABLE};
    struct script s = {.first = first, .n_first = 3};
    go(f, &s);
    assert_int_equal(s.calls, 4);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(f->rows[i].err, ERR_OK);
    assert_int_equal(metrics_get(f->runtime.metrics, METRIC_COMMITS_UNCERTAIN), 1);
}

static void halves_find_the_one_at_fault(void **state)
{
    struct fixture *f = *state;
    struct script s = {0};
    f->rows[5].poison = true;
    go(f, &s);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(f->rows[i].err, i == 5 ? ERR_UNAVAILABLE : ERR_OK);
}

static void a_locked_row_is_parked_and_the_rest_goes_on(void **state)
{
    struct fixture *f = *state;
    struct script s = {0};
    f->rows[2].foreign = true; /* rows 2 and 3 share its lock */
    go(f, &s);
    assert_int_equal(s.largest_nowait_groups, 0);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(f->rows[i].err, i / 2 == 1 ? ERR_LOCKED : ERR_OK);
    assert_int_equal(metrics_get(f->runtime.metrics, METRIC_BATCH_LOCKED), 2);

    f->rows[2].foreign = false;
    f->rows[2].runs = f->rows[3].runs = 0;
    for (size_t i = 0; i < 8; i++)
        f->pointers[i] = &f->rows[i];
    go(f, &s);
    assert_int_equal(f->rows[2].runs, 0);
    assert_int_equal(f->rows[3].err, ERR_LOCKED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_begun_after_the_deadline),
        TEST(a_server_that_stays_away_is_tried_once_more),
        TEST(a_fault_is_not_repeated),
        TEST(deadlock_and_unknown_commit_run_the_whole_again),
        TEST(halves_find_the_one_at_fault),
        TEST(a_locked_row_is_parked_and_the_rest_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
