/* Grabs that need the database: an end is answered once it is durable, and a database that is slow,
 * full or away costs the grabs an answer, never a wrong one. */
#include "tests/fake/fake_grabs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_grabs f;
static unsigned published; /* how often the hook saw an end being published */

static int set_up(void **state)
{
    (void)state;
    fake_grabs_init(&f, 4);
    published = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_cache_set_hook(f.fake.server, NULL, NULL);
    memory_db_set_hook(f.fake.db, NULL, NULL);
    fake_grabs_end(&f);
    return 0;
}

static void evict_gate(const struct id *id)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_GATE, f.fake.runtime.generation, id);
    memory_cache_evict(f.fake.server, key);
}

/* Another process sells f.e out; what it committed is visible but not durable yet. */
static void sell_out_elsewhere(void)
{
    memory_db_delay_flush(f.fake.db, true);
    for (int i = 0; i < 10; i++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "winner-%d", i);
        (void)fake_open(&f.fake, &f.e.id, user);
    }
    assert_false(memory_db_is_durable(f.fake.db));
    evict_gate(&f.e.id);
}

static void see_publishing(void *context, enum memory_cache_op op, const char *key)
{
    (void)context;
    (void)key;
    if (op != MEMORY_CACHE_ADD && op != MEMORY_CACHE_CAS_ALL)
        return;
    published++;
    assert_true(memory_db_is_durable(f.fake.db));
}

static void an_end_is_published_and_answered_once_it_is_durable(void **state)
{
    struct gate g;
    (void)state;
    sell_out_elsewhere();
    memory_cache_set_hook(f.fake.server, see_publishing, NULL);
    const struct fake_grab *grab = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(grab->request.answer.state, GRAB_SOLD_OUT);
    assert_true(memory_db_is_durable(f.fake.db));
    assert_true(published > 0);
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_BARRIER), 1);
    assert_true(fake_gate_get(&f.fake, &f.e.id, &g));
    assert_int_equal(g.state, STATE_SOLD_OUT);
}

static void without_the_barrier_there_is_no_end(void **state)
{
    (void)state;
    sell_out_elsewhere();
    memory_db_fail(f.fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->request.err, ERR_UNAVAILABLE);
    assert_int_equal(fake_gate_left(&f, &f.e.id), -1);
    memory_db_crash(f.fake.db); /* the shares are there again, and the process believed nothing */
    memory_db_delay_flush(f.fake.db, false);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &f.e.id, "carol")));
}

static void an_open_envelope_waits_for_no_barrier(void **state)
{
    (void)state;
    evict_gate(&f.e.id);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &f.e.id, "bob")));
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_BARRIER), 0);
}

static void a_database_that_fails_is_unavailable(void **state)
{
    (void)state;
    evict_gate(&f.e.id);
    memory_db_fail(f.fake.db, MEMORY_ENVELOPE_GET, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->request.err, ERR_UNAVAILABLE);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &f.e.id, "bob")));
}

static void every_question_gives_its_session_back(void **state)
{
    (void)state;
    f.fake.config.grabs_burst = 1000;
    for (int i = 0; i < 200; i++) { /* there are 48 */
        evict_gate(&f.e.id);
        assert_int_equal(fake_grab(&f, &f.e.id, "bob")->first, GRAB_ASK_MISSING);
    }
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_ENVELOPE_GET), 200);
    assert_int_equal(fake_metric(&f.fake, METRIC_DATABASE_STALLS), 0);
}

static void the_session_has_the_deadline_of_its_request(void **state)
{
    struct fake_grab g;
    (void)state;
    evict_gate(&f.e.id);
    fake_grab_fill(&g, &f.e.id, "bob");
    fake_grabs_burst(&f, &g, 1);
    fixed_clock_advance(&f.fake.clock, FAKE_US_PER_S);
    grab_wait(f.service, &g.request, f.fake.clock.mono_us); /* it has just passed */
    assert_int_equal(g.request.err, ERR_UNAVAILABLE);
}

