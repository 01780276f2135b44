/* Reconciliation of markers: one that tells a wrong end is removed, since the web server believes
 * it. */
#include "lib/service/settle/reconcile.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct fake_service fake;
    struct reconcile at;
    struct envelope e;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    f.at = (struct reconcile){.after = {{0}}};
    fake_service_init(&f.fake);
    fake_markers_init(&f.fake);
    fake_send(&f.fake, &f.e);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fake_service_end(&((struct fixture *)*state)->fake);
    return 0;
}

static enum err step(struct fixture *f)
{
    return reconcile_step(&f->fake.runtime, f->fake.store, f->fake.cache, &f->at);
}

static void plant(struct fixture *f, enum envelope_state told)
{
    enum marker_result result =
        marker_put(f->fake.runtime.markers, f->fake.runtime.generation, &f->e.id, told);
    assert_int_equal(result, MARKER_PUT);
}

static void sell_out(struct fixture *f)
{
    for (char user[8] = "a"; user[0] <= 'j'; user[0]++)
        (void)fake_open(&f->fake, &f->e.id, user);
    assert_int_equal(fake_envelope(&f->fake, &f->e.id)->state, STATE_SOLD_OUT);
}

static void a_marker_of_an_open_envelope_is_removed(void **state)
{
    struct fixture *f = *state;
    plant(f, STATE_SOLD_OUT);
    assert_int_equal(step(f), ERR_OK);
    assert_false(fake_marker_exists(&f->fake, &f->e.id));
    assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_REPAIRS), 1);
}

static void a_marker_of_another_end_is_removed(void **state)
{
    struct fixture *f = *state;
    sell_out(f);
    plant(f, STATE_EXPIRED);
    assert_int_equal(step(f), ERR_OK);
    assert_false(fake_marker_exists(&f->fake, &f->e.id));
}

static void a_right_marker_stays(void **state)
{
    struct fixture *f = *state;
    sell_out(f);
    plant(f, STATE_SOLD_OUT);
    assert_int_equal(step(f), ERR_OK);
    assert_true(fake_marker_exists(&f->fake, &f->e.id));
    assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_REPAIRS), 0);
}

/* The envelope closes and is marked between the snapshot and the look at its marker. */
static void close_meanwhile(void *context, enum memory_op op, struct store *s)
{
    struct fixture *f = context;
    (void)s;
    if (op != MEMORY_ENVELOPE_GET || fake_envelope(&f->fake, &f->e.id)->state != STATE_OPEN)
        return;
    sell_out(f);
}

static void a_marker_newer_than_the_snapshot_stays(void **state)
{
    struct fixture *f = *state;
    plant(f, STATE_SOLD_OUT);
    memory_db_set_hook(f->fake.db, close_meanwhile, f);
    assert_int_equal(step(f), ERR_OK);
    memory_db_set_hook(f->fake.db, NULL, NULL);
    assert_true(fake_marker_exists(&f->fake, &f->e.id));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_marker_of_an_open_envelope_is_removed),
        TEST(a_marker_of_another_end_is_removed),
        TEST(a_right_marker_stays),
        TEST(a_marker_newer_than_the_snapshot_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
