/* The promises of lib/store/store.h about opens, closings and refunds. */
#include "lib/base/clock.h"
#include "tests/contract/store_contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_US INT64_C(3600000000)
#define LIST_MAX 1000
#define LOCK_WAIT_MAX_US INT64_C(3500000) /* 2 s, and what a busy machine adds */

static struct open_set set, other;

/* Sends an envelope of that many shares of a sender of this test's own. */
static void send_one(struct store_contract *t, int64_t shares, struct envelope *e)
{
    char user[USER_SIZE];
    contract_user(t, user, "sender");
    if (contract_balance(t->a, user, NULL) < 0)
        contract_topup(t, user, user, 100000);
    contract_send(t, user, 1000, shares, e);
}

static struct envelope get(struct store *s, const struct id *id)
{
    struct envelope e;
    bool found;
    int64_t now_us;
    assert_int_equal(s->ops->envelope_get(s, id, &e, &found, &now_us), ERR_OK);
    assert_true(found);
    return e;
}

void store_contract_open_is_visible_after_the_commit(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct claim c;
    char user[USER_SIZE];
    bool found;
    int64_t pending_fen;
    send_one(t, 3, &e);
    contract_user(t, user, "winner");
    assert_int_equal(contract_open_read(t->a, &set, &e.id, user, LOCK_WAIT_BRIEF), ERR_OK);
    assert_true(set.exists[0] && set.envelopes[0].has_seed && !set.rows[0].found);
    assert_memory_equal(set.envelopes[0].seed, e.seed, sizeof e.seed);
    assert_int_equal(set.opened_before[0], 0);
    contract_draw(&set, set.now_us);
    assert_int_equal(t->a->ops->open_write(t->a, &set), ERR_OK);
    assert_int_equal(t->b->ops->claim_get(t->b, &e.id, user, &c, &found), ERR_OK);
    assert_false(found);
    assert_int_equal(get(t->b, &e.id).version, 1);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    assert_int_equal(t->b->ops->claim_get(t->b, &e.id, user, &c, &found), ERR_OK);
    assert_true(found);
    assert_memory_equal(&c, &set.rows[0].claim, sizeof c);
    struct envelope now = get(t->b, &e.id);
    assert_int_equal(now.version, 2);
    assert_int_equal(now.opened_shares, 1);
    assert_int_equal(now.opened_fen, c.amount_fen);
    assert_string_equal(now.luckiest_user, user);
    assert_false(now.has_seed);
    assert_int_equal(contract_balance(t->b, user, &pending_fen), -1);
    assert_int_equal(pending_fen, c.amount_fen);
}

void store_contract_second_claim_of_a_user_is_refused(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    char user[USER_SIZE];
    send_one(t, 3, &e);
    contract_user(t, user, "winner");
    struct claim first = contract_open(t->a, &e.id, user, 0);
    assert_int_equal(contract_open_read(t->a, &set, &e.id, user, LOCK_WAIT_BRIEF), ERR_OK);
    assert_true(set.rows[0].found);
    assert_memory_equal(&set.rows[0].claim, &first, sizeof first);
    set.rows[0].found = set.rows[0].look = false;
    set.rows[0].claim.seq = 0;
    contract_draw(&set, set.now_us);
    assert_int_equal(t->a->ops->open_write(t->a, &set), ERR_DUPLICATE);
    t->a->ops->rollback(t->a);
    assert_int_equal(get(t->a, &e.id).opened_shares, 1);
    /* looked for later, in the transaction */
    assert_int_equal(contract_open_read(t->a, &set, &e.id, NULL, LOCK_WAIT_BRIEF), ERR_OK);
    set.n_rows = 1;
    set.rows[0] = (struct open_row){.envelope = e.id, .user = user, .look = true};
    assert_int_equal(t->a->ops->open_look(t->a, &set), ERR_OK);
    assert_true(set.rows[0].found);
    assert_int_equal(set.rows[0].claim.amount_fen, first.amount_fen);
    t->a->ops->rollback(t->a);
}

