/* Gates in the cache: what is written when, what survives a lost race or reply, and how long it
 * lives. */
#include "lib/service/common/gate.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY_S 86400
#define MANY 70 /* more than one round trip takes */

struct fixture {
    struct fake_service fake;
    struct envelope e;
    unsigned hooks;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    f.hooks = 0;
    fake_service_init(&f.fake);
    fake_send(&f.fake, &f.e);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fake_service_end(&((struct fixture *)*state)->fake);
    return 0;
}

static const char *gate_key_of(struct fixture *f, const struct id *id)
{
    static char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_GATE, f->fake.runtime.generation, id);
    return key;
}

static const char *user_key_of(struct fixture *f, const char *user)
{
    static char key[ITEM_KEY_SIZE];
    item_key_user(key, f->fake.runtime.generation, &f->e.id, user);
    return key;
}

/* Closes *e, as the database would have it. */
static void sell_out(struct envelope *e)
{
    e->state = STATE_SOLD_OUT;
    e->opened_shares = e->shares;
}

static void a_gate_lives_a_day_longer_but_at_most_thirty(void **state)
{
    struct fixture *f = *state;
    const struct runtime *r = &f->fake.runtime;
    int64_t now_us = f->fake.clock.wall_us;
    assert_int_equal(gate_ttl_s(r, now_us), DAY_S);
    assert_int_equal(gate_ttl_s(r, now_us + 10 * FAKE_US_PER_S), DAY_S + 10);
    assert_int_equal(gate_ttl_s(r, now_us + 29 * DAY_S * FAKE_US_PER_S), 30 * DAY_S);
    assert_int_equal(gate_ttl_s(r, now_us + 365 * DAY_S * FAKE_US_PER_S), 30 * DAY_S);
    assert_int_equal(gate_ttl_s(r, now_us - 2 * DAY_S * FAKE_US_PER_S), 60);
    assert_int_equal(gate_ttl_s(r, 0), 60);
    f->e.expires_us = now_us + 365 * DAY_S * FAKE_US_PER_S; /* the fake refuses more */
    gate_hint_new(r, f->fake.cache, &f->e);
    f->fake.cache->ops->flush(f->fake.cache, true);
    assert_int_equal(memory_cache_life_s(f->fake.server, gate_key_of(f, &f->e.id)), 30 * DAY_S);
}

static void each_write_is_recognized_after_three_more(void **state)
{
    struct fixture *f = *state;
    struct gate g;
    char text[GATE_TEXT_SIZE];
    uint64_t nonces[6];
    gate_from_envelope(&f->fake.runtime, &f->e, &g);
    for (size_t i = 0; i < 6; i++) {
        gate_text(&f->fake.runtime, &g, text);
        nonces[i] = g.nonce;
        for (size_t k = 0; k < i; k++)
            assert_true(nonces[k] != nonces[i]);
    }
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(gate_follows(&g, nonces[i]), i + 1 + GATE_NONCES >= 6);
    assert_false(gate_follows(&g, 12345));
}

static void a_hint_never_replaces_a_gate(void **state)
{
    struct fixture *f = *state;
    struct gate g;
    struct envelope opened = f->e;
    opened.opened_shares = 3;
    fake_gate_put(&f->fake, &opened);
    gate_hint_new(&f->fake.runtime, f->fake.cache, &f->e);
    f->fake.cache->ops->flush(f->fake.cache, true);
    assert_true(fake_gate_get(&f->fake, &f->e.id, &g));
    assert_int_equal(g.left, 7);
}

static void a_claim_replaces_a_ticket_and_not_the_reverse(void **state)
{
    struct fixture *f = *state;
    const struct runtime *r = &f->fake.runtime;
    struct cache *c = f->fake.cache;
    struct claim claim = {
        .envelope = f->e.id, .user = "bob", .amount_fen = 77, .seq = 3, .opened_us = 5};
    struct user_value u;
    gate_hint_ticket(r, c, &f->e.id, "bob", 1000, f->e.expires_us);
    gate_hint_opened(r, c, f->e.expires_us, &claim);
    gate_hint_ticket(r, c, &f->e.id, "bob", 2000, f->e.expires_us);
    c->ops->flush(c, true);
    const char *text = memory_cache_look(f->fake.server, user_key_of(f, "bob"));
    assert_non_null(text);
    assert_true(user_value_read(&u, text, strlen(text), &f->e.id));
    assert_true(u.opened);
    assert_int_equal(u.amount_fen, 77);
}

static void close_gates(struct fixture *f, const struct envelope *es, size_t n)
{
    const struct envelope *pointers[MANY];
    for (size_t i = 0; i < n; i++)
        pointers[i] = &es[i];
    gate_close_all(&f->fake.runtime, f->fake.cache, pointers, n);
}

