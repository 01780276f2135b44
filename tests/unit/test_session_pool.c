/* Sessions: which requests are given one, with which deadline, and what a stall takes away. */
#include "lib/service/common/session_pool.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#define RESERVE_US 1000

/* Counts what is open, and keeps the last deadline. */
struct counted {
    struct store store;
    int64_t deadline_us;
};

static int open_stores, open_caches;
static int64_t test_now_us;

static int64_t test_mono_us(void *self)
{
    (void)self;
    return test_now_us;
}
static const struct clock test_clock = {.mono_us = test_mono_us, .wall_us = test_mono_us};

static void counted_close(struct store *s)
{
    open_stores--;
    free(s);
}

static void counted_set_deadline(struct store *s, int64_t mono_us)
{
    ((struct counted *)(void *)s)->deadline_us = mono_us;
}

static void cache_close(struct cache *c)
{
    open_caches--;
    free(c);
}
static const struct store_ops counted_ops = {.close = counted_close,
                                             .set_deadline = counted_set_deadline};
static const struct cache_ops cache_ops = {.close = cache_close};

static struct store *counted_open(void *self)
{
    (void)self;
    struct counted *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->store.ops = &counted_ops;
    open_stores++;
    return &c->store;
}

static struct store *open_nothing(void *self)
{
    (void)self;
    return NULL;
}

static struct cache *cache_open(void *self)
{
    (void)self;
    struct cache *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->ops = &cache_ops;
    open_caches++;
    return c;
}

static int64_t deadline_of(const struct store *s)
{
    return ((const struct counted *)(const void *)s)->deadline_us;
}

static struct runtime runtime;

static struct session_pool *pool_new(unsigned leaders, unsigned threads)
{
    const struct session_pool_settings settings = {
        .leaders = leaders, .threads = threads, .reserve_us = RESERVE_US};
    runtime = (struct runtime){.clock = &test_clock,
                               .metrics = metrics_private(),
                               .store_open = counted_open,
                               .cache_open = cache_open};
    test_now_us = 1000000;
    struct session_pool *p = session_pool_new(&runtime, &settings);
    assert_non_null(p);
    return p;
}

static void pool_end(struct session_pool *p)
{
    session_pool_free(p);
    assert_int_equal(open_stores, 0);
    assert_int_equal(open_caches, 0);
}

static void a_session_is_made_once_and_used_again(void **state)
{
    (void)state;
    struct session_pool *p = pool_new(0, 4);
    struct session *first = session_pool_take(p, test_now_us + 5000);
    assert_non_null(first);
    assert_ptr_equal(first->replica, first->store);
    assert_int_equal(deadline_of(first->store), test_now_us + 5000 - RESERVE_US);
    session_pool_give(p, first, ERR_OK);
    assert_ptr_equal(session_pool_take(p, test_now_us), first);
    assert_int_equal(open_stores, 1);
    session_pool_give(p, first, ERR_OK);
    pool_end(p);
}

static void the_replica_is_a_session_of_its_own(void **state)
{
    (void)state;
    struct session_pool *p = pool_new(0, 4);
    runtime.replica_open = counted_open;
    struct session *s = session_pool_take(p, test_now_us + 5000);
    assert_non_null(s);
    assert_ptr_not_equal(s->replica, s->store);
    assert_int_equal(deadline_of(s->replica), test_now_us + 5000 - RESERVE_US);
    session_pool_give(p, s, ERR_OK);
    pool_end(p);
}

static void three_quarters_of_the_threads_hold_one(void **state)
{
    (void)state;
    struct session_pool *p = pool_new(0, 8);
    struct session *taken[6];
    for (size_t i = 0; i < 6; i++)
        assert_non_null(taken[i] = session_pool_take(p, test_now_us));
    test_now_us += STALL_US + 1;
    assert_null(session_pool_take(p, test_now_us));
    for (size_t i = 0; i < 6; i++)
        session_pool_give(p, taken[i], ERR_OK);
    pool_end(p);
}

static void how_the_primary_answered_decides_about_a_stall(void **state)
{
    (void)state;
    struct session_pool *p = pool_new(0, 8);
    struct session *s = session_pool_take(p, test_now_us);
    test_now_us += STALL_US + 1;
    session_pool_give(p, s, ERR_LOCKED);
    s = session_pool_take(p, test_now_us);
    struct session *other = session_pool_take(p, test_now_us);
    assert_true(s != NULL && other != NULL);
    test_now_us += STALL_US + 1;
    session_pool_give(p, s, ERR_UNAVAILABLE);
    session_pool_give(p, other, ERR_OK);
    s = session_pool_take(p, test_now_us); /* the probe */
    assert_non_null(s);
    assert_null(session_pool_take(p, test_now_us));
    session_pool_give(p, s, ERR_OK);
    assert_int_equal(metrics_get(runtime.metrics, METRIC_DATABASE_STALLS), 1);
    pool_end(p);
}

static void caches_do_not_pass_the_detector(void **state)
{
    (void)state;
    struct session_pool *p = pool_new(0, 1);
    struct session *only = session_pool_take(p, test_now_us);
    test_now_us += STALL_US + 1;
    assert_null(session_pool_take(p, test_now_us));
    struct cache *a = session_pool_take_cache(p), *b = session_pool_take_cache(p);
    assert_true(a != NULL && b != NULL && a != b);
    session_pool_give_cache(p, a);
    assert_ptr_equal(session_pool_take_cache(p), a);
    session_pool_give_cache(p, a);
    session_pool_give_cache(p, b);
    session_pool_give_cache(p, NULL);
    session_pool_give(p, only, ERR_OK);
    pool_end(p);
}

static void a_leader_has_its_own(void **state)
{
    (void)state;
    struct session_pool *p = pool_new(2, 1);
    struct session *leader = session_pool_leader(p, 1);
    assert_non_null(leader);
    assert_ptr_equal(session_pool_leader(p, 1), leader);
    assert_ptr_not_equal(session_pool_leader(p, 0), leader);
    struct session *s = session_pool_take(p, test_now_us);
    assert_ptr_not_equal(s, leader);
    session_pool_give(p, s, ERR_OK);
    pool_end(p);
}

static void without_memory_nothing_is_occupied(void **state)
{
    (void)state;
    struct session_pool *p = pool_new(0, 1);
    runtime.store_open = open_nothing;
    assert_null(session_pool_take(p, test_now_us));
    runtime.store_open = counted_open;
    struct session *s = session_pool_take(p, test_now_us);
    assert_non_null(s);
    session_pool_give(p, s, ERR_OK);
    pool_end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_made_once_and_used_again),
        cmocka_unit_test(the_replica_is_a_session_of_its_own),
        cmocka_unit_test(three_quarters_of_the_threads_hold_one),
        cmocka_unit_test(how_the_primary_answered_decides_about_a_stall),
        cmocka_unit_test(caches_do_not_pass_the_detector),
        cmocka_unit_test(a_leader_has_its_own),
        cmocka_unit_test(without_memory_nothing_is_occupied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
