/* Leader and followers: what is refused first, then that nobody is lost and nobody waits for ever.
 */
#include "lib/service/common/batch.h"
#include "lib/store/store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct item {
    int number;
    int answer;
};

/* What the run function of a test does and has seen. */
struct run {
    struct batch *batch;
    atomic_int batches, members, largest, released;
    sem_t entered, go; /* used where held is true */
    bool held;
};
static struct run *released_by; /* release() has no context of its own */

static void run_double(void *context, unsigned slot, void **members, size_t n, int64_t deadline_us)
{
    struct run *r = context;
    (void)slot;
    (void)deadline_us;
    atomic_fetch_add(&r->batches, 1);
    atomic_fetch_add(&r->members, (int)n);
    if ((int)n > atomic_load(&r->largest))
        atomic_store(&r->largest, (int)n);
    if (r->held) {
        sem_post(&r->entered);
        sem_wait(&r->go);
    }
    for (size_t i = 0; i < n; i++)
        ((struct item *)members[i])->answer = 2 * ((struct item *)members[i])->number;
}

static void release(void *item)
{
    atomic_fetch_add(&released_by->released, 1);
    free(item);
}

static int64_t now_us(void)
{
    return clock_system.mono_us(clock_system.self);
}

static struct item *item_new(int number)
{
    struct item *item = malloc(sizeof *item);
    assert_non_null(item);
    *item = (struct item){.number = number};
    return item;
}

static void start(struct run *r, unsigned leaders, int64_t breaker_us, bool held)
{
    *r = (struct run){.held = held};
    sem_init(&r->entered, 0, 0);
    sem_init(&r->go, 0, 0);
    released_by = r;
    struct batch_settings settings = {.leaders = leaders,
                                      .breaker_us = breaker_us,
                                      .kind = METRIC_BATCH_OPEN,
                                      .run = run_double,
                                      .context = r,
                                      .release = release};
    r->batch = batch_new(&settings, &clock_system, metrics_private());
    assert_non_null(r->batch);
}

struct caller {
    struct run *run;
    int number, answer;
    int64_t deadline_us;
    enum err err;
    pthread_t thread;
};

static void *call(void *arg)
{
    struct caller *c = arg;
    struct batch_entry *entry;
    struct item *item = item_new(c->number);
    void *items[1] = {item};
    c->err = batch_submit(c->run->batch, items, 1, c->deadline_us, &entry);
    if (c->err == ERR_OK) {
        c->answer = item->answer;
        batch_release(c->run->batch, entry);
    }
    return NULL;
}

static void caller_start(struct caller *c, struct run *r, int number, int64_t wait_us)
{
    *c = (struct caller){.run = r, .number = number, .deadline_us = now_us() + wait_us};
    assert_int_equal(pthread_create(&c->thread, NULL, call, c), 0);
}

static void a_deadline_in_the_past_is_refused(void **state)
{
    (void)state;
    struct run r;
    struct batch_entry *entry;
    start(&r, 1, 500000, false);
    void *items[2] = {item_new(1), item_new(2)};
    assert_int_equal(batch_submit(r.batch, items, 2, now_us() - 1, &entry), ERR_UNAVAILABLE);
    assert_int_equal(r.batches, 0);
    assert_int_equal(r.released, 2);
    batch_free(r.batch);
}

static void what_is_submitted_together_runs_together(void **state)
{
    (void)state;
    struct run r;
    struct batch_entry *entry;
    void *items[BATCH_MAX];
    start(&r, 1, 500000, false);
    for (int i = 0; i < BATCH_MAX; i++)
        items[i] = item_new(i);
    assert_int_equal(batch_submit(r.batch, items, BATCH_MAX, now_us() + 60000000, &entry), ERR_OK);
    assert_int_equal(r.batches, 1);
    for (int i = 0; i < BATCH_MAX; i++)
        assert_int_equal(((struct item *)items[i])->answer, 2 * i);
    batch_release(r.batch, entry);
    assert_int_equal(r.released, BATCH_MAX);
    batch_free(r.batch);
}

