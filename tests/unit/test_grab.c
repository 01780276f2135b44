/* One grab at a time, through each outcome: what the cache answers by itself, and what is done
 * where it cannot. */
#include "tests/fake/fake_grabs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct fake_grabs f;

static int set_up(void **state)
{
    (void)state;
    fake_grabs_init(&f, 4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_grabs_end(&f);
    return 0;
}

static unsigned asked(void)
{
    return memory_db_calls(f.fake.db, MEMORY_ENVELOPE_GET);
}

static void put_user_item(const char *user, const struct user_value *u)
{
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    item_key_user(key, f.fake.runtime.generation, &f.e.id, user);
    (void)user_value_write(text, u, &f.e.id);
    memory_cache_put(f.fake.server, key, text);
}

static void put_gate_text(const char *text)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_GATE, f.fake.runtime.generation, &f.e.id);
    memory_cache_put(f.fake.server, key, text);
}

static void evict_gate(void)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_GATE, f.fake.runtime.generation, &f.e.id);
    memory_cache_evict(f.fake.server, key);
}

static void sell_out(void)
{
    char user[16] = "winner-?";
    for (char c = 'a'; fake_envelope(&f.fake, &f.e.id)->state == STATE_OPEN; c++) {
        user[7] = c;
        (void)fake_open(&f.fake, &f.e.id, user);
    }
}

static void a_share_of_the_gate_is_a_ticket(void **state)
{
    (void)state;
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_WON);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(g->request.answer.expires_us,
                     f.fake.clock.wall_us + f.fake.config.ticket_life_s * FAKE_US_PER_S);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 9);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_WON), 1);
    assert_int_equal(asked(), 0);
}

static void a_repeat_gets_the_same_ticket_and_no_share(void **state)
{
    char ticket[TICKET_SIZE];
    (void)state;
    memcpy(ticket, fake_grab(&f, &f.e.id, "bob")->request.answer.ticket, sizeof ticket);
    fixed_clock_advance(&f.fake.clock, 10 * FAKE_US_PER_S);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ANSWERED);
    assert_string_equal(g->request.answer.ticket, ticket);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 9);
}

/* The user's item is on its way for a moment; what the process remembers bridges it. */
static void a_repeat_before_the_item_arrives_gets_it_too(void **state)
{
    (void)state;
    memory_cache_set_hints(f.fake.server, MEMORY_CACHE_HINTS_DROPPED);
    (void)fake_grab(&f, &f.e.id, "bob");
    fixed_clock_advance(&f.fake.clock, FAKE_US_PER_S - 1);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->first, GRAB_ANSWERED);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 9);
    fixed_clock_advance(&f.fake.clock, 1);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->first, GRAB_WON);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 8);
}

/* The cache did not answer, so the primary let the user in; its ticket is written all the same. */
static void a_ticket_of_the_primary_is_given_again(void **state)
{
    (void)state;
    memory_cache_fail(f.fake.server, MEMORY_CACHE_GET, MEMORY_CACHE_LOST_REQUEST, 0, 1);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ASK_UNKNOWN);
    assert_true(fake_grab_has_ticket(&f, g));
    fixed_clock_advance(&f.fake.clock, 2 * FAKE_US_PER_S);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->first, GRAB_ANSWERED);
    assert_int_equal(fake_gate_left(&f, &f.e.id), 10);
}

static void a_lapsed_ticket_is_renewed_without_a_share(void **state)
{
    int64_t life_us = f.fake.config.ticket_life_s * FAKE_US_PER_S;
    (void)state;
    (void)fake_grab(&f, &f.e.id, "bob");
    fixed_clock_advance(&f.fake.clock, life_us);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_WON);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(fake_gate_left(&f, &f.e.id), 9);
    fixed_clock_advance(&f.fake.clock, life_us - 1);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->first, GRAB_ANSWERED); /* it was written */
}

static void an_opened_share_is_answered_even_at_an_empty_gate(void **state)
{
    struct user_value u = {.opened = true, .amount_fen = 77, .seq = 3, .opened_us = f.e.created_us};
    (void)state;
    put_user_item("bob", &u);
    fake_gate_put_left(&f, &f.e, 0);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ANSWERED);
    assert_int_equal(g->request.answer.state, GRAB_OPENED);
    assert_int_equal(g->request.answer.amount_fen, 77);
    assert_int_equal(g->request.answer.seq, 3);
    assert_int_equal(asked(), 0);
}

static void a_final_gate_answers_and_the_process_remembers(void **state)
{
    const enum envelope_state ends[] = {STATE_SOLD_OUT, STATE_EXPIRED};
    const enum grab_state answers[] = {GRAB_SOLD_OUT, GRAB_EXPIRED};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct envelope e = {.shares = 5};
        fake_send(&f.fake, &e);
        e.state = ends[i];
        memory_db_envelope(f.fake.db, &e.id)->e.state = ends[i];
        fake_gate_put(&f.fake, &e);
        assert_int_equal(fake_grab(&f, &e.id, "bob")->request.answer.state, answers[i]);
        unsigned gets = memory_cache_calls(f.fake.server, MEMORY_CACHE_GET);
        memory_cache_set_away(f.fake.server, true);
        const struct fake_grab *g = fake_grab(&f, &e.id, "carol");
        assert_int_equal(g->request.err, ERR_OK);
        assert_int_equal(g->request.answer.state, answers[i]);
        assert_int_equal(memory_cache_calls(f.fake.server, MEMORY_CACHE_GET), gets);
        memory_cache_set_away(f.fake.server, false);
        assert_int_equal(asked(), i + 1); /* the primary confirmed each end once */
    }
}

