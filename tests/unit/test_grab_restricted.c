/* Envelopes with recipients: nothing is handed out, and no end is answered, before the user has
 * been found among them. */
#include "lib/service/common/envelope_cache.h"
#include "tests/fake/fake_grabs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_grabs f;
static struct envelope e; /* to bob and carol, its gate in the cache */
static struct fake_grab gs[4];

static void send_to(struct envelope *to, enum recipients kind, const char *recipients)
{
    *to = (struct envelope){.to_kind = kind};
    snprintf(to->to, sizeof to->to, "%s", recipients);
    fake_send(&f.fake, to);
    fake_gate_put(&f.fake, to);
}

static int set_up(void **state)
{
    (void)state;
    fake_grabs_init(&f, 4);
    send_to(&e, TO_USERS, "bob carol");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_grabs_end(&f);
    return 0;
}

static void put_item(const struct envelope *of)
{
    envelope_cache_hint(&f.fake.runtime, f.fake.cache, of);
    f.fake.cache->ops->flush(f.fake.cache, true);
}

static void evict_item(const struct envelope *of)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_ENVELOPE, f.fake.runtime.generation, &of->id);
    memory_cache_evict(f.fake.server, key);
}

static unsigned asked(void)
{
    return memory_db_calls(f.fake.db, MEMORY_ENVELOPE_GET);
}

static void close_it(void)
{
    struct memory_envelope *row = memory_db_envelope(f.fake.db, &e.id);
    row->e.state = e.state = STATE_SOLD_OUT;
    fake_gate_put(&f.fake, &e);
}

static void without_the_item_the_database_checks_the_user(void **state)
{
    (void)state;
    const struct fake_grab *g = fake_grab(&f, &e.id, "bob");
    assert_int_equal(g->first, GRAB_ASK_RECIPIENTS);
    assert_true(fake_grab_has_ticket(&f, g));
    assert_int_equal(asked(), 1);
    g = fake_grab(&f, &e.id, "carol"); /* the item is there now */
    assert_int_equal(g->first, GRAB_WON);
    assert_int_equal(asked(), 1);
    evict_item(&e);
    g = fake_grab(&f, &e.id, "mallory");
    assert_int_equal(g->first, GRAB_ASK_RECIPIENTS);
    assert_int_equal(g->request.err, ERR_NOT_RECIPIENT);
    assert_int_equal(fake_gate_left(&f, &e.id), 8);
}

static void a_burst_checks_all_in_one_more_round_trip(void **state)
{
    struct envelope team;
    (void)state;
    send_to(&team, TO_GROUP, "team");
    put_item(&e);
    put_item(&team);
    fake_grab_fill(&gs[0], &e.id, "mallory");
    fake_grab_fill(&gs[1], &e.id, "bob");
    fake_grab_fill(&gs[2], &team.id, "bob");
    fake_grab_fill(&gs[3], &team.id, "dave");
    gs[3].who.n_groups = 2;
    snprintf(gs[3].who.groups[0], sizeof gs[3].who.groups[0], "others");
    snprintf(gs[3].who.groups[1], sizeof gs[3].who.groups[1], "team");
    fake_grabs_burst(&f, gs, 4);
    assert_int_equal(gs[0].request.err, ERR_NOT_RECIPIENT);
    assert_true(fake_grab_has_ticket(&f, &gs[1]));
    assert_int_equal(gs[2].request.err, ERR_NOT_RECIPIENT);
    assert_true(fake_grab_has_ticket(&f, &gs[3]));
    assert_int_equal(fake_gate_left(&f, &e.id), 9);
    assert_int_equal(fake_gate_left(&f, &team.id), 9);
    assert_int_equal(memory_cache_calls(f.fake.server, MEMORY_CACHE_GET), 2);
    assert_int_equal(asked(), 0);
}

static void an_item_of_another_envelope_admits_none(void **state)
{
    char key[ITEM_KEY_SIZE], foreign[ITEM_KEY_SIZE];
    struct envelope other;
    (void)state;
    send_to(&other, TO_USERS, "mallory");
    put_item(&other);
    item_key(key, ITEM_KEY_ENVELOPE, f.fake.runtime.generation, &e.id);
    item_key(foreign, ITEM_KEY_ENVELOPE, f.fake.runtime.generation, &other.id);
    memory_cache_put(f.fake.server, key, memory_cache_look(f.fake.server, foreign));
    const struct fake_grab *g = fake_grab(&f, &e.id, "mallory");
    assert_int_equal(g->first, GRAB_ASK_RECIPIENTS);
    assert_int_equal(g->request.err, ERR_NOT_RECIPIENT);
}