static void assert_closed(struct fixture *f, enum envelope_state expected)
{
    struct gate g;
    assert_true(fake_gate_get(&f->fake, &f->e.id, &g));
    assert_int_equal(g.state, expected);
    assert_int_equal(g.left, 0);
}

static void open_missing_and_senseless_gates_are_closed(void **state)
{
    struct fixture *f = *state;
    for (int kind = 0; kind < 4; kind++) {
        memory_cache_evict(f->fake.server, gate_key_of(f, &f->e.id));
        struct envelope closed = f->e, other = f->e;
        other.id.b[15] ^= 1;
        if (kind == 1)
            fake_gate_put(&f->fake, &f->e);
        else if (kind == 2)
            memory_cache_put(f->fake.server, gate_key_of(f, &f->e.id), "nonsense");
        else if (kind == 3) { /* a gate of another envelope */
            fake_gate_put(&f->fake, &other);
            const char *text = memory_cache_look(f->fake.server, gate_key_of(f, &other.id));
            char copy[GATE_TEXT_SIZE];
            strcpy(copy, text);
            memory_cache_put(f->fake.server, gate_key_of(f, &f->e.id), copy);
        }
        sell_out(&closed);
        close_gates(f, &closed, 1);
        assert_closed(f, STATE_SOLD_OUT);
    }
}

static void a_final_gate_is_never_replaced(void **state)
{
    struct fixture *f = *state;
    struct envelope closed = f->e;
    closed.state = STATE_EXPIRED;
    fake_gate_put(&f->fake, &closed);
    sell_out(&closed);
    close_gates(f, &closed, 1);
    assert_closed(f, STATE_EXPIRED);
}

/* Another process takes a share just before each of our first three writes. */
static void race(void *context, enum memory_cache_op op, const char *key)
{
    struct fixture *f = context;
    struct envelope taken = f->e;
    (void)key;
    if ((op != MEMORY_CACHE_CAS_ALL && op != MEMORY_CACHE_ADD) || f->hooks >= 3)
        return;
    taken.opened_shares = 1 + (int64_t)f->hooks++;
    fake_gate_put(&f->fake, &taken);
}

static void a_lost_race_is_run_again(void **state)
{
    struct fixture *f = *state;
    struct envelope closed = f->e;
    sell_out(&closed);
    memory_cache_set_hook(f->fake.server, race, f);
    for (int missing = 0; missing < 2; missing++) {
        f->hooks = 0;
        if (missing == 1)
            memory_cache_evict(f->fake.server, gate_key_of(f, &f->e.id));
        else
            fake_gate_put(&f->fake, &f->e);
        close_gates(f, &closed, 1);
        assert_int_equal(f->hooks, 3);
        assert_closed(f, STATE_SOLD_OUT);
    }
}

static void many_gates_take_two_round_trips_for_each_64(void **state)
{
    struct fixture *f = *state;
    static struct envelope es[MANY];
    struct gate g;
    for (size_t i = 0; i < MANY; i++) {
        es[i] = f->e;
        es[i].id.b[15] = (uint8_t)i;
        fake_gate_put(&f->fake, &es[i]);
        sell_out(&es[i]);
    }
    close_gates(f, es, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(fake_gate_get(&f->fake, &es[i].id, &g));
        assert_int_equal(g.state, STATE_SOLD_OUT);
    }
    assert_int_equal(memory_cache_calls(f->fake.server, MEMORY_CACHE_GET), 2);
    assert_int_equal(memory_cache_calls(f->fake.server, MEMORY_CACHE_CAS_ALL), 2);
}

static void a_cache_that_fails_does_no_harm(void **state)
{
    struct fixture *f = *state;
    struct envelope closed = f->e;
    sell_out(&closed);
    fake_gate_put(&f->fake, &f->e);
    memory_cache_fail(f->fake.server, MEMORY_CACHE_CAS_ALL, MEMORY_CACHE_LOST_REPLY, 0, 1);
    close_gates(f, &closed, 1);
    assert_closed(f, STATE_SOLD_OUT);
    memory_cache_set_away(f->fake.server, true);
    close_gates(f, &closed, 1);
    memory_cache_set_away(f->fake.server, false);
    memory_cache_restart(f->fake.server);
    close_gates(f, &closed, 1); /* gone with the server: added */
    assert_closed(f, STATE_SOLD_OUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_gate_lives_a_day_longer_but_at_most_thirty),
        TEST(each_write_is_recognized_after_three_more),
        TEST(a_hint_never_replaces_a_gate),
        TEST(a_claim_replaces_a_ticket_and_not_the_reverse),
        TEST(open_missing_and_senseless_gates_are_closed),
        TEST(a_final_gate_is_never_replaced),
        TEST(a_lost_race_is_run_again),
        TEST(many_gates_take_two_round_trips_for_each_64),
        TEST(a_cache_that_fails_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
