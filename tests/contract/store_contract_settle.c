/* The promises of lib/store/store.h about credits, reconciliation and year totals. */
#include "lib/base/clock.h"
#include "tests/contract/store_contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_US INT64_C(3600000000)
#define DAY_US (24 * HOUR_US)
#define OPENED_US INT64_C(1750000000000000) /* 2025-06-15 */

static struct credit_set set, other;

static void send_one(struct store_contract *t, int64_t shares, struct envelope *e)
{
    char user[USER_SIZE];
    contract_user(t, user, "sender");
    if (contract_balance(t->a, user, NULL) < 0)
        contract_topup(t, user, user, 100000);
    contract_send(t, user, 1000, shares, e);
}

/* Lets user open n envelopes, the i-th at OPENED_US + i; returns the claims. */
static void win(struct store_contract *t, const char *user, size_t n, struct claim *claims)
{
    static struct envelope e;
    for (size_t i = 0; i < n; i++) {
        send_one(t, 2, &e);
        claims[i] = contract_open(t->a, &e.id, user, OPENED_US + (int64_t)i);
    }
}

static enum err read_lanes(struct store *s, struct credit_set *out, uint32_t lanes, size_t largest,
                           size_t oldest, int64_t old_after_us)
{
    *out = (struct credit_set){.lanes = lanes,
                               .limit_largest = largest,
                               .limit_oldest = oldest,
                               .old_after_us = old_after_us};
    return s->ops->credit_read(s, out);
}

void store_contract_credit_is_booked_once(void **state)
{
    struct store_contract *t = *state;
    struct claim claims[3];
    char user[USER_SIZE];
    int64_t pending_fen, sum_fen = 0;
    contract_user(t, user, "winner");
    win(t, user, 3, claims);
    for (size_t i = 0; i < 3; i++)
        sum_fen += claims[i].amount_fen;
    assert_int_equal(read_lanes(t->a, &set, contract_lanes(t->a), 100, 100, DAY_US), ERR_OK);
    assert_true(set.taken);
    assert_int_equal(set.n, 3);
    for (size_t i = 1; i < 3; i++)
        assert_true(id_compare(&set.rows[i - 1].envelope, &set.rows[i].envelope) < 0);
    assert_int_equal(contract_book(t->a, &set), ERR_OK);
    assert_int_equal(contract_balance(t->b, user, &pending_fen), sum_fen);
    assert_int_equal(pending_fen, 0);
    assert_int_equal(contract_lanes(t->b), 0);
    /* the transfer's key refuses what a lost answer makes the caller repeat */
    assert_int_equal(read_lanes(t->a, &other, set.lanes, 100, 100, DAY_US), ERR_OK);
    assert_int_equal(other.n, 0);
    assert_int_equal(contract_book(t->a, &set), ERR_DUPLICATE);
    t->a->ops->rollback(t->a);
    assert_int_equal(contract_balance(t->b, user, NULL), sum_fen);
}

void store_contract_credit_lane_has_one_owner(void **state)
{
    struct store_contract *t = *state;
    struct claim claim;
    char user[USER_SIZE];
    contract_user(t, user, "winner");
    win(t, user, 1, &claim);
    uint32_t lane = contract_lanes(t->a);
    assert_true(lane != 0 && lanes_single(lane));
    assert_int_equal(read_lanes(t->a, &set, lane, 100, 100, DAY_US), ERR_OK);
    assert_true(set.taken);
    assert_int_equal(read_lanes(t->b, &other, lane, 100, 100, DAY_US), ERR_OK);
    assert_false(other.taken);
    t->b->ops->rollback(t->b);
    uint32_t next = lane == 1 ? 2 : 1; /* another lane is free */
    assert_int_equal(read_lanes(t->b, &other, next, 100, 100, DAY_US), ERR_OK);
    assert_true(other.taken);
    t->b->ops->rollback(t->b);
    t->a->ops->rollback(t->a);
    assert_int_equal(read_lanes(t->b, &other, lane, 100, 100, DAY_US), ERR_OK);
    assert_true(other.taken);
    t->b->ops->rollback(t->b);
}

