/* The comparison of all markers of a host with the database. */
#include "lib/service/settle/marker_check.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ENVELOPES 150 /* more than one read */

struct fixture {
    struct fake_service fake;
    struct envelope es[ENVELOPES];
};

static void plant(struct fixture *f, const struct id *id, enum envelope_state stated)
{
    (void)marker_put(f->fake.runtime.markers, f->fake.runtime.generation, id, stated);
}

/* All envelopes are sold out and have their markers. */
static int set_up(void **state)
{
    static struct fixture f;
    memset(f.es, 0, sizeof f.es);
    fake_service_init(&f.fake);
    fake_markers_init(&f.fake);
    for (size_t i = 0; i < ENVELOPES; i++) {
        f.es[i].shares = 1;
        fake_send(&f.fake, &f.es[i]);
        (void)fake_open(&f.fake, &f.es[i].id, "bob");
        plant(&f, &f.es[i].id, STATE_SOLD_OUT);
    }
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fake_service_end(&((struct fixture *)*state)->fake);
    return 0;
}

static void check(struct fixture *f, int64_t rows, int64_t violations)
{
    struct audit_count out;
    assert_int_equal(marker_check(&f->fake.runtime, f->fake.store, &out), ERR_OK);
    assert_int_equal(out.rows, rows);
    assert_int_equal(out.violations, violations);
    assert_int_equal(out.example[0] != '\0', violations > 0);
}

static void right_markers_pass(void **state)
{
    check(*state, ENVELOPES, 0);
}

static void wrong_markers_are_counted(void **state)
{
    struct fixture *f = *state;
    struct envelope open = {.shares = 2}, some = {.shares = 1, .to_kind = TO_GROUP}, expired = {0};
    struct id unknown = f->es[0].id;
    unknown.b[ID_SIZE - 1] ^= 1;
    fake_send(&f->fake, &open);
    fake_send(&f->fake, &some);
    fake_send(&f->fake, &expired);
    (void)fake_open(&f->fake, &some.id, "bob");
    memory_db_envelope(f->fake.db, &expired.id)->e.state = STATE_EXPIRED;
    plant(f, &open.id, STATE_SOLD_OUT);
    check(f, ENVELOPES + 1, 1);
    plant(f, &some.id, STATE_SOLD_OUT); /* its end is not public */
    plant(f, &expired.id, STATE_SOLD_OUT);
    plant(f, &unknown, STATE_EXPIRED);
    check(f, ENVELOPES + 4, 4);
}

static void a_database_that_is_away_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct audit_count out;
    memory_db_fail(f->fake.db, MEMORY_ENVELOPE_ENDS, ERR_UNAVAILABLE, false, 1, 1);
    assert_int_equal(marker_check(&f->fake.runtime, f->fake.store, &out), ERR_UNAVAILABLE);
    check(f, ENVELOPES, 0);
}

static void without_markers_there_is_nothing_to_check(void **state)
{
    struct fixture *f = *state;
    struct runtime none = f->fake.runtime;
    struct audit_count out;
    none.markers = NULL;
    assert_int_equal(marker_check(&none, f->fake.store, &out), ERR_OK);
    assert_int_equal(out.rows, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(right_markers_pass),
        TEST(wrong_markers_are_counted),
        TEST(a_database_that_is_away_is_an_error),
        TEST(without_markers_there_is_nothing_to_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
