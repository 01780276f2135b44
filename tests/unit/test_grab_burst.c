/* Bursts: what many grabs at once take from their gates, through lost races, lost replies and a
 * cache that was started again. */
#include "tests/fake/fake_grabs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_grabs f;
static struct envelope second; /* another one, for bursts at two */
static unsigned strikes;       /* how many more times the hook interferes */

static int set_up(void **state)
{
    (void)state;
    fake_grabs_init(&f, 4);
    second = (struct envelope){.shares = 10};
    fake_send(&f.fake, &second);
    fake_gate_put(&f.fake, &second);
    strikes = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_cache_set_hook(f.fake.server, NULL, NULL);
    fake_grabs_end(&f);
    return 0;
}

static struct fake_grab gs[FAKE_GRABS_MAX];

/* Run a burst of n users, at f.e, or in turn at f.e and at second. */
static void burst(size_t n, bool both)
{
    for (size_t i = 0; i < n; i++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "user-%zu", i);
        fake_grab_fill(&gs[i], both && i % 2 == 1 ? &second.id : &f.e.id, user);
    }
    fake_grabs_burst(&f, gs, n);
}

static size_t count(size_t n, enum grab_outcome outcome)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += gs[i].first == outcome;
    return found;
}

static void assert_tickets(size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(fake_grab_has_ticket(&f, &gs[i]));
}

static void a_burst_takes_what_it_hands_out(void **state)
{
    (void)state;
    burst(4, false);
    assert_tickets(4);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 6);
    assert_int_equal(memory_cache_calls(f.fake.server, MEMORY_CACHE_GET), 1);
    assert_int_equal(memory_cache_calls(f.fake.server, MEMORY_CACHE_CAS), 1);
}

static void the_first_ones_win_the_others_are_busy(void **state)
{
    (void)state;
    burst(FAKE_GRABS_MAX, false);
    assert_int_equal(count(FAKE_GRABS_MAX, GRAB_WON), 10);
    assert_tickets(10);
    for (size_t i = 10; i < FAKE_GRABS_MAX; i++)
        assert_int_equal(gs[i].request.answer.state, GRAB_BUSY);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 0);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_WON), 10);
}

static void the_same_user_twice_in_a_burst_takes_one_share(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        fake_grab_fill(&gs[i], &f.e.id, i % 2 == 0 ? "bob" : "carol");
    fake_grabs_burst(&f, gs, 4);
    assert_tickets(4);
    assert_string_equal(gs[0].request.answer.ticket, gs[2].request.answer.ticket);
    assert_string_equal(gs[1].request.answer.ticket, gs[3].request.answer.ticket);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 8);
    for (size_t i = 0; i < 2; i++) /* and a share of each envelope, at two of them */
        fake_grab_fill(&gs[i], i == 0 ? &f.e.id : &second.id, "dave");
    fake_grabs_burst(&f, gs, 2);
    assert_tickets(2);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 7);
    assert_int_equal(fake_gate_left(&f, &second.id), 9);
}

static void several_gates_take_one_round_trip(void **state)
{
    (void)state;
    burst(6, true);
    assert_tickets(6);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 7);
    assert_int_equal(fake_gate_left(&f, &second.id), 7);
    assert_int_equal(memory_cache_calls(f.fake.server, MEMORY_CACHE_CAS_ALL), 1);
    assert_int_equal(memory_cache_calls(f.fake.server, MEMORY_CACHE_CAS), 0);
}

/* Another process takes a share of f.e between the read and the cas. */
static void take_one(void *context, enum memory_cache_op op, const char *key)
{
    struct gate_item item;
    struct gate g;
    bool valid;
    (void)context;
    (void)key;
    if ((op != MEMORY_CACHE_CAS && op != MEMORY_CACHE_CAS_ALL) || strikes == 0)
        return;
    strikes--;
    assert_int_equal(gate_get(&f.fake.runtime, f.fake.cache, &f.e.id, &item, &g, &valid),
                     CACHE_HIT);
    g.left--;
    assert_int_equal(gate_cas(&f.fake.runtime, f.fake.cache, &item.item, &g), CACHE_STORED);
}

static void a_lost_race_is_run_again(void **state)
{
    (void)state;
    memory_cache_set_hook(f.fake.server, take_one, NULL);
    strikes = 3;
    burst(2, false);
    assert_tickets(2);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 5);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_LOST), 3);
    strikes = 1;
    for (size_t i = 0; i < 2; i++)
        fake_grab_fill(&gs[i], i == 0 ? &f.e.id : &second.id, "dave");
    fake_grabs_burst(&f, gs, 2); /* the lost one of two does not count as won */
    assert_tickets(2);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 3);
    assert_int_equal(fake_gate_left(&f, &second.id), 9);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_LOST), 4);
}

static void a_race_for_the_last_share_has_one_winner(void **state)
{
    (void)state;
    fake_gate_put_left(&f, &f.e, 1);
    memory_cache_set_hook(f.fake.server, take_one, NULL);
    strikes = 1;
    burst(2, true);
    assert_int_equal(gs[0].first, GRAB_ASK_EMPTY);
    assert_true(fake_grab_has_ticket(&f, &gs[1]));
    assert_int_equal(fake_gate_left(&f, &f.e.id), 0);
}

