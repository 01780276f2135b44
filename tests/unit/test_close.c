/* Closing what is due: decided under the lock, refunded once, published only once it is durable. */
#include "lib/service/common/close.h"
#include "lib/service/common/newest_version.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct fake_service fake;
    struct envelope e;
    struct open_set set;
    struct clock_guard guard;
    struct store *other;
    int64_t balance_fen; /* of the sender, before the send */
    unsigned hooks;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    f.hooks = 0;
    fake_service_init(&f.fake);
    fake_markers_init(&f.fake);
    f.other = memory_store_open(f.fake.db);
    fake_send(&f.fake, &f.e);
    fake_gate_put(&f.fake, &f.e);
    clock_guard_init(&f.guard, &f.fake.runtime);
    assert_int_equal(clock_guard_look(&f.guard, f.fake.store), ERR_OK);
    f.balance_fen = memory_db_account(f.fake.db, "alice")->balance_fen + f.e.total_fen;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    memory_db_set_hook(f->fake.db, NULL, NULL);
    f->other->ops->close(f->other);
    const char *wrong = memory_db_audit(f->fake.db);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    fake_service_end(&f->fake);
    return 0;
}

static void expire(struct fixture *f)
{
    fake_clock_to(&f->fake, f->e.expires_us);
}

static enum err run(struct fixture *f, struct close_due_result *done)
{
    return close_due(&f->fake.runtime, f->fake.store, f->fake.cache, &f->guard, done);
}

static enum envelope_state state_of(struct fixture *f, const struct id *id)
{
    return fake_envelope(&f->fake, id)->state;
}

static bool published(struct fixture *f, const struct id *id)
{
    struct gate g;
    bool gate = fake_gate_get(&f->fake, id, &g) && g.state == STATE_EXPIRED;
    assert_int_equal(gate, fake_marker_exists(&f->fake, id));
    return gate;
}

static void it_closes_at_the_deadline_and_not_before(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    struct claim c = fake_open(&f->fake, &f->e.id, "bob");
    fake_clock_to(&f->fake, f->e.expires_us - 1);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 0);
    assert_false(published(f, &f->e.id));
    fake_clock_to(&f->fake, f->e.expires_us + 7);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 1);
    assert_int_equal(done.late_us, 7);
    const struct envelope *e = fake_envelope(&f->fake, &f->e.id);
    assert_int_equal(e->state, STATE_EXPIRED);
    assert_int_equal(e->refunded_fen, 1000 - c.amount_fen);
    assert_int_equal(memory_db_account(f->fake.db, "alice")->balance_fen,
                     f->balance_fen - c.amount_fen);
    assert_true(published(f, &f->e.id));
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 0);
    assert_int_equal(fake_metric(&f->fake, METRIC_ENVELOPES_EXPIRED), 1);
}

/* The list is a plain read: when the lock is had, the envelope is not due (a clock set back). */
static void set_clock_back(void *context, enum memory_op op, struct store *s)
{
    struct fixture *f = context;
    (void)s;
    if (op == MEMORY_OPEN_READ)
        fixed_clock_set_wall(&f->fake.clock, f->e.expires_us - 1);
}

static void what_is_due_is_decided_under_the_lock(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    expire(f);
    memory_db_set_hook(f->fake.db, set_clock_back, f);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(memory_db_calls(f->fake.db, MEMORY_OPEN_READ), 1);
    assert_int_equal(done.closed, 0);
    assert_int_equal(state_of(f, &f->e.id), STATE_OPEN);
}

/* Before the commit nothing may be published. */
static void look_before_commit(void *context, enum memory_op op, struct store *s)
{
    struct fixture *f = context;
    (void)s;
    if (op != MEMORY_COMMIT)
        return;
    f->hooks++;
    assert_false(published(f, &f->e.id));
}

static void nothing_is_published_before_the_commit(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    struct envelope found;
    bool exists;
    memory_db_set_hook(f->fake.db, look_before_commit, f);
    memory_db_fail(f->fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, false, 0, 2);
    expire(f);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(f->hooks, 3);
    assert_true(published(f, &f->e.id));
    struct envelope second = {.shares = 2};
    fake_send(&f->fake, &second);
    f->e.id = second.id;
    assert_int_equal(close_envelope(&f->fake.runtime, f->fake.store, f->fake.cache, &second.id,
                                    CLOSER_OPERATOR, &exists, &found),
                     ERR_OK);
    assert_int_equal(f->hooks, 4);
    assert_true(exists && published(f, &second.id));
}

