/* The fake store keeps the contract, and has the faults that it promises. */
#include "tests/contract/store_contract.h"
#include "tests/fake/fixed_clock.h"
#include "tests/fake/memory_store.h"
#include "tests/fake/seeded_rng.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct store_contract contract;
    struct fixed_clock clock;
    struct seeded_rng rng;
    struct memory_db *db;
    struct envelope e;
    unsigned hooked;
};

/* The clock moves a millisecond with every operation, as it does on a machine. */
static void tick(void *context, enum memory_op op, struct store *s)
{
    (void)op;
    (void)s;
    fixed_clock_advance(&((struct fixture *)context)->clock, 1000);
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    fixed_clock_init(&f.clock);
    seeded_rng_init(&f.rng, 1);
    f.db = memory_db_new(&f.clock.clock);
    memory_db_set_hook(f.db, tick, &f);
    f.contract = (struct store_contract){.a = memory_store_open(f.db),
                                         .b = memory_store_open(f.db),
                                         .rng = &f.rng.rng,
                                         .mono_us = FIXED_CLOCK_MONO_US};
    store_contract_begin(&f.contract);
    *state = &f;
    return crypto_init() == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->contract.a->ops->close(f->contract.a);
    f->contract.b->ops->close(f->contract.b);
    memory_db_free(f->db);
    return 0;
}

static int tear_down_audited(void **state)
{
    struct fixture *f = *state;
    const char *wrong = memory_db_audit(f->db);
    if (wrong != NULL && !f->contract.broken)
        fail_msg("%s", wrong);
    return tear_down(state);
}

static void arrange(struct fixture *f)
{
    contract_topup(&f->contract, "alice", "alice", 1000);
    contract_send(&f->contract, "alice", 500, 3, &f->e);
}

static void a_fault_strikes_when_it_should(void **state)
{
    struct fixture *f = *state;
    struct store *a = f->contract.a;
    int64_t version;
    arrange(f);
    memory_db_fail(f->db, MEMORY_VERSION_GET, ERR_DEADLOCK, false, 1, 2);
    assert_int_equal(a->ops->version_get(a, &f->e.id, &version), ERR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(a->ops->version_get(a, &f->e.id, &version), ERR_DEADLOCK);
        a->ops->rollback(a);
    }
    assert_int_equal(a->ops->version_get(a, &f->e.id, &version), ERR_OK);
    assert_int_equal(memory_db_calls(f->db, MEMORY_VERSION_GET), 4);
}

static void an_uncertain_commit_may_have_been_applied(void **state)
{
    struct fixture *f = *state;
    struct store *a = f->contract.a;
    arrange(f);
    for (int applied = 0; applied < 2; applied++) {
        static struct open_set set;
        const char *user = applied == 1 ? "bob" : "carol";
        assert_int_equal(contract_open_read(a, &set, &f->e.id, user, LOCK_WAIT_BRIEF), ERR_OK);
        contract_draw(&set, set.now_us);
        assert_int_equal(a->ops->open_write(a, &set), ERR_OK);
        memory_db_fail(f->db, MEMORY_COMMIT, ERR_UNCERTAIN, applied == 1, 0, 1);
        assert_int_equal(a->ops->commit(a), ERR_UNCERTAIN);
        a->ops->rollback(a);
        assert_int_equal(memory_db_claim(f->db, &f->e.id, user) != NULL, applied == 1);
    }
}

static void a_crash_undoes_what_was_not_flushed(void **state)
{
    struct fixture *f = *state;
    struct store *a = f->contract.a, *b = f->contract.b;
    arrange(f);
    memory_db_delay_flush(f->db, true);
    contract_open(a, &f->e.id, "bob", 0);
    memory_db_delay_flush(f->db, false);
    assert_false(memory_db_is_durable(f->db));
    assert_non_null(memory_db_claim(f->db, &f->e.id, "bob"));
    memory_db_crash(f->db);
    assert_true(memory_db_is_durable(f->db));
    assert_null(memory_db_claim(f->db, &f->e.id, "bob"));
    assert_int_equal(memory_db_envelope(f->db, &f->e.id)->e.version, 1);
    for (int barrier = 0; barrier < 2; barrier++) { /* a barrier, or a commit, makes it durable */
        memory_db_delay_flush(f->db, true);
        contract_open(a, &f->e.id, barrier == 1 ? "bob" : "carol", 0);
        memory_db_delay_flush(f->db, false);
        if (barrier == 1)
            assert_int_equal(b->ops->barrier(b), ERR_OK);
        else
            contract_topup(&f->contract, "dave", "dave", 1);
        assert_true(memory_db_is_durable(f->db));
    }
    memory_db_crash(f->db);
    assert_non_null(memory_db_claim(f->db, &f->e.id, "bob"));
    assert_non_null(memory_db_claim(f->db, &f->e.id, "carol"));
}

static void a_lost_connection_ends_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct store *a = f->contract.a, *b = f->contract.b;
    static struct open_set set, other;
    arrange(f);
    assert_int_equal(contract_open_read(a, &set, &f->e.id, "bob", LOCK_WAIT_BRIEF), ERR_OK);
    memory_db_set_away(f->db, true);
    memory_db_set_away(f->db, false);
    assert_int_equal(contract_open_read(b, &other, &f->e.id, "bob", LOCK_WAIT_NONE),
                     ERR_OK); /* no lock */
    b->ops->rollback(b);
    contract_draw(&set, set.now_us);
    assert_int_equal(a->ops->open_write(a, &set), ERR_UNAVAILABLE);
    a->ops->rollback(a);
    assert_int_equal(memory_db_envelope(f->db, &f->e.id)->e.version, 1);
}

static void the_audit_finds_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    arrange(f);
    contract_open(f->contract.a, &f->e.id, "bob", 0);
    assert_null(memory_db_audit(f->db));
    struct memory_credit credit = *memory_db_credit(f->db, &f->e.id, "bob");
    memory_db_remove(f->db, MEMORY_CREDITS, &credit);
    assert_non_null(memory_db_audit(f->db));
    memory_db_put(f->db, MEMORY_CREDITS, &credit);
    memory_db_account(f->db, "alice")->balance_fen++;
    assert_non_null(memory_db_audit(f->db));
    memory_db_account(f->db, "alice")->balance_fen--;
    memory_db_claim(f->db, &f->e.id, "bob")->amount_fen++;
    assert_non_null(memory_db_audit(f->db));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CONTRACT(name)                                                                             \
    {"store_contract_" #name, store_contract_##name, set_up, tear_down_audited, NULL},
    const struct CMUnitTest tests[] = {
        STORE_CONTRACT_TESTS(CONTRACT) TEST(a_fault_strikes_when_it_should),
        TEST(an_uncertain_commit_may_have_been_applied),
        TEST(a_crash_undoes_what_was_not_flushed),
        TEST(a_lost_connection_ends_the_transaction),
        TEST(the_audit_finds_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