void store_contract_thanks_are_stored_and_make_a_version(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct claim c, none, page[2];
    char user[USER_SIZE], second[USER_SIZE];
    bool found;
    size_t n;
    send_one(t, 2, &e);
    contract_user(t, user, "first");
    contract_user(t, second, "second");
    contract_open(t->a, &e.id, user, 0);
    contract_open(t->a, &e.id, second, 0);
    for (int i = 0; i < 2; i++) { /* of a closed envelope, and again */
        int64_t before = get(t->a, &e.id).version;
        assert_int_equal(contract_open_read(t->a, &set, &e.id, user, LOCK_WAIT_NONE), ERR_OK);
        assert_true(set.rows[0].found);
        assert_int_equal(set.rows[0].claim.thanks, i == 0 ? THANKS_NONE : THANKS_HUG);
        set.rows[0].claim.thanks = i == 0 ? THANKS_HUG : THANKS_WOW;
        assert_int_equal(t->a->ops->thanks_write(t->a, &set.rows[0].claim), ERR_OK);
        assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
        assert_int_equal(get(t->b, &e.id).version, before + 1);
    }
    assert_int_equal(t->b->ops->claim_get(t->b, &e.id, user, &c, &found), ERR_OK);
    assert_int_equal(c.thanks, THANKS_WOW);
    assert_int_equal(t->b->ops->claims_page(t->b, &e.id, 0, 2, page, &n), ERR_OK);
    assert_int_equal(page[0].thanks, THANKS_WOW);
    assert_int_equal(page[1].thanks, THANKS_NONE);
    assert_int_equal(get(t->b, &e.id).state, STATE_SOLD_OUT);
    none = c;
    none.user[0]++;
    assert_int_equal(contract_open_read(t->a, &set, &e.id, user, LOCK_WAIT_NONE), ERR_OK);
    assert_int_equal(t->a->ops->thanks_write(t->a, &none), ERR_FAULT);
    t->a->ops->rollback(t->a);
}

void store_contract_transaction_reads_what_others_commit(void **state)
{
    struct store_contract *t = *state;
    static struct envelope mine, theirs;
    char user[USER_SIZE];
    send_one(t, 3, &mine);
    send_one(t, 3, &theirs);
    contract_user(t, user, "winner");
    memset(&set, 0, sizeof set);
    set.n_envelopes = set.n_rows = 1;
    set.ids[0] = mine.id;
    set.rows[0] = (struct open_row){.envelope = theirs.id, .user = user, .look = true};
    assert_int_equal(t->a->ops->open_read(t->a, &set), ERR_OK);
    assert_false(set.rows[0].found);
    contract_open(t->b, &theirs.id, user, 0);
    assert_int_equal(t->a->ops->open_look(t->a, &set), ERR_OK);
    assert_true(set.rows[0].found); /* READ COMMITTED: no snapshot of the beginning */
    t->a->ops->rollback(t->a);
}

void store_contract_second_claim_of_a_position_is_refused(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    char user[USER_SIZE];
    send_one(t, 3, &e);
    contract_user(t, user, "winner");
    contract_open(t->a, &e.id, user, 0);
    contract_user(t, user, "loser");
    assert_int_equal(contract_open_read(t->a, &set, &e.id, user, LOCK_WAIT_BRIEF), ERR_OK);
    contract_draw(&set, set.now_us);
    set.rows[0].claim.seq = 1;
    assert_int_equal(t->a->ops->open_write(t->a, &set), ERR_DUPLICATE);
    t->a->ops->rollback(t->a);
}

void store_contract_envelope_lock_is_not_waited_for(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    send_one(t, 3, &e);
    assert_int_equal(contract_open_read(t->a, &set, &e.id, NULL, LOCK_WAIT_NONE), ERR_OK);
    for (enum lock_wait wait = LOCK_WAIT_BRIEF; wait <= LOCK_WAIT_FULL; wait++) {
        int64_t began_us = clock_system.mono_us(NULL);
        assert_int_equal(contract_open_read(t->b, &other, &e.id, NULL, wait), ERR_LOCKED);
        assert_true(clock_system.mono_us(NULL) - began_us < LOCK_WAIT_MAX_US);
        t->b->ops->rollback(t->b);
    }
    t->a->ops->rollback(t->a);
    assert_int_equal(contract_open_read(t->b, &other, &e.id, NULL, LOCK_WAIT_NONE), ERR_OK);
    t->b->ops->rollback(t->b);
}

void store_contract_missing_envelope_is_no_error(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct claim c;
    bool found = true;
    int64_t now_us, version = 1;
    size_t n = 1;
    struct id id = id_make(t->rng, 0, 0);
    assert_int_equal(contract_open_read(t->a, &set, &id, "nobody", LOCK_WAIT_BRIEF), ERR_OK);
    assert_false(set.exists[0] || set.rows[0].found);
    t->a->ops->rollback(t->a);
    assert_int_equal(t->a->ops->envelope_get(t->a, &id, &e, &found, &now_us), ERR_OK);
    assert_false(found);
    assert_int_equal(t->a->ops->version_get(t->a, &id, &version), ERR_OK);
    assert_int_equal(version, 0);
    found = true;
    assert_int_equal(t->a->ops->claim_get(t->a, &id, "nobody", &c, &found), ERR_OK);
    assert_false(found);
    assert_int_equal(t->a->ops->claims_page(t->a, &id, 0, 1, &c, &n), ERR_OK);
    assert_int_equal(n, 0);
}

