/* Grabs that the cache cannot be believed about: an end that only the gate tells, and ids that may
 * not exist. */
#include "lib/service/grab/grab.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct fake_service fake;
    struct session_pool *sessions;
    struct grab_service *grabs;
    struct envelope e;
};

static int set_up(void **state)
{
    static struct fixture f;
    static const struct session_pool_settings settings = {.threads = 8};
    memset(&f.e, 0, sizeof f.e);
    fake_service_init(&f.fake);
    f.fake.config.grabs_per_s = 10;
    f.fake.config.grabs_burst = 3;
    fake_send(&f.fake, &f.e);
    f.sessions = session_pool_new(&f.fake.runtime, &settings);
    f.grabs = grab_service_new(&f.fake.runtime, f.sessions, 8, 1);
    *state = &f;
    return f.sessions == NULL || f.grabs == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    grab_service_free(f->grabs);
    session_pool_free(f->sessions);
    fake_service_end(&f->fake);
    return 0;
}

/* Grab id as user, and wait if the grab is deferred. */
static struct grab_request grab(struct fixture *f, const struct id *id, const char *user)
{
    struct who who;
    struct grab_request request = {.who = &who, .id = id}, *requests[1] = {&request};
    bool deferred;
    memset(&who, 0, sizeof who);
    memcpy(who.user, user, strlen(user));
    grab_now(f->grabs, 0, requests, 1, &deferred);
    if (deferred)
        grab_wait(f->grabs, &request, INT64_MAX / 2);
    return request;
}

static unsigned reads(const struct fixture *f)
{
    return memory_db_calls(f->fake.db, MEMORY_ENVELOPE_GET);
}

/* Put a gate that says "sold out" into the cache, as everything that reaches memcached can. */
static void plant_end(struct fixture *f)
{
    struct envelope wrong = *fake_envelope(&f->fake, &f->e.id);
    wrong.state = STATE_SOLD_OUT;
    fake_gate_put(&f->fake, &wrong);
}

static void a_false_end_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct gate g;
    plant_end(f);
    struct grab_request r = grab(f, &f->e.id, "bob");
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(r.answer.state, GRAB_GRABBED);
    assert_true(fake_gate_get(&f->fake, &f->e.id, &g));
    assert_int_equal(g.state, STATE_OPEN); /* repaired for all */
    assert_int_equal(fake_metric(&f->fake, METRIC_GATE_REPAIRED), 1);
}

static void a_false_end_is_not_told_while_the_primary_is_away(void **state)
{
    struct fixture *f = *state;
    plant_end(f);
    memory_db_set_away(f->fake.db, true);
    struct grab_request r = grab(f, &f->e.id, "bob");
    assert_true(r.err == ERR_UNAVAILABLE || r.answer.state == GRAB_BUSY);
    memory_db_set_away(f->fake.db, false);
    assert_int_equal(grab(f, &f->e.id, "bob").answer.state, GRAB_GRABBED);
}

static void an_end_is_confirmed_once(void **state)
{
    struct fixture *f = *state;
    for (char user[8] = "a"; user[0] <= 'j'; user[0]++)
        (void)fake_open(&f->fake, &f->e.id, user);
    assert_int_equal(fake_envelope(&f->fake, &f->e.id)->state, STATE_SOLD_OUT);
    plant_end(f); /* the truth, this time */
    unsigned before = reads(f);
    for (char user[8] = "A"; user[0] <= 'Z'; user[0]++)
        assert_int_equal(grab(f, &f->e.id, user).answer.state, GRAB_SOLD_OUT);
    assert_int_equal(reads(f), before + 1);
    memory_db_set_away(f->fake.db, true);
    assert_int_equal(grab(f, &f->e.id, "bob").answer.state, GRAB_SOLD_OUT);
    memory_db_set_away(f->fake.db, false);
}

/* The user's rate is counted before the primary is asked, and an id that does not exist is never
 * answered with "busy". */
static void unknown_ids_are_rate_limited(void **state)
{
    struct fixture *f = *state;
    struct id id = f->e.id;
    unsigned before = reads(f);
    for (unsigned i = 0; i < 20; i++) {
        id.b[ID_SIZE - 1] = (uint8_t)(f->e.id.b[ID_SIZE - 1] + 1 + i);
        enum err err = grab(f, &id, "eve").err;
        assert_int_equal(err, i < 3 ? ERR_NOT_FOUND : ERR_RATE_LIMITED);
    }
    assert_int_equal(reads(f), before + 3);
    assert_int_equal(grab(f, &id, "bob").err, ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_false_end_is_not_believed),
        TEST(a_false_end_is_not_told_while_the_primary_is_away),
        TEST(an_end_is_confirmed_once),
        TEST(unknown_ids_are_rate_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