static void too_many_lost_races_let_in_without_a_share(void **state)
{
    (void)state;
    f.fake.config.cas_tries = 3;
    memory_cache_set_hook(f.fake.server, take_one, NULL);
    strikes = 3;
    burst(2, false);
    assert_tickets(2);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 7);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_LET_THROUGH), 2);
}

/* Other processes write, without taking a share, between our cas and our read of it. */
static void follow(void *context, enum memory_cache_op op, const char *key)
{
    struct gate_item item;
    struct gate g;
    bool valid;
    (void)context;
    (void)key;
    for (; op == MEMORY_CACHE_CAS_ALL_READ && strikes > 0; strikes--) {
        assert_int_equal(gate_get(&f.fake.runtime, f.fake.cache, &f.e.id, &item, &g, &valid),
                         CACHE_HIT);
        assert_int_equal(gate_cas(&f.fake.runtime, f.fake.cache, &item.item, &g), CACHE_STORED);
    }
}

static void a_write_that_others_followed_counts_as_won(void **state)
{
    (void)state;
    memory_cache_set_hook(f.fake.server, follow, NULL);
    strikes = GATE_NONCES;
    burst(4, true);
    assert_tickets(4);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 8); /* and takes its shares once */
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_LOST), 0);
}

/* Run a burst of two users whose write of the gate fails, and return the shares left. */
static int64_t left_after_fault(enum memory_cache_fault fault, bool both)
{
    fake_gate_put_left(&f, &f.e, 10);
    fake_gate_put_left(&f, &second, 10);
    memory_cache_fail(f.fake.server, both ? MEMORY_CACHE_CAS_ALL : MEMORY_CACHE_CAS, fault, 0, 1);
    for (size_t i = 0; i < 2; i++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "user-%d-%d-%zu", (int)fault, (int)both, i);
        fake_grab_fill(&gs[i], both && i == 1 ? &second.id : &f.e.id, user);
    }
    fake_grabs_burst(&f, gs, 2);
    assert_int_equal(count(2, GRAB_ASK_UNKNOWN), 2);
    int64_t left = fake_gate_left(&f, &f.e.id);
    for (size_t i = 0; i < 2; i++) /* the database lets them in, without a share */
        fake_grab_wait(&f, &gs[i]);
    assert_tickets(2);
    assert_int_equal(fake_gate_left(&f, &f.e.id), left);
    return left;
}

static void a_write_without_a_reply_is_never_repeated(void **state)
{
    (void)state;
    assert_int_equal(left_after_fault(MEMORY_CACHE_LOST_REPLY, false), 8);
    assert_int_equal(left_after_fault(MEMORY_CACHE_LOST_REQUEST, false), 10);
    assert_int_equal(left_after_fault(MEMORY_CACHE_LOST_REPLY, true), 9);
    assert_int_equal(left_after_fault(MEMORY_CACHE_LOST_REQUEST, true), 10);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_UNKNOWN), 6);
}

static void restart_before_the_cas(void *context, enum memory_cache_op op, const char *key)
{
    (void)context;
    (void)key;
    if (op != MEMORY_CACHE_CAS || strikes == 0)
        return;
    strikes--;
    memory_cache_restart(f.fake.server);
    fake_gate_put(&f.fake, &f.e); /* written again, with the cas id that was read */
}

static void a_token_of_before_a_restart_is_worth_nothing(void **state)
{
    (void)state;
    memory_cache_restart(f.fake.server);
    fake_gate_put(&f.fake, &f.e);
    memory_cache_set_hook(f.fake.server, restart_before_the_cas, NULL);
    strikes = 1;
    burst(1, false);
    assert_int_equal(gs[0].first, GRAB_ASK_UNKNOWN);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 10);
    fake_grab_wait(&f, &gs[0]);
    assert_tickets(1);
    memory_cache_restart(f.fake.server); /* between bursts: all is gone, and built again */
    burst(2, false);
    assert_int_equal(count(2, GRAB_ASK_MISSING), 2);
    for (size_t i = 0; i < 2; i++)
        fake_grab_wait(&f, &gs[i]);
    assert_tickets(2);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 8);
}

static void another_generation_believes_nothing_of_the_old_one(void **state)
{
    (void)state;
    char old[TICKET_SIZE];
    memcpy(old, fake_grab(&f, &f.e.id, "bob")->request.answer.ticket, sizeof old);
    f.fake.runtime.generation[3] ^= 1;
    fake_grabs_restart(&f);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ASK_MISSING);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_string_not_equal(g->request.answer.ticket, old);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_burst_takes_what_it_hands_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_ones_win_the_others_are_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_user_twice_in_a_burst_takes_one_share, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(several_gates_take_one_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_race_is_run_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_race_for_the_last_share_has_one_winner, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_many_lost_races_let_in_without_a_share, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_write_that_others_followed_counts_as_won, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_write_without_a_reply_is_never_repeated, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_of_before_a_restart_is_worth_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_generation_believes_nothing_of_the_old_one, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