static void a_lost_answer_refunds_once(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    expire(f);
    memory_db_fail(f->fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(state_of(f, &f->e.id), STATE_EXPIRED);
    assert_int_equal(memory_db_account(f->fake.db, "alice")->balance_fen, f->balance_fen);
    assert_int_equal(fake_metric(&f->fake, METRIC_COMMITS_UNCERTAIN), 1);
    assert_int_equal(memory_db_count(f->fake.db, MEMORY_CLOSINGS),
                     1); /* settle looks for markers */
}

static void errors_that_pass_are_tried_again(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    expire(f);
    memory_db_fail(f->fake.db, MEMORY_OPEN_READ, ERR_DEADLOCK, false, 0, 9);
    assert_int_equal(run(f, &done), ERR_UNAVAILABLE);
    assert_int_equal(memory_db_calls(f->fake.db, MEMORY_OPEN_READ), 5);
    memory_db_fail(f->fake.db, MEMORY_OPEN_READ, ERR_OK, false, 0, 0);
    memory_db_fail(f->fake.db, MEMORY_REFUND_WRITE, ERR_UNAVAILABLE, true, 0, 1);
    assert_int_equal(run(f, &done), ERR_OK); /* the connection was lost: once more */
    assert_int_equal(done.closed, 1);
    assert_int_equal(memory_db_account(f->fake.db, "alice")->balance_fen, f->balance_fen);
}

static void a_locked_or_broken_one_keeps_none_of_the_others(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    struct envelope locked = {.shares = 2}, broken = {.shares = 2};
    fake_send(&f->fake, &locked);
    fake_send(&f->fake, &broken);
    struct transfer refund =
        transfer_for_refund(&f->fake.rng.rng, "mallory", &broken.id, 1, broken.created_us);
    memory_db_put(f->fake.db, MEMORY_TRANSFERS, &refund); /* its refund exists already */
    expire(f);
    memset(&f->set, 0, sizeof f->set);
    f->set.n_envelopes = 1;
    f->set.ids[0] = locked.id;
    assert_int_equal(f->other->ops->open_read(f->other, &f->set), ERR_OK);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 1);
    assert_int_equal(state_of(f, &f->e.id), STATE_EXPIRED);
    assert_int_equal(state_of(f, &locked.id), STATE_OPEN);
    assert_int_equal(state_of(f, &broken.id), STATE_OPEN);
    f->other->ops->rollback(f->other);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 1);
    assert_int_equal(state_of(f, &locked.id), STATE_EXPIRED);
    memory_db_remove(f->fake.db, MEMORY_TRANSFERS, &refund);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 1);
}

static enum err close_one(struct fixture *f, const struct id *id, bool *found, struct envelope *e)
{
    return close_envelope(&f->fake.runtime, f->fake.store, f->fake.cache, id, CLOSER_OPERATOR,
                          found, e);
}

/* Change a row as a disk error or a hand could; the copy restores it. */
static struct memory_envelope damage(struct fixture *f, const struct id *id, bool state)
{
    struct memory_envelope *row = memory_db_envelope(f->fake.db, id), copy = *row;
    if (state) {
        row->e.state = (enum envelope_state)7;
        return copy;
    }
    row->e.opened_fen = row->e.total_fen - 1;
    row->e.opened_shares = 1;
    return copy;
}

static void a_damaged_envelope_is_frozen_and_the_others_are_refunded(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    struct envelope sums = {.shares = 3}, number = {.shares = 3};
    fake_send(&f->fake, &sums);
    fake_send(&f->fake, &number);
    struct memory_envelope before[] = {damage(f, &sums.id, false), damage(f, &number.id, true)};
    expire(f);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 1);
    assert_int_equal(state_of(f, &f->e.id), STATE_EXPIRED);
    assert_int_equal(memory_db_envelope(f->fake.db, &sums.id)->frozen_rule, BOOKS_ENVELOPE_SUMS);
    assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_ALARMS), 2);
    assert_false(published(f, &sums.id) || published(f, &number.id));
    memory_db_put(f->fake.db, MEMORY_ENVELOPES, &before[0]);
    memory_db_put(f->fake.db, MEMORY_ENVELOPES, &before[1]);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 2);
}

static void a_fault_of_one_row_keeps_none_of_the_others(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    struct envelope other = {.shares = 2};
    fake_send(&f->fake, &other);
    memory_db_fail(f->fake.db, MEMORY_REFUND_WRITE, ERR_FAULT, false, 0, 2);
    expire(f);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 1);
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 1);
}