/* With one thread that may ask (a quarter of 4 waiters), a grab elsewhere asks meanwhile. */
struct meanwhile {
    struct fake_grab *g;
    unsigned calls;
};

static void grab_meanwhile(void *context, enum memory_op op, struct store *s)
{
    struct meanwhile *m = context;
    (void)s;
    if (op != MEMORY_ENVELOPE_GET || m->calls++ > 0)
        return;
    fake_grab_wait(&f, m->g);
}

static void over_the_cap_is_busy_and_asks_nothing(void **state)
{
    struct fake_grab g;
    struct meanwhile m = {.g = &g};
    struct envelope other = {.shares = 5};
    (void)state;
    fake_send(&f.fake, &other);
    evict_gate(&f.e.id);
    fake_grab_fill(&g, &other.id, "carol");
    fake_grabs_burst(&f, &g, 1);
    assert_int_equal(g.first, GRAB_ASK_MISSING);
    memory_db_set_hook(f.fake.db, grab_meanwhile, &m);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &f.e.id, "bob")));
    assert_int_equal(g.request.err, ERR_OK);
    assert_int_equal(g.request.answer.state, GRAB_BUSY);
    assert_in_range(g.request.answer.retry_after_s, 1, 2);
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_ENVELOPE_GET), 1);
}

/* Busy would be wrong where the cache is away: there is nothing to come again for. */
static void over_the_cap_without_a_cache_is_unavailable(void **state)
{
    struct fake_grab g;
    struct meanwhile m = {.g = &g};
    struct envelope other = {.shares = 5};
    (void)state;
    fake_send(&f.fake, &other);
    memory_cache_set_away(f.fake.server, true);
    fake_grab_fill(&g, &other.id, "carol");
    fake_grabs_burst(&f, &g, 1);
    memory_db_set_hook(f.fake.db, grab_meanwhile, &m);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &f.e.id, "bob")));
    assert_int_equal(g.request.err, ERR_UNAVAILABLE);
}

/* Each time the primary repairs the gate, another process breaks it again. */
static void break_the_gate(void *context, enum memory_cache_op op, const char *key)
{
    char gate[ITEM_KEY_SIZE];
    (void)context;
    item_key(gate, ITEM_KEY_GATE, f.fake.runtime.generation, &f.e.id);
    if (op == MEMORY_CACHE_GET && strcmp(key, gate) != 0)
        memory_cache_put(f.fake.server, gate, "nonsense");
}

static void a_gate_that_never_works_ends_in_busy(void **state)
{
    (void)state;
    memory_cache_set_hook(f.fake.server, break_the_gate, NULL);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->request.err, ERR_OK);
    assert_int_equal(g->request.answer.state, GRAB_BUSY);
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_ENVELOPE_GET), 4);
}

static void a_ticket_of_the_database_is_remembered_in_the_cache(void **state)
{
    char ticket[TICKET_SIZE];
    (void)state;
    memory_cache_fail(f.fake.server, MEMORY_CACHE_GET, MEMORY_CACHE_LOST_REPLY, 0, 1);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ASK_UNKNOWN);
    memcpy(ticket, g->request.answer.ticket, sizeof ticket);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 10);
    fixed_clock_advance(&f.fake.clock, 2 * FAKE_US_PER_S);
    g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ANSWERED);
    assert_string_equal(g->request.answer.ticket, ticket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_end_is_published_and_answered_once_it_is_durable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_the_barrier_there_is_no_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_envelope_waits_for_no_barrier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_database_that_fails_is_unavailable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_question_gives_its_session_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_session_has_the_deadline_of_its_request, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(over_the_cap_is_busy_and_asks_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(over_the_cap_without_a_cache_is_unavailable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_gate_that_never_works_ends_in_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_of_the_database_is_remembered_in_the_cache, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