void store_contract_rollback_leaves_nothing(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e, unsent;
    char user[USER_SIZE], sender[USER_SIZE];
    int64_t pending_fen, version;
    send_one(t, 3, &e);
    contract_user(t, user, "winner");
    contract_user(t, sender, "sender");
    int64_t balance_fen = contract_balance(t->a, sender, NULL);
    assert_int_equal(contract_open_read(t->a, &set, &e.id, user, LOCK_WAIT_BRIEF), ERR_OK);
    contract_draw(&set, set.now_us);
    assert_int_equal(t->a->ops->open_write(t->a, &set), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(get(t->a, &e.id).version, 1);
    assert_int_equal(contract_balance(t->a, user, &pending_fen), -1);
    assert_int_equal(pending_fen, 0);
    assert_int_equal(contract_send_begin(t, t->a, sender, 10, 2, INT64_MAX / 2, &unsent), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(t->a->ops->version_get(t->a, &unsent.id, &version), ERR_OK);
    assert_int_equal(version, 0);
    assert_int_equal(contract_balance(t->a, sender, NULL), balance_fen);
}

static bool in_closings(struct store *s, const struct id *id, struct closing *out)
{
    static struct closing closings[LIST_MAX];
    size_t n;
    assert_int_equal(s->ops->closing_list(s, closings, LIST_MAX, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || id_compare(&closings[i - 1].id, &closings[i].id) < 0);
        if (id_compare(&closings[i].id, id) != 0)
            continue;
        *out = closings[i];
        return true;
    }
    return false;
}

static bool is_due(struct store *s, const struct id *id)
{
    static struct id ids[LIST_MAX];
    size_t n;
    assert_int_equal(s->ops->due_list(s, ids, LIST_MAX, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        if (id_compare(&ids[i], id) == 0)
            return true;
    return false;
}

void store_contract_sold_out_shows_the_seed_and_queues_the_closing(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct closing closing;
    char user[USER_SIZE];
    send_one(t, 2, &e);
    contract_user(t, user, "first");
    contract_open(t->a, &e.id, user, 0);
    assert_false(in_closings(t->a, &e.id, &closing));
    contract_user(t, user, "second");
    contract_open(t->a, &e.id, user, 0);
    assert_true(in_closings(t->b, &e.id, &closing));
    assert_int_equal(closing.state, STATE_SOLD_OUT);
    assert_false(closing.restricted);
    struct envelope now = get(t->b, &e.id);
    assert_int_equal(now.state, STATE_SOLD_OUT);
    assert_true(now.has_seed && now.closed_us > 0);
    assert_int_equal(now.closed_by, CLOSER_CLAIMS);
    assert_memory_equal(now.seed, e.seed, sizeof e.seed);
    assert_true(envelope_consistent(&now));
}

void store_contract_due_envelopes_are_listed_and_refunded(void **state)
{
    struct store_contract *t = *state;
    static struct envelope due, later;
    struct closing closing;
    char sender[USER_SIZE];
    send_one(t, 2, &later);
    contract_user(t, sender, "sender");
    int64_t now_us = contract_now_us(t->a), before_fen = contract_balance(t->a, sender, NULL);
    assert_int_equal(contract_send_begin(t, t->a, sender, 500, 2, now_us - HOUR_US, &due), ERR_OK);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    assert_true(is_due(t->b, &due.id));
    assert_false(is_due(t->b, &later.id));
    contract_close(t, &due.id);
    assert_false(is_due(t->b, &due.id));
    assert_int_equal(contract_balance(t->b, sender, NULL), before_fen);
    assert_true(in_closings(t->b, &due.id, &closing));
    assert_int_equal(closing.state, STATE_EXPIRED);
    struct envelope now = get(t->b, &due.id);
    assert_int_equal(now.refunded_fen, 500);
    assert_true(now.has_seed);
}

void store_contract_closed_envelope_is_not_changed(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct transfer refund;
    char sender[USER_SIZE];
    send_one(t, 2, &e);
    contract_close(t, &e.id);
    contract_user(t, sender, "sender");
    int64_t balance_fen = contract_balance(t->a, sender, NULL);
    assert_int_equal(contract_open_read(t->a, &set, &e.id, NULL, LOCK_WAIT_BRIEF), ERR_OK);
    assert_true(set.envelopes[0].has_seed);
    set.changed[0] = true; /* a bug of the caller: refused before money moves */
    refund = transfer_for_refund(t->rng, sender, &e.id, 1, set.now_us);
    assert_int_not_equal(t->a->ops->refund_write(t->a, &set, &refund, 1), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(contract_balance(t->a, sender, NULL), balance_fen);
}
