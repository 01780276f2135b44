/* Reconciliation: what it repairs, what it freezes, and what it leaves alone. */
#include "lib/service/settle/reconcile.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_US (86400 * FAKE_US_PER_S)

struct fixture {
    struct fake_service fake;
    struct reconcile at;
    struct envelope e;
    struct claim c;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    f.at = (struct reconcile){.after = {{0}}};
    fake_service_init(&f.fake);
    f.e.cap_fen = 500; /* a share can be above it */
    fake_send(&f.fake, &f.e);
    f.c = fake_open(&f.fake, &f.e.id, "bob");
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

static int64_t frozen_rule(struct fixture *f)
{
    return memory_db_envelope(f->fake.db, &f->e.id)->frozen_rule;
}

static void books_that_agree_are_left_alone(void **state)
{
    struct fixture *f = *state;
    fake_gate_put(&f->fake, fake_envelope(&f->fake, &f->e.id));
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(frozen_rule(f), 0);
    assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_ALARMS), 0);
    assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_REPAIRS), 0);
    assert_int_equal(memory_cache_calls(f->fake.server, MEMORY_CACHE_CAS), 0);
}

/* A restart begins where the last process stopped, not days ago. */
static void a_restart_goes_on_where_the_last_process_stopped(void **state)
{
    struct fixture *f = *state;
    struct envelope later = {.shares = 2};
    assert_int_equal(step(f), ERR_OK);
    fixed_clock_advance(&f->fake.clock, FAKE_US_PER_S);
    fake_send(&f->fake, &later);
    memory_db_envelope(f->fake.db, &f->e.id)->e.refunded_fen = 1; /* behind the place */
    memory_db_envelope(f->fake.db, &later.id)->e.refunded_fen = 1;
    f->at = (struct reconcile){.after = {{0}}};
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(memory_db_envelope(f->fake.db, &later.id)->frozen_rule, BOOKS_ENVELOPE_SUMS);
    assert_int_equal(step(f), ERR_OK); /* past the newest: the next round begins */
    assert_int_equal(metrics_get_reconciled(f->fake.runtime.metrics), 0);
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(frozen_rule(f), BOOKS_ENVELOPE_SUMS);
}

static void drop_credit(struct fixture *f)
{
    memory_db_remove(f->fake.db, MEMORY_CREDITS, memory_db_credit(f->fake.db, &f->e.id, "bob"));
}

static void a_lost_credit_is_queued_again(void **state)
{
    struct fixture *f = *state;
    drop_credit(f);
    assert_non_null(memory_db_audit(f->fake.db));
    assert_int_equal(step(f), ERR_OK);
    assert_null(memory_db_audit(f->fake.db));
    assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_REPAIRS), 1);
    assert_int_equal(frozen_rule(f), 0);
}

/* One corruption for each kind of rule, in the order of the checks. */
static void break_sums(struct fixture *f)
{
    memory_db_envelope(f->fake.db, &f->e.id)->e.refunded_fen = 1;
}

static void break_claims(struct fixture *f)
{
    memory_db_remove(f->fake.db, MEMORY_CLAIMS, memory_db_claim(f->fake.db, &f->e.id, "bob"));
}

static void break_seq(struct fixture *f)
{
    memory_db_claim(f->fake.db, &f->e.id, "bob")->seq = 2;
}

static void break_cap(struct fixture *f)
{
    struct envelope *e = &memory_db_envelope(f->fake.db, &f->e.id)->e;
    struct claim *c = memory_db_claim(f->fake.db, &f->e.id, "bob");
    e->opened_fen += e->cap_fen + 1 - c->amount_fen; /* all else agrees with the claim */
    c->amount_fen = e->cap_fen + 1;
}

static void break_luckiest(struct fixture *f)
{
    memory_db_envelope(f->fake.db, &f->e.id)->e.luckiest_fen++;
}

static struct transfer *send_of(struct fixture *f)
{
    for (size_t i = 0;; i++) {
        struct transfer *t = memory_db_row(f->fake.db, MEMORY_TRANSFERS, i);
        if (t->kind == TRANSFER_SEND)
            return t;
    }
}

static void break_send(struct fixture *f)
{
    send_of(f)->amount_fen--;
}

static void break_sender(struct fixture *f)
{
    snprintf(send_of(f)->user, USER_SIZE, "mallory");
}

static void break_refund(struct fixture *f)
{
    struct transfer t =
        transfer_for_refund(&f->fake.rng.rng, "alice", &f->e.id, 1, f->e.created_us);
    memory_db_put(f->fake.db, MEMORY_TRANSFERS, &t);
}

static void book(struct fixture *f, const char *user, uint32_t seq)
{
    struct transfer t = transfer_for_claim(user, &f->e.id, seq, f->c.amount_fen, f->c.opened_us);
    memory_db_put(f->fake.db, MEMORY_TRANSFERS, &t);
}

static void break_twice(struct fixture *f)
{
    book(f, "bob", 1);
}

static void break_credit(struct fixture *f)
{
    memory_db_credit(f->fake.db, &f->e.id, "bob")->c.amount_fen++;
}

static void break_booking(struct fixture *f)
{
    drop_credit(f);
    book(f, "mallory", 1);
}

static void break_no_claim(struct fixture *f)
{
    book(f, "mallory", 9);
}

static void break_seed(struct fixture *f)
{
    struct memory_seed like = {.envelope = f->e.id};
    memory_db_remove(f->fake.db, MEMORY_SEEDS, &like);
}

