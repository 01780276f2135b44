/* Leader and followers: refusals first, then that no job is lost and no caller waits for ever. */
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
#include <string.h>

struct number_job {
    int number;
    int answer;
};

/* What the run function of a test does and has seen. */
struct run {
    struct batch *batch;
    struct stall *stall;
    atomic_int batches, jobs, largest;
    sem_t entered, go; /* used where held is true */
    bool held;
};

static enum err run_double(void *context, unsigned leader, void **jobs, size_t n,
                           int64_t deadline_us)
{
    struct run *r = context;
    (void)leader;
    (void)deadline_us;
    atomic_fetch_add(&r->batches, 1);
    atomic_fetch_add(&r->jobs, (int)n);
    if ((int)n > atomic_load(&r->largest))
        atomic_store(&r->largest, (int)n);
    if (r->held) {
        sem_post(&r->entered);
        sem_wait(&r->go);
    }
    for (size_t i = 0; i < n; i++)
        ((struct number_job *)jobs[i])->answer = 2 * ((struct number_job *)jobs[i])->number;
    return ERR_OK;
}

/* A clock that posts a semaphore each time the batch reads it, which it does with jobs queued. */
static sem_t clock_read;

static int64_t posting_mono_us(void *self)
{
    (void)self;
    sem_post(&clock_read);
    return clock_system.mono_us(clock_system.self);
}
static const struct clock posting_clock = {.mono_us = posting_mono_us};

/* A clock by which no batch ever hangs. */
static int64_t frozen_mono_us(void *self)
{
    (void)self;
    return INT64_MAX / 2;
}
static const struct clock frozen_clock = {.mono_us = frozen_mono_us};

static int64_t now_us(void)
{
    return clock_system.mono_us(clock_system.self);
}

static struct batch_jobs *jobs_new(struct run *r, int first, size_t n)
{
    struct batch_jobs *jobs = batch_jobs_new(r->batch, n, 0);
    assert_non_null(jobs);
    for (size_t i = 0; i < n; i++)
        ((struct number_job *)batch_job(jobs, i))->number = first + (int)i;
    return jobs;
}

static void start_with_clocks(struct run *r, unsigned leaders, bool held, const struct clock *clock,
                              const struct clock *stall_clock)
{
    *r = (struct run){.held = held};
    sem_init(&r->entered, 0, 0);
    sem_init(&r->go, 0, 0);
    struct metrics *metrics = metrics_private();
    struct batch_settings settings = {.leaders = leaders,
                                      .job_size = sizeof(struct number_job),
                                      .kind = METRIC_BATCH_OPEN,
                                      .run = run_double,
                                      .context = r};
    r->stall = stall_new(stall_clock, metrics, leaders, 0);
    assert_non_null(r->stall);
    r->batch = batch_new(&settings, clock, metrics, r->stall);
    assert_non_null(r->batch);
}

static void start(struct run *r, unsigned leaders, bool held)
{
    start_with_clocks(r, leaders, held, &clock_system, &frozen_clock);
}

static void stop(struct run *r)
{
    batch_free(r->batch);
    stall_free(r->stall);
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
    struct batch_jobs *jobs = jobs_new(c->run, c->number, 1);
    c->err = batch_submit(c->run->batch, jobs, c->deadline_us);
    if (c->err == ERR_OK) {
        c->answer = ((struct number_job *)batch_job(jobs, 0))->answer;
        batch_release(c->run->batch, jobs);
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
    start(&r, 1, false);
    assert_int_equal(batch_submit(r.batch, jobs_new(&r, 1, 2), now_us() - 1), ERR_UNAVAILABLE);
    assert_int_equal(r.batches, 0);
    stop(&r);
}

static void jobs_submitted_together_run_together(void **state)
{
    (void)state;
    struct run r;
    start(&r, 1, false);
    struct batch_jobs *jobs = jobs_new(&r, 0, BATCH_MAX);
    assert_int_equal(batch_submit(r.batch, jobs, now_us() + 60000000), ERR_OK);
    assert_int_equal(r.batches, 1);
    for (int i = 0; i < BATCH_MAX; i++)
        assert_int_equal(((struct number_job *)batch_job(jobs, (size_t)i))->answer, 2 * i);
    batch_release(r.batch, jobs);
    stop(&r);
}

static void extra_bytes_are_aligned_and_beyond_the_jobs(void **state)
{
    (void)state;
    struct run r;
    start(&r, 1, false);
    struct batch_jobs *jobs = batch_jobs_new(r.batch, 3, 100);
    assert_non_null(jobs);
    char *extra = batch_jobs_extra(jobs);
    memset(extra, 'x', 100);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal((uintptr_t)batch_job(jobs, i) % _Alignof(struct number_job), 0);
        assert_int_equal(((struct number_job *)batch_job(jobs, i))->number, 0);
    }
    assert_int_equal(batch_submit(r.batch, jobs, now_us() + 60000000), ERR_OK);
    assert_int_equal(extra[99], 'x');
    batch_release(r.batch, jobs);
    stop(&r);
}

