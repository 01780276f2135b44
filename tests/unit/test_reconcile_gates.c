/* Reconciliation of gates: one that no process can have written is replaced from the database. */
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
    unsigned hooks;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    f.at = (struct reconcile){.after = {{0}}};
    f.hooks = 0;
    fake_service_init(&f.fake);
    fake_send(&f.fake, &f.e);
    (void)fake_open(&f.fake, &f.e.id, "bob");
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

static void wrong_gates_are_replaced(void **state)
{
    struct fixture *f = *state;
    struct gate g;
    for (int kind = 0; kind < 4; kind++) {
        struct envelope wrong = *fake_envelope(&f->fake, &f->e.id);
        f->at = (struct reconcile){.after = {{0}}};
        if (kind == 0)
            wrong.shares++;
        else if (kind == 1)
            wrong.expires_us++;
        else if (kind == 2)
            wrong.to_kind = TO_GROUP;
        else
            wrong.state = STATE_SOLD_OUT; /* a false "sold out" */
        fake_gate_put(&f->fake, &wrong);
        assert_int_equal(step(f), ERR_OK);
        assert_true(fake_gate_get(&f->fake, &f->e.id, &g));
        assert_int_equal(g.state, STATE_OPEN);
        assert_int_equal(g.shares, 10);
        assert_int_equal(g.left, 9);
        assert_false(g.restricted);
        assert_int_equal(fake_metric(&f->fake, METRIC_GATE_REPAIRED), kind + 1);
    }
}

static void a_gate_behind_is_closed_once_that_is_durable(void **state)
{
    struct fixture *f = *state;
    struct gate g;
    fake_gate_put(&f->fake, fake_envelope(&f->fake, &f->e.id));
    memory_db_delay_flush(f->fake.db, true);
    for (char user[8] = "a"; user[0] <= 'i'; user[0]++)
        (void)fake_open(&f->fake, &f->e.id, user);
    memory_db_delay_flush(f->fake.db, false);
    assert_int_equal(fake_envelope(&f->fake, &f->e.id)->state, STATE_SOLD_OUT);
    memory_db_fail(f->fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(step(f), ERR_UNAVAILABLE);
    assert_true(fake_gate_get(&f->fake, &f->e.id, &g));
    assert_int_equal(g.state, STATE_OPEN); /* not published before it is durable */
    assert_int_equal(step(f), ERR_OK);
    assert_true(memory_db_is_durable(f->fake.db));
    assert_true(fake_gate_get(&f->fake, &f->e.id, &g));
    assert_int_equal(g.state, STATE_SOLD_OUT);
}

static void write_gate_meanwhile(void *context, enum memory_cache_op op, const char *key)
{
    struct fixture *f = context;
    struct envelope now = *fake_envelope(&f->fake, &f->e.id);
    (void)key;
    if (op != MEMORY_CACHE_CAS)
        return;
    now.opened_shares = 5;
    fake_gate_put(&f->fake, &now);
    f->hooks++;
}

static void a_gate_that_was_written_meanwhile_is_left(void **state)
{
    struct fixture *f = *state;
    struct envelope wrong = *fake_envelope(&f->fake, &f->e.id);
    struct gate g;
    wrong.shares++;
    fake_gate_put(&f->fake, &wrong);
    memory_cache_set_hook(f->fake.server, write_gate_meanwhile, f);
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(f->hooks, 1);
    assert_true(fake_gate_get(&f->fake, &f->e.id, &g));
    assert_int_equal(g.left, 5);
    assert_int_equal(fake_metric(&f->fake, METRIC_GATE_REPAIRED), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(wrong_gates_are_replaced),
        TEST(a_gate_behind_is_closed_once_that_is_durable),
        TEST(a_gate_that_was_written_meanwhile_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