static void frozen_ones_stay_open(void **state)
{
    struct fixture *f = *state;
    struct close_due_result done;
    struct envelope e;
    bool found;
    expire(f);
    memory_db_envelope(f->fake.db, &f->e.id)->frozen_rule = BOOKS_LUCKIEST;
    assert_int_equal(run(f, &done), ERR_OK);
    assert_int_equal(done.closed, 0);
    assert_int_equal(close_one(f, &f->e.id, &found, &e), ERR_LOCKED);
    assert_int_equal(state_of(f, &f->e.id), STATE_OPEN);
    assert_false(published(f, &f->e.id));
}

static void the_operator_closes_any(void **state)
{
    struct fixture *f = *state;
    struct envelope e;
    bool found;
    struct id none = f->e.id;
    none.b[15] ^= 1;
    assert_int_equal(close_one(f, &none, &found, &e), ERR_OK);
    assert_false(found);
    assert_int_equal(close_one(f, &f->e.id, &found, &e), ERR_OK);
    assert_true(found && e.state == STATE_EXPIRED && published(f, &f->e.id));
    assert_int_equal(e.refunded_fen, 1000);
}

static void the_operator_cannot_close_a_damaged_one(void **state)
{
    struct fixture *f = *state;
    struct envelope e;
    bool found;
    struct memory_envelope before = damage(f, &f->e.id, true);
    assert_int_equal(close_one(f, &f->e.id, &found, &e), ERR_LOCKED);
    memory_db_put(f->fake.db, MEMORY_ENVELOPES, &before);
    struct memory_seed like = {.envelope = f->e.id};
    struct memory_seed seed =
        *(struct memory_seed *)memory_db_find(f->fake.db, MEMORY_SEEDS, &like);
    memory_db_remove(f->fake.db, MEMORY_SEEDS, &like);
    assert_int_equal(close_one(f, &f->e.id, &found, &e), ERR_LOCKED);
    assert_int_equal(state_of(f, &f->e.id), STATE_OPEN);
    assert_false(published(f, &f->e.id));
    memory_db_put(f->fake.db, MEMORY_SEEDS, &seed);
}

/* Closed by another process, whose commit is visible and not yet on the disk. */
static void what_another_closed_is_published_once_it_is_durable(void **state)
{
    struct fixture *f = *state;
    struct envelope e;
    bool found;
    memory_db_delay_flush(f->fake.db, true);
    assert_int_equal(
        close_envelope(&f->fake.runtime, f->other, NULL, &f->e.id, CLOSER_OPERATOR, &found, &e),
        ERR_OK);
    memory_db_delay_flush(f->fake.db, false);
    struct id id = f->e.id;
    fake_markers_forget(&f->fake, &id);
    memory_db_fail(f->fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(close_one(f, &id, &found, &e), ERR_UNAVAILABLE);
    assert_false(published(f, &id));
    assert_false(memory_db_is_durable(f->fake.db));
    assert_int_equal(close_one(f, &id, &found, &e), ERR_OK);
    assert_true(memory_db_is_durable(f->fake.db));
    assert_true(published(f, &id));
}

/* Thanks make versions after the close: another process may have read before them. */
static void a_close_that_was_read_replaces_no_version(void **state)
{
    struct fixture *f = *state;
    static const struct who bob = {.user = "bob"};
    struct newest_version newest;
    struct newest_version_query query = {.who = &bob, .id = &f->e.id, .out = &newest};
    struct envelope found;
    bool exists;
    assert_int_equal(close_one(f, &f->e.id, &exists, &found), ERR_OK);
    found.version += 3;
    newest_version_hint_made(&f->fake.runtime, f->fake.cache, &found, NULL, 0);
    f->fake.cache->ops->flush(f->fake.cache, true);
    assert_int_equal(close_one(f, &f->e.id, &exists, &found), ERR_OK);
    newest_versions_get(&f->fake.runtime, f->fake.cache, &query, 1);
    assert_true(newest.known);
    assert_int_equal(newest.version, found.version + 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_closes_at_the_deadline_and_not_before),
        TEST(what_is_due_is_decided_under_the_lock),
        TEST(nothing_is_published_before_the_commit),
        TEST(a_lost_answer_refunds_once),
        TEST(errors_that_pass_are_tried_again),
        TEST(a_locked_or_broken_one_keeps_none_of_the_others),
        TEST(a_damaged_envelope_is_frozen_and_the_others_are_refunded),
        TEST(a_fault_of_one_row_keeps_none_of_the_others),
        TEST(frozen_ones_stay_open),
        TEST(the_operator_closes_any),
        TEST(the_operator_cannot_close_a_damaged_one),
        TEST(what_another_closed_is_published_once_it_is_durable),
        TEST(a_close_that_was_read_replaces_no_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