static void a_follower_leaves_at_its_deadline_while_the_leader_runs(void **state)
{
    (void)state;
    struct run r;
    struct caller leader, follower;
    start(&r, 1, 60000000, true);
    caller_start(&leader, &r, 1, 60000000);
    sem_wait(&r.entered);
    caller_start(&follower, &r, 2, 50000);
    pthread_join(follower.thread, NULL);
    assert_int_equal(follower.err, ERR_UNAVAILABLE);
    sem_post(&r.go);
    pthread_join(leader.thread, NULL);
    assert_int_equal(leader.err, ERR_OK);
    assert_int_equal(leader.answer, 2);
    assert_int_equal(r.released, 2);
    batch_free(r.batch);
}

static void a_stalled_batch_opens_the_breaker_and_its_end_closes_it(void **state)
{
    (void)state;
    struct run r;
    struct caller stalled, waiting, late;
    start(&r, 1, 30000, true);
    caller_start(&stalled, &r, 1, 60000000);
    sem_wait(&r.entered);
    caller_start(&waiting, &r, 2, 60000000);
    pthread_join(waiting.thread, NULL); /* returns by the breaker, long before its deadline */
    assert_int_equal(waiting.err, ERR_UNAVAILABLE);
    caller_start(&late, &r, 3, 60000000);
    pthread_join(late.thread, NULL);
    assert_int_equal(late.err, ERR_UNAVAILABLE);
    sem_post(&r.go);
    pthread_join(stalled.thread, NULL);
    assert_int_equal(stalled.err, ERR_OK);
    sem_post(&r.go);
    caller_start(&late, &r, 4, 60000000);
    pthread_join(late.thread, NULL);
    assert_int_equal(late.err, ERR_OK);
    assert_int_equal(r.released, 4);
    batch_free(r.batch);
}

static void those_who_wait_are_run_together_up_to_the_limit(void **state)
{
    (void)state;
    struct run r;
    struct caller callers[BATCH_MAX + 20];
    size_t n = sizeof callers / sizeof callers[0];
    start(&r, 1, 60000000, true);
    caller_start(&callers[0], &r, 0, 60000000);
    sem_wait(&r.entered);
    for (size_t i = 1; i < n; i++)
        caller_start(&callers[i], &r, (int)i, 60000000);
    for (size_t i = 0; i < n; i++)
        sem_post(&r.go);
    for (size_t i = 0; i < n; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].err, ERR_OK);
        assert_int_equal(callers[i].answer, 2 * (int)i);
    }
    assert_int_equal(r.members, (int)n);
    assert_true(r.largest <= BATCH_MAX);
    assert_int_equal(r.released, (int)n);
    batch_free(r.batch);
}

struct worker {
    struct run *run;
    pthread_t thread;
    int wrong;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < 2000; i++) {
        struct caller c = {.run = w->run, .number = i, .deadline_us = now_us() + 60000000};
        call(&c);
        w->wrong += c.err != ERR_OK || c.answer != 2 * i;
    }
    return NULL;
}

static void many_threads_and_leaders_lose_nobody(void **state)
{
    (void)state;
    struct run r;
    struct worker workers[16];
    start(&r, 3, 60000000, false);
    for (size_t i = 0; i < 16; i++) {
        workers[i] = (struct worker){.run = &r};
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    assert_int_equal(r.members, 16 * 2000);
    assert_int_equal(r.released, 16 * 2000);
    batch_free(r.batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_in_the_past_is_refused),
        cmocka_unit_test(what_is_submitted_together_runs_together),
        cmocka_unit_test(a_follower_leaves_at_its_deadline_while_the_leader_runs),
        cmocka_unit_test(a_stalled_batch_opens_the_breaker_and_its_end_closes_it),
        cmocka_unit_test(those_who_wait_are_run_together_up_to_the_limit),
        cmocka_unit_test(many_threads_and_leaders_lose_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
