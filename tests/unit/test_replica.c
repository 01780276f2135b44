/* When histories come from the replica. The replica is a database in memory of its own. */
#include "lib/service/account/history.h"
#include "lib/service/common/replica.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct fixture {
    struct fake_service fake;
    struct memory_db *there;
    struct store *writes_there;
    struct account_service service;
};
static struct fixture f;

static struct store *open_there(void *self)
{
    (void)self;
    return memory_store_open(f.there);
}

static int set_up(void **state)
{
    static const struct session_pool_settings four = {.threads = 4};
    (void)state;
    fake_service_init(&f.fake);
    f.there = memory_db_new(f.fake.runtime.clock);
    f.writes_there = memory_store_open(f.there);
    f.fake.runtime.replica_open = open_there;
    f.fake.runtime.replica = replica_new(&f.fake.runtime);
    f.service = (struct account_service){.runtime = &f.fake.runtime,
                                         .sessions = session_pool_new(&f.fake.runtime, &four)};
    return f.fake.runtime.replica == NULL || f.service.sessions == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    session_pool_free(f.service.sessions);
    replica_free(f.fake.runtime.replica);
    f.writes_there->ops->close(f.writes_there);
    memory_db_free(f.there);
    fake_service_end(&f.fake);
    return 0;
}

static void beat(struct store *store)
{
    assert_int_equal(store->ops->host_beat(store, "web1", f.fake.runtime.generation), ERR_OK);
}

static void pass_s(int64_t s)
{
    fixed_clock_advance(&f.fake.clock, s * FAKE_US_PER_S);
}

static void look(void)
{
    replica_look(f.fake.runtime.replica, f.fake.store, 0);
}

/* Return true if a read goes to the replica now. */
static bool enters(void)
{
    bool enter = replica_enter(f.fake.runtime.replica);
    if (enter)
        replica_leave(f.fake.runtime.replica, true);
    return enter;
}

static void nothing_is_asked_before_the_first_look(void **state)
{
    (void)state;
    assert_false(enters());
    assert_false(replica_enter(NULL));
    beat(f.fake.store);
    beat(f.writes_there);
    look();
    assert_true(enters());
}

static void a_replica_that_lags_is_left_until_it_has_caught_up(void **state)
{
    (void)state;
    beat(f.writes_there);
    pass_s(10);
    beat(f.fake.store);
    look();
    assert_true(enters()); /* 10 s are allowed */
    pass_s(1);
    beat(f.fake.store);
    look();
    assert_false(enters());
    beat(f.writes_there);
    look();
    assert_true(enters());
}

static void a_read_without_an_answer_ends_it_until_the_next_look(void **state)
{
    (void)state;
    look();
    assert_true(replica_enter(f.fake.runtime.replica));
    replica_leave(f.fake.runtime.replica, false);
    assert_false(enters());
    look();
    assert_true(enters());
    memory_db_fail(f.there, MEMORY_LAST_BEAT, ERR_UNAVAILABLE, false, 0, 1);
    look();
    assert_false(enters());
}

static void reads_that_hang_keep_others_away(void **state)
{
    (void)state;
    struct replica *r = f.fake.runtime.replica;
    look();
    assert_true(replica_enter(r));
    fixed_clock_advance(&f.fake.clock, REPLICA_HANGS_US);
    assert_true(replica_enter(r));
    fixed_clock_advance(&f.fake.clock, 1);
    assert_false(replica_enter(r));
    replica_leave(r, true); /* slow, and alive */
    assert_true(replica_enter(r));
    replica_leave(r, true);
    replica_leave(r, true);
    pass_s(5);
    assert_true(enters());
}

static void a_primary_that_is_away_decides_nothing(void **state)
{
    (void)state;
    look();
    memory_db_fail(f.fake.db, MEMORY_LAST_BEAT, ERR_UNAVAILABLE, false, 0, 1);
    look();
    assert_true(enters());
}

static int64_t ledger_balance(enum err expected)
{
    static struct ledger_view view;
    const struct who who = {.user = "alice"};
    const struct history_query q = {.who = &who, .limit = 10};
    view.balance_fen = -1;
    assert_int_equal(history_ledger(&f.service, &q, &view), expected);
    return view.balance_fen;
}

static void the_primary_answers_in_its_place(void **state)
{
    (void)state;
    struct envelope e = {.total_fen = 1000};
    fake_send(&f.fake, &e); /* alice has an account at the primary only */
    int64_t here_fen = memory_db_account(f.fake.db, "alice")->balance_fen;
    assert_int_equal(ledger_balance(ERR_OK), here_fen);
    look();
    int64_t there_fen = ledger_balance(ERR_OK);
    assert_int_equal(there_fen, 0);
    memory_db_fail(f.there, MEMORY_ACCOUNT_GET, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(ledger_balance(ERR_OK), here_fen); /* in the same request */
    assert_int_equal(ledger_balance(ERR_OK), here_fen);
    look();
    assert_int_equal(ledger_balance(ERR_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_asked_before_the_first_look),
        TEST(a_replica_that_lags_is_left_until_it_has_caught_up),
        TEST(a_read_without_an_answer_ends_it_until_the_next_look),
        TEST(reads_that_hang_keep_others_away),
        TEST(a_primary_that_is_away_decides_nothing),
        TEST(the_primary_answers_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
