/* The cache contract on a real memcached: what is unknown is said to be unknown. */
#include "lib/base/clock.h"
#include "lib/store/memcached.h"
#include "tests/service/memcached_server.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct fixture {
    struct memcached_server server;
    struct cache *a, *b; /* two connections */
};

static int set_up(void **state)
{
    static struct fixture f;
    memcached_server_start(&f.server);
    f.a = memcached_cache_new(f.server.socket, 200);
    f.b = memcached_cache_new(f.server.socket, 200);
    *state = &f;
    return f.a == NULL || f.b == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->a->ops->close(f->a);
    f->b->ops->close(f->b);
    memcached_server_end(&f->server);
    return 0;
}

struct text_item {
    struct cache_item item;
    char text[64];
};

static enum cache_result get(struct cache *c, const char *key, struct text_item *out)
{
    *out = (struct text_item){.item = {.value_cap = sizeof out->text}};
    out->item.value = out->text;
    snprintf(out->item.key, sizeof out->item.key, "%s", key);
    c->ops->get(c, &out->item, 1);
    return out->item.result;
}

static enum cache_result add(struct cache *c, const char *key, const char *value)
{
    return c->ops->add(c, key, value, strlen(value), 60);
}

static enum cache_result cas(struct cache *c, const struct text_item *seen, const char *value)
{
    return c->ops->cas(c, &seen->item, value, strlen(value), 60);
}

static void bad_servers_are_refused(void **state)
{
    (void)state;
    assert_null(memcached_cache_new("", 200));
    assert_null(memcached_cache_new(",", 200));
}

static void a_dead_server_is_unknown_not_a_miss(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    memcached_server_kill(&f->server);
    assert_int_equal(get(f->a, "x/g", &seen), CACHE_UNKNOWN);
    assert_int_equal(add(f->a, "x/g", "1"), CACHE_UNKNOWN);
    memcached_server_again(&f->server);
    assert_int_equal(get(f->a, "x/g", &seen), CACHE_MISS);
}

static void a_get_finds_a_server_that_started_again(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    assert_int_equal(get(f->a, "x/g", &seen), CACHE_MISS);
    memcached_server_kill(&f->server);
    memcached_server_again(&f->server);
    assert_int_equal(get(f->a, "x/g", &seen), CACHE_MISS);
}