static void break_seed_hash(struct fixture *f)
{
    for (char user[8] = "a"; user[0] <= 'i'; user[0]++)
        (void)fake_open(&f->fake, &f->e.id, user);
    memory_db_envelope(f->fake.db, &f->e.id)->e.seed[0] ^= 1;
}

static void break_closing(struct fixture *f)
{
    memory_db_put(f->fake.db, MEMORY_CLOSINGS, &f->e.id);
}

static const struct corruption {
    enum books_rule rule;
    void (*cause)(struct fixture *f);
} corruptions[] = {
    {BOOKS_ENVELOPE_SUMS, break_sums},
    {BOOKS_CLAIMS_MATCH_ENVELOPE, break_claims},
    {BOOKS_SEQ_WITHOUT_HOLES, break_seq},
    {BOOKS_SHARE_WITHIN_CAP, break_cap},
    {BOOKS_LUCKIEST, break_luckiest},
    {BOOKS_SEND_TRANSFER, break_send},
    {BOOKS_SEND_TRANSFER, break_sender},
    {BOOKS_REFUND_TRANSFER, break_refund},
    {BOOKS_CLAIM_CREDITED_ONCE, break_twice},
    {BOOKS_CREDIT_MATCHES_CLAIM, break_credit},
    {BOOKS_TRANSFER_MATCHES_CLAIM, break_booking},
    {BOOKS_NO_TRANSFER_WITHOUT_CLAIM, break_no_claim},
    {BOOKS_SEED_ONLY_WHILE_OPEN, break_seed},
    {BOOKS_SEED_HASH, break_seed_hash},
    {BOOKS_CLOSING_WHEN_CLOSED, break_closing},
};

static void every_corruption_freezes_by_its_rule(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof corruptions / sizeof corruptions[0]; i++) {
        if (i > 0) {
            (void)tear_down(state);
            (void)set_up(state);
        }
        assert_null(memory_db_audit(f->fake.db));
        corruptions[i].cause(f);
        assert_int_equal(step(f), ERR_OK);
        if (frozen_rule(f) != (int64_t)corruptions[i].rule)
            fail_msg("corruption %zu froze for %s", i, books_rule_name(frozen_rule(f)));
        assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_ALARMS), 1);
        f->at = (struct reconcile){.after = {{0}}};
        assert_int_equal(step(f), ERR_OK); /* one alarm */
        assert_int_equal(fake_metric(&f->fake, METRIC_RECONCILE_ALARMS), 1);
    }
}

static void the_pending_credits_of_a_frozen_envelope_rest(void **state)
{
    struct fixture *f = *state;
    uint32_t lanes;
    break_luckiest(f);
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(f->fake.store->ops->credit_lanes(f->fake.store, &lanes), ERR_OK);
    assert_int_equal(lanes, 0);
}

static void another_daemon_at_the_same_envelope_is_no_error(void **state)
{
    struct fixture *f = *state;
    static const enum err errors[] = {ERR_LOCKED, ERR_DEADLOCK, ERR_UNCERTAIN};
    for (size_t i = 0; i < 3; i++) {
        break_luckiest(f);
        memory_db_fail(f->fake.db, MEMORY_FREEZE, errors[i], false, 0, 1);
        f->at = (struct reconcile){.after = {{0}}};
        assert_int_equal(step(f), ERR_OK);
        assert_int_equal(frozen_rule(f), 0);
    }
    memory_db_fail(f->fake.db, MEMORY_FREEZE, ERR_UNAVAILABLE, false, 0, 1);
    f->at = (struct reconcile){.after = {{0}}};
    assert_int_equal(step(f), ERR_UNAVAILABLE);
    assert_int_equal(step(f), ERR_OK); /* the same envelope again */
    assert_int_equal(frozen_rule(f), BOOKS_LUCKIEST);
}

static void old_envelopes_are_not_looked_at(void **state)
{
    struct fixture *f = *state;
    int64_t days = f->fake.config.reconcile_days;
    break_luckiest(f);
    fake_clock_to(&f->fake, f->e.created_us + days * DAY_US + 1000);
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(frozen_rule(f), 0);
    fixed_clock_set_wall(&f->fake.clock, f->e.created_us + days * DAY_US - 1000);
    f->at = (struct reconcile){.after = {{0}}};
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(frozen_rule(f), BOOKS_LUCKIEST);
}

static void it_goes_on_behind_the_last_and_begins_again(void **state)
{
    struct fixture *f = *state;
    struct id last = f->e.id;
    for (int i = 0; i < 149; i++) {
        struct envelope e = {.shares = 2};
        fixed_clock_advance(&f->fake.clock, 1000);
        fake_send(&f->fake, &e);
        last = e.id;
    }
    assert_int_equal(step(f), ERR_OK);
    assert_true(id_compare(&f->at.after, &last) < 0);
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(id_compare(&f->at.after, &last), 0);
    assert_int_equal(step(f), ERR_OK);
    assert_int_equal(id_time_us(&f->at.after), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(books_that_agree_are_left_alone),
        TEST(a_restart_goes_on_where_the_last_process_stopped),
        TEST(a_lost_credit_is_queued_again),
        TEST(every_corruption_freezes_by_its_rule),
        TEST(the_pending_credits_of_a_frozen_envelope_rest),
        TEST(another_daemon_at_the_same_envelope_is_no_error),
        TEST(old_envelopes_are_not_looked_at),
        TEST(it_goes_on_behind_the_last_and_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
