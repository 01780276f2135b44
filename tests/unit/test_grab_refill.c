/* A gate at zero: one grab asks the database, the others wait for it, and more tickets are issued
 * only as long as shares remain. */
#include "tests/fake/fake_grabs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_grabs f;
static unsigned n_users; /* each grab by a new user */

static int set_up(void **state)
{
    (void)state;
    fake_grabs_init(&f, 4);
    n_users = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_cache_set_hook(f.fake.server, NULL, NULL);
    fake_grabs_end(&f);
    return 0;
}

static const struct fake_grab *grab_by_another(void)
{
    char user[USER_SIZE];
    snprintf(user, sizeof user, "user-%u", n_users++);
    return fake_grab(&f, &f.e.id, user);
}

static enum grab_state answer_of(const struct fake_grab *g)
{
    assert_int_equal(g->request.err, ERR_OK);
    return g->request.answer.state;
}

static unsigned asked(void)
{
    return memory_db_calls(f.fake.db, MEMORY_ENVELOPE_GET);
}

static void as_many_tickets_as_shares_then_busy(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(fake_grab_has_ticket(&f, grab_by_another()));
    assert_int_equal(fake_gate_left(&f, &f.e.id), 0);
    for (int i = 0; i < 5; i++) { /* the last share took the hold */
        const struct fake_grab *g = grab_by_another();
        assert_false(g->deferred);
        assert_int_equal(answer_of(g), GRAB_BUSY);
        assert_in_range(g->request.answer.retry_after_s, 1, 2);
    }
    assert_int_equal(asked(), 0);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_BUSY), 5);
}

static void when_the_hold_ends_one_asks(void **state)
{
    (void)state;
    fake_gate_put_left(&f, &f.e, 0);
    const struct fake_grab *g = grab_by_another();
    assert_int_equal(g->first, GRAB_ASK_EMPTY);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(asked(), 1);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 9);
    fake_gate_put_left(&f, &f.e, 0);
    assert_int_equal(answer_of(grab_by_another()), GRAB_BUSY); /* the hold lives */
    fixed_clock_advance(&f.fake.clock, f.fake.config.hold_s * FAKE_US_PER_S - 1);
    assert_int_equal(answer_of(grab_by_another()), GRAB_BUSY);
    fixed_clock_advance(&f.fake.clock, 1);
    assert_int_equal(grab_by_another()->first, GRAB_ASK_EMPTY);
    assert_int_equal(asked(), 2);
}

static void empty_the_gate(void)
{
    struct gate g;
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    assert_true(fake_gate_get(&f.fake, &f.e.id, &g));
    g.left = 0;
    item_key(key, ITEM_KEY_GATE, f.fake.runtime.generation, &f.e.id);
    (void)gate_write(text, &g);
    memory_cache_put(f.fake.server, key, text);
    fake_hold_end(&f, &f.e.id);
}

/* Let one grab refill the empty gate. Returns how many shares it had afterwards. */
static int64_t refill(void)
{
    empty_the_gate();
    assert_true(fake_grab_has_ticket(&f, grab_by_another()));
    return fake_gate_left(&f, &f.e.id) + 1;
}

static void refills_double_while_nothing_is_opened(void **state)
{
    (void)state;
    f.e = (struct envelope){.shares = 100, .total_fen = 10000};
    fake_send(&f.fake, &f.e);
    fake_gate_put(&f.fake, &f.e);
    char user[USER_SIZE];
    for (unsigned i = 0; i < 99; i++) {
        snprintf(user, sizeof user, "opener-%u", i);
        if (i < 97)
            (void)fake_open(&f.fake, &f.e.id, user);
    }
    assert_int_equal(refill(), 6);
    assert_int_equal(refill(), 12);
    assert_int_equal(refill(), 24);
    (void)fake_open(&f.fake, &f.e.id, "opener-97");
    assert_int_equal(refill(), 4); /* something was opened: from the beginning */
    assert_int_equal(refill(), 8);
    assert_int_equal(refill(), 16);
    assert_int_equal(refill(), 32);
    assert_int_equal(refill(), 64);
    assert_int_equal(refill(), 100); /* never more than the envelope has */
    assert_int_equal(refill(), 100);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_REFILLED), 10);
}