static void a_stopped_server_is_unknown_and_its_late_answer_goes_to_nobody(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    assert_int_equal(add(f->a, "one/g", "first"), CACHE_STORED);
    assert_int_equal(add(f->a, "two/g", "second"), CACHE_STORED);
    kill(f->server.pid, SIGSTOP);
    waitpid(f->server.pid, NULL, WUNTRACED); /* stopped in all its threads */
    assert_int_equal(get(f->a, "one/g", &seen), CACHE_UNKNOWN);
    kill(f->server.pid, SIGCONT);
    assert_int_equal(get(f->a, "two/g", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "second");
}

static void a_token_does_not_outlive_its_server(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    assert_int_equal(add(f->a, "x/g", "old"), CACHE_STORED);
    assert_int_equal(get(f->a, "x/g", &seen), CACHE_HIT);
    memcached_server_kill(&f->server);
    memcached_server_again(&f->server);
    assert_int_equal(add(f->b, "x/g", "new"), CACHE_STORED); /* the same cas number again */
    assert_int_equal(cas(f->a, &seen, "stale"), CACHE_UNKNOWN);
    assert_int_equal(cas(f->a, &seen, "stale"), CACHE_UNKNOWN);
    assert_int_equal(get(f->a, "x/g", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "new");
}

static void add_and_cas_have_one_winner(void **state)
{
    struct fixture *f = *state;
    struct text_item a, b;
    assert_int_equal(get(f->a, "x/g", &a), CACHE_MISS);
    assert_int_equal(add(f->a, "x/g", "1"), CACHE_STORED);
    assert_int_equal(add(f->b, "x/g", "2"), CACHE_EXISTS);
    assert_int_equal(get(f->a, "x/g", &a), CACHE_HIT);
    assert_int_equal(get(f->b, "x/g", &b), CACHE_HIT);
    assert_int_equal(cas(f->a, &a, "3"), CACHE_STORED);
    assert_int_equal(cas(f->b, &b, "4"), CACHE_EXISTS);
    assert_int_equal(get(f->b, "x/g", &b), CACHE_HIT);
    assert_string_equal(b.text, "3");
}

#define MANY 40

/* Gets "0/g".. over c, and makes of each a write of its own text with an x behind. */
static void prepare_writes(struct cache *c, struct cache_item items[MANY],
                           struct cache_write writes[MANY], char texts[MANY][16],
                           char values[MANY][16])
{
    for (int i = 0; i < MANY; i++) {
        items[i] = (struct cache_item){.value = texts[i], .value_cap = 16};
        snprintf(items[i].key, sizeof items[i].key, "%d/g", i);
    }
    c->ops->get(c, items, MANY);
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(values[i], 16, "%sx", texts[i]);
        writes[i] = (struct cache_write){
            .item = &items[i], .value = values[i], .len = (size_t)len, .ttl_s = 60};
    }
}

static void many_cas_tell_by_what_is_read(void **state)
{
    struct fixture *f = *state;
    static struct cache_item items[MANY], others[MANY];
    static struct cache_write writes[MANY], theirs[MANY];
    static char texts[MANY][16], values[MANY][16], other_texts[MANY][16], other_values[MANY][16];
    char expected[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(expected, sizeof expected, "%d/g", i);
        assert_int_equal(add(f->a, expected, "v"), CACHE_STORED);
    }
    prepare_writes(f->a, items, writes, texts, values);
    prepare_writes(f->b, others, theirs, other_texts, other_values);
    for (int i = 0; i < MANY; i++)
        values[i][0] = 'a';
    f->b->ops->cas_all(f->b, theirs, MANY / 2); /* the other one is first at half of them */
    f->a->ops->cas_all(f->a, writes, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(items[i].result, CACHE_HIT);
        assert_string_equal(items[i].value, i < MANY / 2 ? "vx" : "ax");
    }
    f->a->ops->cas_all(f->a, writes, MANY); /* with the tokens that were read: all are stored */
    for (int i = 0; i < MANY; i++)
        assert_string_equal(items[i].value, "ax");
    assert_int_equal(get(f->a, "0/g", &(struct text_item){0}), CACHE_HIT); /* still of use */
}

static void many_cas_to_a_dead_server_are_unknown(void **state)
{
    struct fixture *f = *state;
    static struct cache_item items[MANY];
    static struct cache_write writes[MANY];
    static char texts[MANY][16], values[MANY][16];
    struct text_item seen;
    assert_int_equal(add(f->a, "0/g", "v"), CACHE_STORED);
    prepare_writes(f->a, items, writes, texts, values);
    memcached_server_kill(&f->server);
    memcached_server_again(&f->server);
    assert_int_equal(add(f->b, "0/g", "new"), CACHE_STORED);
    for (int again = 0; again < 2; again++) {
        f->a->ops->cas_all(f->a, writes, MANY);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(items[i].result, CACHE_UNKNOWN);
    }
    assert_int_equal(get(f->a, "0/g", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "new");
}

static void many_cas_to_a_stopped_server_are_unknown(void **state)
{
    struct fixture *f = *state;
    static struct cache_item items[MANY];
    static struct cache_write writes[MANY];
    static char texts[MANY][16], values[MANY][16];
    assert_int_equal(add(f->a, "0/g", "v"), CACHE_STORED);
    prepare_writes(f->a, items, writes, texts, values);
    kill(f->server.pid, SIGSTOP);
    waitpid(f->server.pid, NULL, WUNTRACED);
    f->a->ops->cas_all(f->a, writes, MANY);
    kill(f->server.pid, SIGCONT);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(items[i].result, CACHE_UNKNOWN);
    /* the server may have done them by now; whoever asks is told what is true */
    assert_int_equal(get(f->b, "0/g", &(struct text_item){0}), CACHE_HIT);
}

static void one_get_tells_hits_from_misses(void **state)
{
    struct fixture *f = *state;
    struct cache_item items[150];
    static char texts[150][16];
    for (int i = 0; i < 150; i++) {
        items[i] = (struct cache_item){.value = texts[i], .value_cap = sizeof texts[i]};
        snprintf(items[i].key, sizeof items[i].key, "%d/g", i);
        if (i % 3 == 0)
            assert_int_equal(add(f->a, items[i].key, items[i].key), CACHE_STORED);
    }
    f->a->ops->get(f->a, items, 150);
    for (int i = 0; i < 150; i++) {
        assert_int_equal(items[i].result, i % 3 == 0 ? CACHE_HIT : CACHE_MISS);
        assert_string_equal(items[i].value, i % 3 == 0 ? items[i].key : "");
    }
}

static void a_value_too_long_for_its_place_reads_as_nothing(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    char text[200];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(add(f->a, "x/g", text), CACHE_STORED);
    assert_int_equal(get(f->a, "x/g", &seen), CACHE_HIT);
    assert_int_equal(seen.item.len, 0);
}

static void hint(struct cache *c, enum cache_hint how, const char *key, const char *value)
{
    c->ops->hint(c, how, key, value, strlen(value), 60);
}

/* A hint is on its way when flush returns: what it stores can be seen soon. */
static void assert_soon(struct cache *c, const char *key, const char *value)
{
    struct text_item seen;
    int64_t until_us = clock_system.mono_us(NULL) + 5000000;
    while (get(c, key, &seen) != CACHE_HIT || strcmp(seen.text, value) != 0)
        assert_true(clock_system.mono_us(NULL) < until_us);
}

static void hints_are_stored_in_their_order(void **state)
{
    struct fixture *f = *state;
    char key[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "%d/h", i);
        hint(f->a, CACHE_HINT_ADD, key, "first");
        hint(f->a, CACHE_HINT_ADD, key, "second");
    }
    hint(f->a, CACHE_HINT_SET, "0/h", "third");
    f->a->ops->flush(f->a, false);
    assert_soon(f->b, "0/h", "third");
    assert_soon(f->b, "4999/h", "first");
}

static void hints_are_there_after_waiting(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    char key[32];
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "%d/h", i);
        hint(f->a, CACHE_HINT_ADD, key, "here");
        f->a->ops->flush(f->a, true);
        assert_int_equal(get(f->b, key, &seen), CACHE_HIT);
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
        hint(f->a, CACHE_HINT_SET, key, value);
    }
    f->a->ops->flush(f->a, true);
    assert_true(clock_system.mono_us(NULL) - began_us < 2000000);
    kill(f->server.pid, SIGCONT);
    hint(f->a, CACHE_HINT_SET, "x/h", "again");
    f->a->ops->flush(f->a, false);
    assert_soon(f->b, "x/h", "again");
}

