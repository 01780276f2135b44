/* The cache contract on a real memcached, and what only a process that is killed or stopped shows.
 */
#include "lib/base/clock.h"
#include "lib/store/memcached.h"
#include "tests/contract/cache_contract.h"
#include "tests/service/memcached_server.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

struct fixture {
    struct cache_contract contract;
    struct memcached_server server;
};

static void restart(struct cache_contract *t)
{
    struct fixture *f = (struct fixture *)t;
    memcached_server_kill(&f->server);
    memcached_server_again(&f->server);
}

/* memcached counts by a clock of its own, in seconds. */
static void pass_s(struct cache_contract *t, unsigned s)
{
    (void)t;
    nanosleep(&(struct timespec){.tv_sec = s}, NULL);
}

static int set_up_with(void **state, unsigned timeout_ms)
{
    static struct fixture f;
    memcached_server_start(&f.server);
    f.contract =
        (struct cache_contract){.a = memcached_cache_new(f.server.socket, timeout_ms, NULL),
                                .b = memcached_cache_new(f.server.socket, timeout_ms, NULL),
                                .restart = restart,
                                .pass_s = pass_s};
    *state = &f;
    return f.contract.a == NULL || f.contract.b == NULL;
}

/* A busy machine must not look like a stopped server. */
static int set_up(void **state)
{
    return set_up_with(state, 5000);
}

static int set_up_impatient(void **state)
{
    return set_up_with(state, 200);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->contract.a->ops->close(f->contract.a);
    f->contract.b->ops->close(f->contract.b);
    memcached_server_end(&f->server);
    return 0;
}

static void bad_servers_are_refused(void **state)
{
    (void)state;
    assert_null(memcached_cache_new("", 200, NULL));
    assert_null(memcached_cache_new(",", 200, NULL));
}

static void a_dead_server_is_unknown_not_a_miss(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    memcached_server_kill(&f->server);
    assert_int_equal(cache_text_get(f->contract.a, "x/g", &seen), CACHE_UNKNOWN);
    assert_int_equal(cache_text_add(f->contract.a, "x/g", "1"), CACHE_UNKNOWN);
    memcached_server_again(&f->server);
    assert_int_equal(cache_text_get(f->contract.a, "x/g", &seen), CACHE_MISS);
}

static void a_stopped_server_is_unknown_and_its_late_answer_goes_to_nobody(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    assert_int_equal(cache_text_add(f->contract.a, "one/g", "first"), CACHE_STORED);
    assert_int_equal(cache_text_add(f->contract.a, "two/g", "second"), CACHE_STORED);
    kill(f->server.pid, SIGSTOP);
    waitpid(f->server.pid, NULL, WUNTRACED); /* stopped in all its threads */
    assert_int_equal(cache_text_get(f->contract.a, "one/g", &seen), CACHE_UNKNOWN);
    kill(f->server.pid, SIGCONT);
    assert_int_equal(cache_text_get(f->contract.a, "two/g", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "second");
}

static void many_cas_to_a_stopped_server_are_unknown(void **state)
{
    struct fixture *f = *state;
    static struct cache_many many;
    assert_int_equal(cache_text_add(f->contract.a, "0/g", "v"), CACHE_STORED);
    cache_many_prepare(f->contract.a, &many);
    kill(f->server.pid, SIGSTOP);
    waitpid(f->server.pid, NULL, WUNTRACED);
    f->contract.a->ops->cas_all(f->contract.a, many.writes, CACHE_MANY);
    kill(f->server.pid, SIGCONT);
    for (int i = 0; i < CACHE_MANY; i++)
        assert_int_equal(many.items[i].result, CACHE_UNKNOWN);
    /* the server may have done them by now; a get shows what is true */
    assert_int_equal(cache_text_get(f->contract.b, "0/g", &(struct text_item){0}), CACHE_HIT);
}

/* A hint is on its way when flush returns: what it stores can be seen soon. */
static void assert_soon(struct cache *c, const char *key, const char *value)
{
    struct text_item seen;
    int64_t until_us = clock_system.mono_us(NULL) + 5000000;
    while (cache_text_get(c, key, &seen) != CACHE_HIT || strcmp(seen.text, value) != 0)
        assert_true(clock_system.mono_us(NULL) < until_us);
}

static void hints_are_stored_in_their_order(void **state)
{
    struct fixture *f = *state;
    char key[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "%d/h", i);
        cache_text_hint(f->contract.a, CACHE_HINT_ADD, key, "first");
        cache_text_hint(f->contract.a, CACHE_HINT_ADD, key, "second");
    }
    cache_text_hint(f->contract.a, CACHE_HINT_SET, "0/h", "third");
    f->contract.a->ops->flush(f->contract.a, false);
    assert_soon(f->contract.b, "0/h", "third");
    assert_soon(f->contract.b, "4999/h", "first");
}

static void hints_are_there_after_waiting(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    char key[32];
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "%d/h", i);
        cache_text_hint(f->contract.a, CACHE_HINT_ADD, key, "here");
        f->contract.a->ops->flush(f->contract.a, true);
        assert_int_equal(cache_text_get(f->contract.b, key, &seen), CACHE_HIT);
    }
}

static void hints_to_a_stopped_server_hold_nobody_up(void **state)
{
    struct fixture *f = *state;
    char key[32], value[1000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    kill(f->server.pid, SIGSTOP);
    waitpid(f->server.pid, NULL, WUNTRACED);
    int64_t began_us = clock_system.mono_us(NULL);
    for (int i = 0; i < 5000; i++) { /* far more than the socket takes */
        snprintf(key, sizeof key, "%d/h", i);
        cache_text_hint(f->contract.a, CACHE_HINT_SET, key, value);
    }
    f->contract.a->ops->flush(f->contract.a, true);
    assert_true(clock_system.mono_us(NULL) - began_us < 2000000);
    kill(f->server.pid, SIGCONT);
    cache_text_hint(f->contract.a, CACHE_HINT_SET, "x/h", "again");
    f->contract.a->ops->flush(f->contract.a, false);
    assert_soon(f->contract.b, "x/h", "again");
}

static void hints_survive_their_server(void **state)
{
    struct fixture *f = *state;
    cache_text_hint(f->contract.a, CACHE_HINT_SET, "x/h", "old");
    f->contract.a->ops->flush(f->contract.a, false);
    memcached_server_kill(&f->server);
    for (int i = 0; i < 100; i++) { /* lost, and nothing else */
        cache_text_hint(f->contract.a, CACHE_HINT_SET, "x/h", "lost");
        f->contract.a->ops->flush(f->contract.a, false);
    }
    memcached_server_again(&f->server);
    cache_text_hint(f->contract.a, CACHE_HINT_SET, "x/h", "new");
    f->contract.a->ops->flush(f->contract.a, false);
    assert_soon(f->contract.b, "x/h", "new");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define STOPPED(name) cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)
    const struct CMUnitTest tests[] = {
        CACHE_CONTRACT_TESTS(set_up, tear_down),
        cmocka_unit_test(bad_servers_are_refused),
        TEST(a_dead_server_is_unknown_not_a_miss),
        STOPPED(a_stopped_server_is_unknown_and_its_late_answer_goes_to_nobody),
        STOPPED(many_cas_to_a_stopped_server_are_unknown),
        TEST(hints_are_stored_in_their_order),
        TEST(hints_are_there_after_waiting),
        STOPPED(hints_to_a_stopped_server_hold_nobody_up),
        TEST(hints_survive_their_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