static void its_end_is_answered_to_recipients_alone(void **state)
{
    (void)state;
    put_item(&e);
    close_it();
    assert_int_equal(fake_grab(&f, &e.id, "mallory")->request.err, ERR_NOT_RECIPIENT);
    const struct fake_grab *g = fake_grab(&f, &e.id, "bob");
    assert_int_equal(g->request.err, ERR_OK);
    assert_int_equal(g->request.answer.state, GRAB_SOLD_OUT);
    for (int repeat = 0; repeat < 2; repeat++) { /* now the process knows the end */
        g = fake_grab(&f, &e.id, "mallory");
        assert_int_equal(g->request.err, ERR_NOT_RECIPIENT);
        g = fake_grab(&f, &e.id, "carol");
        assert_int_equal(g->request.err, ERR_OK);
        assert_int_equal(g->request.answer.state, GRAB_SOLD_OUT);
    }
    assert_int_equal(asked(), 1); /* the primary confirmed the end once */
    evict_item(&e);               /* and has to ask the database */
    assert_int_equal(fake_grab(&f, &e.id, "mallory")->request.err, ERR_NOT_RECIPIENT);
    assert_int_equal(asked(), 2);
    assert_int_equal(fake_grab(&f, &e.id, "carol")->request.answer.state, GRAB_SOLD_OUT);
}

/* The end reaches the table by way of the database, not of the gate. */
static void an_end_that_the_database_gave_is_restricted_too(void **state)
{
    (void)state;
    close_it();
    memory_cache_set_away(f.fake.server, true);
    assert_int_equal(fake_grab(&f, &e.id, "mallory")->request.err, ERR_NOT_RECIPIENT);
    assert_int_equal(fake_grab(&f, &e.id, "bob")->request.answer.state, GRAB_SOLD_OUT);
    memory_cache_set_away(f.fake.server, false);
    assert_int_equal(fake_grab(&f, &e.id, "mallory")->request.err, ERR_NOT_RECIPIENT);
    assert_int_equal(fake_grab(&f, &e.id, "carol")->request.answer.state, GRAB_SOLD_OUT);
}

static void open_ones_are_checked_by_the_database_too(void **state)
{
    (void)state;
    memory_cache_set_away(f.fake.server, true);
    assert_int_equal(fake_grab(&f, &e.id, "mallory")->request.err, ERR_NOT_RECIPIENT);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &e.id, "bob")));
}

static void a_burst_of_closed_and_open_ones_answers_each(void **state)
{
    struct envelope open;
    (void)state;
    send_to(&open, TO_USERS, "bob");
    put_item(&open);
    put_item(&e);
    close_it();
    assert_int_equal(fake_grab(&f, &e.id, "bob")->request.answer.state, GRAB_SOLD_OUT);
    fake_grab_fill(&gs[0], &e.id, "carol");
    fake_grab_fill(&gs[1], &open.id, "bob");
    fake_grab_fill(&gs[2], &e.id, "mallory");
    fake_grab_fill(&gs[3], &f.e.id, "mallory");
    fake_grabs_burst(&f, gs, 4);
    assert_int_equal(gs[0].request.answer.state, GRAB_SOLD_OUT);
    assert_true(fake_grab_has_ticket(&f, &gs[1]));
    assert_int_equal(gs[2].request.err, ERR_NOT_RECIPIENT);
    assert_true(fake_grab_has_ticket(&f, &gs[3]));
}

/* Its id shares a place in the table with one that has closed. */
static void a_collision_closes_no_open_envelope(void **state)
{
    struct envelope other = f.e;
    (void)state;
    f.e.state = STATE_SOLD_OUT;
    memory_db_envelope(f.fake.db, &f.e.id)->e.state = STATE_SOLD_OUT;
    fake_gate_put(&f.fake, &f.e);
    assert_int_equal(fake_grab(&f, &f.e.id, "bob")->request.answer.state, GRAB_SOLD_OUT);
    other.id.b[0] ^= 1;
    assert_int_equal(id_slot(&other.id, SIZE_MAX), id_slot(&f.e.id, SIZE_MAX));
    fake_gate_put(&f.fake, &other);
    assert_true(fake_grab_has_ticket(&f, fake_grab(&f, &other.id, "bob")));
}

static void a_closed_envelope_is_answered_beyond_the_rate(void **state)
{
    (void)state;
    f.fake.config.grabs_burst = 1;
    put_item(&e);
    close_it();
    for (int i = 0; i < 5; i++)
        assert_int_equal(fake_grab(&f, &e.id, "bob")->request.answer.state, GRAB_SOLD_OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_the_item_the_database_checks_the_user, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_burst_checks_all_in_one_more_round_trip, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_item_of_another_envelope_admits_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_end_is_answered_to_recipients_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_that_the_database_gave_is_restricted_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(open_ones_are_checked_by_the_database_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_burst_of_closed_and_open_ones_answers_each, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_collision_closes_no_open_envelope, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_envelope_is_answered_beyond_the_rate, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