static void hints_survive_their_server(void **state)
{
    struct fixture *f = *state;
    hint(f->a, CACHE_HINT_SET, "x/h", "old");
    f->a->ops->flush(f->a, false);
    memcached_server_kill(&f->server);
    for (int i = 0; i < 100; i++) { /* lost, and nothing else */
        hint(f->a, CACHE_HINT_SET, "x/h", "lost");
        f->a->ops->flush(f->a, false);
    }
    memcached_server_again(&f->server);
    hint(f->a, CACHE_HINT_SET, "x/h", "new");
    f->a->ops->flush(f->a, false);
    assert_soon(f->b, "x/h", "new");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_servers_are_refused),
        TEST(a_dead_server_is_unknown_not_a_miss),
        TEST(a_get_finds_a_server_that_started_again),
        TEST(a_stopped_server_is_unknown_and_its_late_answer_goes_to_nobody),
        TEST(a_token_does_not_outlive_its_server),
        TEST(add_and_cas_have_one_winner),
        TEST(many_cas_tell_by_what_is_read),
        TEST(many_cas_to_a_dead_server_are_unknown),
        TEST(many_cas_to_a_stopped_server_are_unknown),
        TEST(one_get_tells_hits_from_misses),
        TEST(a_value_too_long_for_its_place_reads_as_nothing),
        TEST(hints_are_stored_in_their_order),
        TEST(hints_are_there_after_waiting),
        TEST(hints_to_a_stopped_server_hold_nobody_up),
        TEST(hints_survive_their_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
