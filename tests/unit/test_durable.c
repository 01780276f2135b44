/* Durable before visible: a barrier that began after the read has ended before durable_wait
 * returns, and waiters share it. */
#include "lib/service/common/durable.h"
#include "tests/fake/fake_service.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WAITERS 3
#define GIVE_UP_S 10

struct fixture {
    struct fake_service fake;
    struct durable *durable;
    struct envelope e;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    fake_service_init(&f.fake);
    f.durable = durable_new(&f.fake.runtime);
    fake_send(&f.fake, &f.e);
    *state = &f;
    return f.durable == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    durable_free(f->durable);
    fake_service_end(&f->fake);
    return 0;
}

static unsigned barriers(const struct fixture *f)
{
    return memory_db_calls(f->fake.db, MEMORY_BARRIER);
}

static enum err wait_for(struct fixture *f, const struct id *id, int64_t version)
{
    return durable_wait(f->durable, f->fake.store, id, version);
}

/* Opens a share as another process does whose flush is still under way. */
static void open_elsewhere(struct fixture *f, const char *user)
{
    memory_db_delay_flush(f->fake.db, true);
    (void)fake_open(&f->fake, &f->e.id, user);
    memory_db_delay_flush(f->fake.db, false);
    assert_false(memory_db_is_durable(f->fake.db));
}

static void what_was_read_is_durable_afterwards(void **state)
{
    struct fixture *f = *state;
    open_elsewhere(f, "bob");
    assert_int_equal(wait_for(f, &f->e.id, 2), ERR_OK);
    assert_true(memory_db_is_durable(f->fake.db));
    memory_db_crash(f->fake.db);
    assert_non_null(memory_db_claim(f->fake.db, &f->e.id, "bob"));
}

static void a_version_found_durable_needs_no_other_barrier(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(wait_for(f, &f->e.id, 3), ERR_OK);
    assert_int_equal(wait_for(f, &f->e.id, 3), ERR_OK);
    assert_int_equal(wait_for(f, &f->e.id, 2), ERR_OK);
    assert_int_equal(barriers(f), 1);
    open_elsewhere(f, "bob");
    assert_int_equal(wait_for(f, &f->e.id, 4), ERR_OK); /* a newer one does */
    assert_true(memory_db_is_durable(f->fake.db));
    assert_int_equal(wait_for(f, &f->e.id, 3), ERR_OK); /* and is the one remembered */
    assert_int_equal(barriers(f), 2);
}

/* Another envelope that is remembered in the slot of id. */
static struct id colliding_id(const struct id *id)
{
    struct id other = *id;
    for (unsigned i = 1; i < 65536; i++) {
        other.b[6] = (uint8_t)(i >> 8);
        other.b[7] = (uint8_t)i;
        if (id_slot(&other, 4096) == id_slot(id, 4096) && id_compare(&other, id) != 0)
            return other;
    }
    fail();
    return other;
}

static void another_envelope_in_its_place_is_not_taken_for_it(void **state)
{
    struct fixture *f = *state;
    struct id other = colliding_id(&f->e.id);
    assert_int_equal(wait_for(f, &other, 1000), ERR_OK);
    open_elsewhere(f, "bob");
    assert_int_equal(wait_for(f, &f->e.id, 2), ERR_OK);
    assert_true(memory_db_is_durable(f->fake.db));
    assert_int_equal(barriers(f), 2);
    assert_int_equal(wait_for(f, &other, 1000), ERR_OK); /* forgotten meanwhile */
    assert_int_equal(barriers(f), 3);
}

static void a_failed_barrier_proves_nothing(void **state)
{
    struct fixture *f = *state;
    open_elsewhere(f, "bob");
    memory_db_fail(f->fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(wait_for(f, &f->e.id, 2), ERR_UNAVAILABLE);
    assert_false(memory_db_is_durable(f->fake.db));
    assert_int_equal(wait_for(f, &f->e.id, 2), ERR_OK); /* the session can be used again */
    assert_true(memory_db_is_durable(f->fake.db));
    assert_int_equal(barriers(f), 2);
}

/* ---- waiters that come while a barrier runs ---- */

struct waiter {
    struct fixture *f;
    struct store *store;
    struct id id;
    pthread_t thread;
    _Atomic pid_t tid; /* 0: not started */
    enum err err;
};

static sem_t barrier_begun, barrier_may_end;
static _Atomic unsigned held;

/* Holds the first barrier. */
static void hold_first(void *context, enum memory_op op, struct store *s)
{
    (void)context;
    (void)s;
    if (op != MEMORY_BARRIER || held++ > 0)
        return;
    sem_post(&barrier_begun);
    sem_wait(&barrier_may_end);
}

static void *waiter_run(void *context)
{
    struct waiter *w = context;
    w->tid = (pid_t)syscall(SYS_gettid);
    w->err = durable_wait(w->f->durable, w->store, &w->id, 1);
    return NULL;
}

/* Waits for what must come at once; fails the test where it does not. */
static void wait_bounded(sem_t *sem)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GIVE_UP_S;
    assert_int_equal(sem_timedwait(sem, &until), 0);
}

/* Returns once the thread sleeps: all that it can sleep on is the barrier of another. */
static void wait_until_asleep(const struct waiter *w)
{
    char path[64], text[512];
    char mode = 'R';
    int64_t until_us = clock_system.mono_us(NULL) + GIVE_UP_S * FAKE_US_PER_S;
    while (mode != 'S') {
        assert_true(clock_system.mono_us(NULL) < until_us);
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)w->tid);
        FILE *stat = w->tid != 0 ? fopen(path, "r") : NULL;
        if (stat == NULL)
            continue;
        size_t n = fread(text, 1, sizeof text - 1, stat);
        fclose(stat);
        text[n] = '\0';
        const char *after_name = strrchr(text, ')');
        mode = after_name != NULL ? after_name[2] : 'R';
    }
}

static void start(struct fixture *f, struct waiter *w, uint8_t id)
{
    *w = (struct waiter){.f = f, .store = memory_store_open(f->fake.db), .id = {{id}}};
    assert_int_equal(pthread_create(&w->thread, NULL, waiter_run, w), 0);
}

static void waiters_share_one_barrier_that_began_after_them(void **state)
{
    struct fixture *f = *state;
    struct waiter waiters[WAITERS];
    sem_init(&barrier_begun, 0, 0);
    sem_init(&barrier_may_end, 0, 0);
    held = 0;
    memory_db_set_hook(f->fake.db, hold_first, NULL);
    start(f, &waiters[0], 1);
    wait_bounded(&barrier_begun);
    for (uint8_t i = 1; i < WAITERS; i++) {
        start(f, &waiters[i], (uint8_t)(i + 1));
        wait_until_asleep(&waiters[i]);
    }
    sem_post(&barrier_may_end);
    for (size_t i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].err, ERR_OK);
        waiters[i].store->ops->close(waiters[i].store);
    }
    assert_int_equal(barriers(f), 2); /* the first one began before the others had read */
    assert_int_equal(fake_metric(&f->fake, METRIC_BARRIERS), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_read_is_durable_afterwards),
        TEST(a_version_found_durable_needs_no_other_barrier),
        TEST(another_envelope_in_its_place_is_not_taken_for_it),
        TEST(a_failed_barrier_proves_nothing),
        TEST(waiters_share_one_barrier_that_began_after_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