static void a_factor_has_an_end(void **state)
{
    (void)state;
    f.e = (struct envelope){.shares = 1000, .total_fen = 10000};
    fake_send(&f.fake, &f.e);
    struct memory_envelope *row = memory_db_envelope(f.fake.db, &f.e.id);
    row->e.opened_shares = 999;
    row->e.opened_fen = 9999;
    fake_gate_put(&f.fake, &f.e);
    for (int64_t factor = 2; factor <= 64; factor *= 2)
        assert_int_equal(refill(), factor);
    assert_int_equal(refill(), 64);
}

static void a_gate_past_due_is_asked_about_and_not_taken_from(void **state)
{
    (void)state;
    fake_clock_to(&f.fake, f.e.expires_us);
    const struct fake_grab *g = grab_by_another();
    assert_int_equal(g->first, GRAB_ASK_EMPTY);
    assert_int_equal(answer_of(g), GRAB_BUSY); /* "expired" only once it is stored */
    assert_int_equal(fake_gate_left(&f, &f.e.id), 10);
    assert_int_equal(answer_of(grab_by_another()), GRAB_BUSY);
    assert_int_equal(asked(), 1);
}

static void a_past_due_envelope_without_a_gate_is_asked_about_once(void **state)
{
    char key[ITEM_KEY_SIZE];
    (void)state;
    item_key(key, ITEM_KEY_GATE, f.fake.runtime.generation, &f.e.id);
    memory_cache_evict(f.fake.server, key);
    fake_clock_to(&f.fake, f.e.expires_us);
    assert_int_equal(answer_of(grab_by_another()), GRAB_BUSY);
    assert_int_equal(grab_by_another()->first, GRAB_ASK_EMPTY); /* takes the hold */
    for (int i = 0; i < 3; i++)
        assert_int_equal(answer_of(grab_by_another()), GRAB_BUSY);
    assert_int_equal(asked(), 2);
}

/* Another request of the same user is given a ticket between the read and the answer. */
static void ticket_in_between(void *context, enum memory_cache_op op, const char *key)
{
    unsigned *gets = context;
    if (op != MEMORY_CACHE_GET || ++*gets != 2)
        return;
    (void)key;
    gate_hint_ticket(&f.fake.runtime, f.fake.cache, &f.e.id, "bob",
                     f.fake.clock.wall_us / FAKE_US_PER_S + 60, f.e.expires_us);
    f.fake.cache->ops->flush(f.fake.cache, true);
}

static void before_busy_the_user_is_looked_up_again(void **state)
{
    unsigned gets = 0;
    (void)state;
    fake_gate_put_left(&f, &f.e, 0);
    memory_cache_set_hook(f.fake.server, ticket_in_between, &gets);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(g->first, GRAB_ANSWERED);
    assert_int_equal(asked(), 0);
}

static void a_hold_that_cannot_be_had_asks_the_database(void **state)
{
    (void)state;
    fake_gate_put_left(&f, &f.e, 0);
    memory_cache_fail(f.fake.server, MEMORY_CACHE_ADD, MEMORY_CACHE_LOST_REPLY, 0, 1);
    const struct fake_grab *g = grab_by_another();
    assert_int_equal(g->first, GRAB_ASK_UNKNOWN);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(fake_gate_left(&f, &f.e.id), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_many_tickets_as_shares_then_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(when_the_hold_ends_one_asks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refills_double_while_nothing_is_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_factor_has_an_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gate_past_due_is_asked_about_and_not_taken_from, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_past_due_envelope_without_a_gate_is_asked_about_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_busy_the_user_is_looked_up_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hold_that_cannot_be_had_asks_the_database, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