static void a_missing_gate_is_made_from_what_remains(void **state)
{
    (void)state;
    (void)fake_open(&f.fake, &f.e.id, "carol");
    evict_gate();
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ASK_MISSING);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(fake_gate_left(&f, &f.e.id), 8);
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_CREATED), 1);
    assert_int_equal(asked(), 1);
}

static void an_unknown_id_is_remembered_for_five_seconds(void **state)
{
    struct id id = id_make(&f.fake.rng.rng, f.fake.clock.wall_us, 0);
    (void)state;
    for (unsigned times = 0; times < 3; times++) {
        const struct fake_grab *g = fake_grab(&f, &id, "bob");
        assert_int_equal(g->first, GRAB_ASK_MISSING);
        assert_int_equal(g->request.err, ERR_NOT_FOUND);
    }
    assert_int_equal(asked(), 1);
    fixed_clock_advance(&f.fake.clock, 5 * FAKE_US_PER_S);
    assert_int_equal(fake_grab(&f, &id, "bob")->request.err, ERR_NOT_FOUND);
    assert_int_equal(asked(), 2);
}

static void a_gate_that_is_no_gate_is_repaired(void **state)
{
    char foreign[GATE_TEXT_SIZE], earlier[GATE_TEXT_SIZE];
    struct envelope other = {.shares = 5};
    struct gate g;
    (void)state;
    fake_send(&f.fake, &other);
    gate_from_envelope(&f.fake.runtime, &other, &g);
    (void)gate_write(foreign, &g);
    gate_from_envelope(&f.fake.runtime, &f.e, &g);
    g.generation[0] ^= 1;
    (void)gate_write(earlier, &g);
    const char *texts[] = {"nonsense", "", foreign, earlier};
    for (size_t i = 0; i < 4; i++) {
        char user[] = "user-0";
        user[5] = (char)('0' + i);
        put_gate_text(texts[i]);
        const struct fake_grab *grab = fake_grab(&f, &f.e.id, user);
        assert_int_equal(grab->first, GRAB_ASK_BROKEN);
        assert_true(fake_grab_has_ticket(&f, grab));
        assert_int_equal(fake_gate_left(&f, &f.e.id), 9);
    }
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_REPAIRED), 4);
}

static void without_a_cache_the_database_lets_in(void **state)
{
    (void)state;
    memory_cache_set_away(f.fake.server, true);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_ASK_UNKNOWN);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(fake_metric(&f.fake, METRIC_GATE_LET_THROUGH), 1);
    sell_out();
    g = fake_grab(&f, &f.e.id, "carol");
    assert_int_equal(g->request.err, ERR_OK);
    assert_int_equal(g->request.answer.state, GRAB_SOLD_OUT);
    struct envelope other = {.shares = 5};
    fake_send(&f.fake, &other);
    memory_db_set_away(f.fake.db, true);
    assert_int_equal(fake_grab(&f, &other.id, "dave")->request.err, ERR_UNAVAILABLE);
}

static void guests_and_users_are_kept_apart(void **state)
{
    struct envelope e = {.sender = "guest:1"};
    (void)state;
    fake_send(&f.fake, &e);
    fake_gate_put(&f.fake, &e);
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "guest:2");
    assert_int_equal(g->first, GRAB_REFUSED);
    assert_int_equal(g->request.err, ERR_NOT_RECIPIENT);
    assert_int_equal(fake_grab(&f, &e.id, "bob")->request.err, ERR_NOT_RECIPIENT);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &e.id, "guest:2")));
    evict_gate(); /* the database refuses in the same way */
    assert_int_equal(fake_grab(&f, &f.e.id, "guest:2")->request.err, ERR_NOT_RECIPIENT);
    assert_int_equal(fake_gate_left(&f, &f.e.id), -1);
}

static void too_many_grabs_are_refused_until_one_passes(void **state)
{
    (void)state;
    f.fake.config.grabs_per_s = 2;
    f.fake.config.grabs_burst = 1;
    (void)fake_grab(&f, &f.e.id, "bob");
    const struct fake_grab *g = fake_grab(&f, &f.e.id, "bob");
    assert_int_equal(g->first, GRAB_REFUSED);
    assert_int_equal(g->request.err, ERR_RATE_LIMITED);
    assert_int_equal(g->request.retry_after_s, 1);
    fixed_clock_advance(&f.fake.clock, FAKE_US_PER_S / 2);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->request.err, ERR_OK);
    memory_cache_set_away(f.fake.server, true); /* nor does the database let it through */
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->request.err, ERR_RATE_LIMITED);
    memory_cache_set_away(f.fake.server, false);
    f.e.state = STATE_SOLD_OUT;
    memory_db_envelope(f.fake.db, &f.e.id)->e.state = STATE_SOLD_OUT;
    fake_gate_put(&f.fake, &f.e);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->request.answer.state, GRAB_SOLD_OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_share_of_the_gate_is_a_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeat_gets_the_same_ticket_and_no_share, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_repeat_before_the_item_arrives_gets_it_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_of_the_primary_is_given_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lapsed_ticket_is_renewed_without_a_share, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_opened_share_is_answered_even_at_an_empty_gate, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_final_gate_answers_and_the_process_remembers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_missing_gate_is_made_from_what_remains, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_id_is_remembered_for_five_seconds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_gate_that_is_no_gate_is_repaired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_cache_the_database_lets_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(guests_and_users_are_kept_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_grabs_are_refused_until_one_passes, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
