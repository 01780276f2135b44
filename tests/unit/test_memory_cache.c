/* The fake cache keeps the contract, and has the faults that it promises. */
#include "tests/contract/cache_contract.h"
#include "tests/fake/fixed_clock.h"
#include "tests/fake/memory_cache.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct cache_contract contract;
    struct fixed_clock clock;
    struct memory_cache *server;
    unsigned hooked;
};

static void restart(struct cache_contract *t)
{
    memory_cache_restart(((struct fixture *)t)->server);
}

static void pass_s(struct cache_contract *t, unsigned s)
{
    fixed_clock_advance(&((struct fixture *)t)->clock, s * INT64_C(1000000));
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    fixed_clock_init(&f.clock);
    f.server = memory_cache_new(&f.clock.clock);
    f.contract = (struct cache_contract){.a = memory_cache_connect(f.server),
                                         .b = memory_cache_connect(f.server),
                                         .restart = restart,
                                         .pass_s = pass_s};
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->contract.a->ops->close(f->contract.a);
    f->contract.b->ops->close(f->contract.b);
    memory_cache_free(f->server);
    return 0;
}

static void a_lost_request_is_not_applied(void **state)
{
    struct fixture *f = *state;
    struct cache *c = f->contract.a;
    struct text_item seen;
    memory_cache_fail(f->server, MEMORY_CACHE_ADD, MEMORY_CACHE_LOST_REQUEST, 1, 1);
    assert_int_equal(cache_text_add(c, "x/g", "1"), CACHE_STORED);
    assert_int_equal(cache_text_add(c, "y/g", "1"), CACHE_UNKNOWN);
    assert_int_equal(cache_text_get(c, "y/g", &seen), CACHE_MISS);
    assert_int_equal(cache_text_add(c, "y/g", "1"), CACHE_STORED);
}

static void a_lost_reply_was_applied(void **state)
{
    struct fixture *f = *state;
    struct cache *c = f->contract.a;
    struct text_item seen;
    assert_int_equal(cache_text_add(c, "x/g", "1"), CACHE_STORED);
    assert_int_equal(cache_text_get(c, "x/g", &seen), CACHE_HIT);
    memory_cache_fail(f->server, MEMORY_CACHE_CAS, MEMORY_CACHE_LOST_REPLY, 0, 1);
    assert_int_equal(cache_text_cas(c, &seen, "2"), CACHE_UNKNOWN);
    assert_string_equal(memory_cache_look(f->server, "x/g"), "2");
    assert_int_equal(cache_text_cas(c, &seen, "3"), CACHE_UNKNOWN); /* its connection is gone */
    assert_int_equal(cache_text_get(c, "x/g", &seen), CACHE_HIT);
    assert_int_equal(cache_text_cas(c, &seen, "3"), CACHE_STORED);
}

static void a_lost_reply_to_cas_all_was_applied(void **state)
{
    struct fixture *f = *state;
    static struct cache_many many;
    assert_int_equal(cache_text_add(f->contract.a, "0/g", "v"), CACHE_STORED);
    cache_many_prepare(f->contract.a, &many);
    memory_cache_fail(f->server, MEMORY_CACHE_CAS_ALL, MEMORY_CACHE_LOST_REPLY, 0, 1);
    f->contract.a->ops->cas_all(f->contract.a, many.writes, 1);
    assert_int_equal(many.items[0].result, CACHE_UNKNOWN);
    assert_string_equal(memory_cache_look(f->server, "0/g"), "vx");
}

static void an_absent_server_is_unknown_and_keeps_its_items(void **state)
{
    struct fixture *f = *state;
    struct cache *c = f->contract.a;
    struct text_item seen;
    assert_int_equal(cache_text_add(c, "x/g", "1"), CACHE_STORED);
    memory_cache_set_away(f->server, true);
    assert_int_equal(cache_text_get(c, "x/g", &seen), CACHE_UNKNOWN);
    cache_text_hint(c, CACHE_HINT_SET, "x/g", "2");
    c->ops->flush(c, true);
    memory_cache_set_away(f->server, false);
    assert_int_equal(cache_text_get(c, "x/g", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "1");
}

static void hints_can_be_late_or_dropped(void **state)
{
    struct fixture *f = *state;
    struct cache *c = f->contract.a;
    memory_cache_set_hints(f->server, MEMORY_CACHE_HINTS_LATE);
    cache_text_hint(c, CACHE_HINT_SET, "x/h", "late");
    c->ops->flush(c, false);
    assert_null(memory_cache_look(f->server, "x/h"));
    memory_cache_deliver(f->server);
    assert_string_equal(memory_cache_look(f->server, "x/h"), "late");
    cache_text_hint(c, CACHE_HINT_SET, "x/h", "waited for");
    c->ops->flush(c, true);
    assert_string_equal(memory_cache_look(f->server, "x/h"), "waited for");
    memory_cache_set_hints(f->server, MEMORY_CACHE_HINTS_DROPPED);
    cache_text_hint(c, CACHE_HINT_SET, "x/h", "dropped");
    c->ops->flush(c, true);
    assert_string_equal(memory_cache_look(f->server, "x/h"), "waited for");
    assert_int_equal(memory_cache_life_s(f->server, "x/h"), 60);
    memory_cache_evict(f->server, "x/h");
    assert_null(memory_cache_look(f->server, "x/h"));
}

static void write_in_between(void *context, enum memory_cache_op op, const char *key)
{
    struct fixture *f = context;
    struct text_item seen;
    if (op != MEMORY_CACHE_CAS)
        return;
    f->hooked++;
    assert_int_equal(cache_text_get(f->contract.b, key, &seen), CACHE_HIT);
    assert_int_equal(cache_text_cas(f->contract.b, &seen, "between"), CACHE_STORED);
}

static void the_hook_gets_in_between(void **state)
{
    struct fixture *f = *state;
    struct text_item seen;
    assert_int_equal(cache_text_add(f->contract.a, "x/g", "1"), CACHE_STORED);
    assert_int_equal(cache_text_get(f->contract.a, "x/g", &seen), CACHE_HIT);
    memory_cache_set_hook(f->server, write_in_between, f);
    assert_int_equal(cache_text_cas(f->contract.a, &seen, "2"), CACHE_EXISTS);
    assert_int_equal(f->hooked, 1);
    assert_string_equal(memory_cache_look(f->server, "x/g"), "between");
    assert_int_equal(memory_cache_calls(f->server, MEMORY_CACHE_CAS), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CACHE_CONTRACT_TESTS(set_up, tear_down),
        TEST(a_lost_request_is_not_applied),
        TEST(a_lost_reply_was_applied),
        TEST(a_lost_reply_to_cas_all_was_applied),
        TEST(an_absent_server_is_unknown_and_keeps_its_items),
        TEST(hints_can_be_late_or_dropped),
        TEST(the_hook_gets_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