static void a_follower_leaves_at_its_deadline_while_the_leader_runs(void **state)
{
    (void)state;
    struct run r;
    struct caller leader, follower;
    start(&r, 1, true);
    caller_start(&leader, &r, 1, 60000000);
    sem_wait(&r.entered);
    caller_start(&follower, &r, 2, 50000);
    pthread_join(follower.thread, NULL);
    assert_int_equal(follower.err, ERR_UNAVAILABLE);
    sem_post(&r.go);
    pthread_join(leader.thread, NULL);
    assert_int_equal(leader.err, ERR_OK);
    assert_int_equal(leader.answer, 2);
    stop(&r);
}

/* Long before their deadlines, and only as long as the batch hangs. */
static void nothing_waits_behind_a_batch_that_hangs(void **state)
{
    (void)state;
    struct run r;
    struct caller hanging, waiting, late;
    start_with_clocks(&r, 1, true, &clock_system, &clock_system);
    caller_start(&hanging, &r, 1, 60000000);
    sem_wait(&r.entered);
    caller_start(&waiting, &r, 2, 60000000);
    pthread_join(waiting.thread, NULL);
    assert_int_equal(waiting.err, ERR_UNAVAILABLE);
    caller_start(&late, &r, 3, 60000000);
    pthread_join(late.thread, NULL);
    assert_int_equal(late.err, ERR_UNAVAILABLE);
    sem_post(&r.go);
    pthread_join(hanging.thread, NULL);
    assert_int_equal(hanging.err, ERR_OK);
    sem_post(&r.go);
    caller_start(&late, &r, 4, 60000000);
    pthread_join(late.thread, NULL);
    assert_int_equal(late.err, ERR_OK);
    stop(&r);
}

/* The sanitizers see it if the caller or the batch frees the jobs too early, or neither does. */
static void a_caller_that_leaves_does_not_free_running_jobs(void **state)
{
    (void)state;
    struct run r;
    struct caller first, second, leaving;
    sem_init(&clock_read, 0, 0);
    start_with_clocks(&r, 1, true, &posting_clock, &frozen_clock);
    caller_start(&first, &r, 1, 60000000);
    sem_wait(&r.entered);
    sem_wait(&clock_read);
    caller_start(&second, &r, 2, 60000000);
    sem_wait(&clock_read); /* queued */
    caller_start(&leaving, &r, 3, 300000);
    sem_wait(&clock_read);
    sem_post(&r.go);
    sem_wait(&r.entered); /* the second runs the jobs of both */
    pthread_join(leaving.thread, NULL);
    assert_int_equal(leaving.err, ERR_UNAVAILABLE);
    sem_post(&r.go);
    pthread_join(first.thread, NULL);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.err, ERR_OK);
    assert_int_equal(second.answer, 4);
    stop(&r);
}

static void waiting_jobs_run_together_up_to_the_limit(void **state)
{
    (void)state;
    struct run r;
    struct caller callers[BATCH_MAX + 20];
    size_t n = sizeof callers / sizeof callers[0];
    start(&r, 1, true);
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
    assert_int_equal(r.jobs, (int)n);
    assert_true(r.largest <= BATCH_MAX);
    stop(&r);
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

static void many_threads_and_leaders_lose_no_job(void **state)
{
    (void)state;
    struct run r;
    struct worker workers[16];
    start(&r, 3, false);
    for (size_t i = 0; i < 16; i++) {
        workers[i] = (struct worker){.run = &r};
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    assert_int_equal(r.jobs, 16 * 2000);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_in_the_past_is_refused),
        cmocka_unit_test(jobs_submitted_together_run_together),
        cmocka_unit_test(a_follower_leaves_at_its_deadline_while_the_leader_runs),
        cmocka_unit_test(nothing_waits_behind_a_batch_that_hangs),
        cmocka_unit_test(extra_bytes_are_aligned_and_beyond_the_jobs),
        cmocka_unit_test(a_caller_that_leaves_does_not_free_running_jobs),
        cmocka_unit_test(waiting_jobs_run_together_up_to_the_limit),
        cmocka_unit_test(many_threads_and_leaders_lose_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