static bool has(const struct credit_set *s, const struct claim *c)
{
    for (size_t i = 0; i < s->n; i++)
        if (id_compare(&s->rows[i].envelope, &c->envelope) == 0)
            return true;
    return false;
}

static int by_amount(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return x->amount_fen > y->amount_fen ? -1 : x->amount_fen < y->amount_fen ? 1 : 0;
}

void store_contract_credit_takes_the_largest_and_the_oldest(void **state)
{
    struct store_contract *t = *state;
    struct claim claims[12], oldest[2];
    char user[USER_SIZE];
    contract_user(t, user, "winner");
    win(t, user, 12, claims);
    memcpy(oldest, claims, sizeof oldest);
    qsort(claims, 12, sizeof claims[0], by_amount);
    assert_int_equal(read_lanes(t->a, &set, contract_lanes(t->a), 4, 2, INT64_MAX / 2), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_true(set.taken && set.n >= 4 && set.n <= 6);
    assert_true(has(&set, &oldest[0]) && has(&set, &oldest[1]));
    size_t larger = 0; /* more than one may have the fourth amount */
    for (size_t i = 0; i < 12; i++)
        larger += claims[i].amount_fen > claims[3].amount_fen && has(&set, &claims[i]) ? 1 : 0;
    for (size_t i = 0; i < 12 && claims[i].amount_fen > claims[3].amount_fen; i++)
        assert_true(has(&set, &claims[i]));
    assert_true(larger <= 3);
    for (size_t i = 0; i < set.n; i++) {
        bool old = id_compare(&set.rows[i].envelope, &oldest[0].envelope) == 0 ||
                   id_compare(&set.rows[i].envelope, &oldest[1].envelope) == 0;
        assert_true(old || set.rows[i].amount_fen >= claims[3].amount_fen);
    }
}

void store_contract_credit_takes_the_oldest_once_one_is_old(void **state)
{
    struct store_contract *t = *state;
    struct claim claims[12];
    char user[USER_SIZE];
    contract_user(t, user, "winner");
    win(t, user, 12, claims);
    assert_int_equal(read_lanes(t->a, &set, contract_lanes(t->a), 4, 2, DAY_US), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(set.n, 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(has(&set, &claims[i]));
}

void store_contract_credit_of_several_full_lanes_is_not_taken(void **state)
{
    struct store_contract *t = *state;
    struct claim claims[2];
    char user[USER_SIZE];
    for (int i = 0; lanes_single(contract_lanes(t->a)); i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        contract_user(t, user, name);
        win(t, user, 2, claims);
    }
    uint32_t lanes = contract_lanes(t->a);
    assert_int_equal(read_lanes(t->a, &set, lanes, 1, 1, DAY_US), ERR_OK);
    assert_false(set.taken);
    t->a->ops->rollback(t->a);
    assert_int_equal(read_lanes(t->a, &set, lanes, 100, 100, DAY_US), ERR_OK);
    assert_true(set.taken && set.n >= 4);
    assert_int_equal(contract_book(t->a, &set), ERR_OK);
    assert_int_equal(contract_lanes(t->a), 0);
}

void store_contract_postponed_credit_waits(void **state)
{
    struct store_contract *t = *state;
    struct claim claim;
    char user[USER_SIZE];
    contract_user(t, user, "winner");
    win(t, user, 1, &claim);
    uint32_t lane = contract_lanes(t->a);
    assert_int_equal(read_lanes(t->a, &set, lane, 100, 100, DAY_US), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(set.rows[0].attempts, 0);
    assert_int_equal(
        t->a->ops->credit_postpone(t->a, &set.rows[0], contract_now_us(t->a) + HOUR_US), ERR_OK);
    assert_int_equal(contract_lanes(t->b), 0);
    assert_int_equal(read_lanes(t->a, &set, lane, 100, 100, DAY_US), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(set.n, 0);
    struct credit c = {.envelope = claim.envelope};
    memcpy(c.user, user, sizeof c.user);
    assert_int_equal(t->a->ops->credit_postpone(t->a, &c, contract_now_us(t->a) - 1), ERR_OK);
    assert_int_equal(contract_lanes(t->b), lane);
    assert_int_equal(read_lanes(t->a, &set, lane, 100, 100, DAY_US), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.rows[0].attempts, 2);
}

void store_contract_lost_credit_is_queued_again(void **state)
{
    struct store_contract *t = *state;
    struct claim claim;
    char user[USER_SIZE];
    contract_user(t, user, "winner");
    win(t, user, 1, &claim);
    assert_int_equal(t->a->ops->credit_requeue(t->a, &claim), ERR_DUPLICATE);
    t->a->ops->rollback(t->a);
    store_contract_begin(t); /* books it */
    assert_int_equal(contract_lanes(t->a), 0);
    assert_int_equal(t->a->ops->credit_requeue(t->a, &claim), ERR_OK);
    assert_int_equal(read_lanes(t->a, &set, contract_lanes(t->b), 9, 9, DAY_US), ERR_OK);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.rows[0].amount_fen, claim.amount_fen);
    assert_int_equal(contract_book(t->a, &set), ERR_DUPLICATE); /* it was booked before */
    t->a->ops->rollback(t->a);
    t->broken = true;
    struct credit c = set.rows[0]; /* out of the way of the next test */
    assert_int_equal(t->a->ops->credit_postpone(t->a, &c, INT64_MAX / 2), ERR_OK);
}

static bool books_of(struct store *s, const struct id *id, struct books *out)
{
    struct id after = *id;
    size_t n;
    for (int i = ID_SIZE - 1; i >= 0 && after.b[i]-- == 0; i--)
        ;
    assert_int_equal(s->ops->books_read(s, &after, out, 1, 1, &n), ERR_OK);
    return n == 1 && id_compare(&out->envelope.id, id) == 0;
}

static bool is_frozen(struct store *s, const struct id *id, int64_t rule)
{
    static struct frozen frozen[1000];
    size_t n;
    assert_int_equal(s->ops->frozen_list(s, frozen, 1000, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        if (id_compare(&frozen[i].envelope, id) == 0)
            return frozen[i].rule == rule;
    return false;
}

void store_contract_frozen_envelope_rests(void **state)
{
    struct store_contract *t = *state;
    static struct books books;
    static struct envelope e;
    bool changed, found;
    int64_t now_us;
    char user[USER_SIZE];
    contract_user(t, user, "winner");
    send_one(t, 3, &e);
    contract_open(t->a, &e.id, user, OPENED_US);
    assert_true(books_of(t->b, &e.id, &books));
    assert_int_equal(t->a->ops->freeze(t->a, &e.id, BOOKS_LUCKIEST, &changed), ERR_OK);
    assert_true(changed);
    assert_int_equal(t->a->ops->freeze(t->a, &e.id, BOOKS_SEED_HASH, &changed), ERR_OK);
    assert_false(changed);
    assert_true(is_frozen(t->b, &e.id, BOOKS_LUCKIEST));
    assert_false(books_of(t->b, &e.id, &books));
    assert_int_equal(contract_lanes(t->b), 0); /* its credit rests */
    assert_int_equal(t->b->ops->envelope_get(t->b, &e.id, &e, &found, &now_us), ERR_OK);
    assert_true(e.frozen);
    assert_int_equal(e.version, 3); /* send, open, freeze */
    assert_int_equal(t->a->ops->freeze(t->a, &e.id, 0, &changed), ERR_OK);
    assert_true(changed);
    assert_true(books_of(t->b, &e.id, &books));
    assert_int_not_equal(contract_lanes(t->b), 0);
    struct id none = id_make(t->rng, 0, 0);
    assert_int_equal(t->a->ops->freeze(t->a, &none, BOOKS_LUCKIEST, &changed), ERR_OK);
    assert_false(changed);
}

void store_contract_books_agree_and_are_cut(void **state)
{
    struct store_contract *t = *state;
    static struct books books[4];
    static struct envelope e[3];
    char user[USER_SIZE];
    size_t n;
    contract_user(t, user, "first");
    for (int i = 0; i < 3; i++) {
        send_one(t, 2, &e[i]);
        contract_open(t->a, &e[i].id, user, OPENED_US);
    }
    store_contract_begin(t); /* books what is pending */
    contract_user(t, user, "second");
    contract_open(t->a, &e[1].id, user, OPENED_US + 1);
    contract_close(t, &e[2].id);
    struct id after = e[0].id;
    for (int i = ID_SIZE - 1; i >= 0 && after.b[i]-- == 0; i--)
        ;
    assert_int_equal(t->b->ops->books_read(t->b, &after, books, 4, 100, &n), ERR_OK);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(&books[i].envelope.id, &e[i].id, sizeof e[i].id);
        assert_int_equal(books_check(&books[i]), BOOKS_AGREE);
        assert_int_equal(books[i].n_lost, 0);
        assert_int_equal(books[i].claims, i == 1 ? 2 : 1);
        assert_int_equal(books[i].claims_credited, 1);
    }
    assert_int_equal(t->b->ops->books_read(t->b, &after, books, 4, 2, &n), ERR_OK);
    assert_int_equal(n, 1); /* 1 and 2 claims are more than 2 */
    assert_int_equal(t->b->ops->books_read(t->b, &after, books, 4, 0, &n), ERR_OK);
    assert_int_equal(n, 1); /* one at least */
    assert_int_equal(t->b->ops->books_read(t->b, &e[2].id, books, 4, 100, &n), ERR_OK);
    assert_int_equal(n, 0);
}

void store_contract_tally_moves_totals_to_the_year(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct year_totals before, after;
    char user[USER_SIZE], sender[USER_SIZE];
    contract_user(t, user, "winner");
    contract_user(t, sender, "sender");
    send_one(t, 2, &e);
    int64_t opened_us = e.created_us;
    int year = clock_year_of(opened_us, 480);
    int64_t from_us = clock_year_start_us(year, 480), to_us = clock_year_start_us(year + 1, 480);
    struct claim c = contract_open(t->a, &e.id, user, opened_us);
    contract_close(t, &e.id);
    struct closing closing = {.id = e.id, .state = STATE_EXPIRED};
    size_t done;
    assert_int_equal(t->b->ops->year_totals_get(t->b, sender, year, from_us, to_us, &before),
                     ERR_OK);
    assert_int_equal(before.sent_count, 1);
    assert_int_equal(before.sent_fen, 1000);
    assert_int_equal(before.refunded_fen, 1000 - c.amount_fen);
    assert_int_equal(t->a->ops->year_totals_add(t->a, 480, &closing, 1, &done), ERR_OK);
    assert_int_equal(done, 1);
    assert_int_equal(t->a->ops->year_totals_add(t->a, 480, &closing, 1, &done), ERR_OK);
    assert_int_equal(done, 0);
    assert_int_equal(t->b->ops->year_totals_get(t->b, sender, year, from_us, to_us, &after),
                     ERR_OK);
    assert_memory_equal(&after, &before, sizeof after);
    for (int booked = 0; booked < 2; booked++) {
        assert_int_equal(t->b->ops->year_totals_get(t->b, user, year, from_us, to_us, &after),
                         ERR_OK);
        assert_int_equal(after.received_count, 1);
        assert_int_equal(after.received_fen, c.amount_fen);
        assert_int_equal(after.luckiest_count, 1);
        store_contract_begin(t); /* books the credit */
    }
}
