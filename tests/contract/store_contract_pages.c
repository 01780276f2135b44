/* The promises of lib/store/store.h about lists in pages, and about the clock. */
#include "tests/contract/store_contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SENT 5
#define FROM_US INT64_C(0)
#define TO_US (INT64_C(4102444800) * 1000000) /* 2100 */
#define HOUR_US INT64_C(3600000000)

/* Five envelopes of sender, each with a share opened by winner; three of them booked. */
static void arrange(struct store_contract *t, char sender[USER_SIZE], char winner[USER_SIZE])
{
    static struct envelope e;
    unsigned test = t->tests;
    contract_user(t, sender, "sender");
    contract_user(t, winner, "winner");
    contract_topup(t, sender, sender, 10000);
    for (int i = 0; i < SENT; i++) {
        contract_send(t, sender, 100 + i, 2, &e);
        contract_open(t->a, &e.id, winner, 0);
        if (i == 2)
            store_contract_begin(t);
    }
    t->tests = test;
}

static void check_sent(struct store *s, const char *user)
{
    static struct envelope page[2];
    struct page_after after = {.set = false};
    size_t n, seen = 0;
    do {
        assert_int_equal(s->ops->sent_page(s, user, FROM_US, TO_US, &after, 2, page, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(page[i].total_fen, 100 + SENT - 1 - (int64_t)seen++);
        if (n > 0)
            after = (struct page_after){.set = true, .id = page[n - 1].id};
    } while (n == 2);
    assert_int_equal(seen, SENT);
    assert_int_equal(
        s->ops->sent_page(s, user, TO_US, 2 * TO_US, &(struct page_after){0}, 2, page, &n), ERR_OK);
    assert_int_equal(n, 0);
}

static void check_received(struct store *s, const char *user, const char *sender)
{
    struct received_item page[2], last;
    struct page_after after = {.set = false};
    size_t n, seen = 0, credited = 0;
    do {
        assert_int_equal(s->ops->received_page(s, user, FROM_US, TO_US, &after, 2, page, &n),
                         ERR_OK);
        for (size_t i = 0; i < n; i++) {
            assert_true(seen == 0 || id_compare(&page[i].cursor.id, &last.cursor.id) < 0);
            assert_string_equal(page[i].sender, sender);
            credited += page[i].credited ? 1 : 0;
            assert_false(page[i].luckiest); /* not before the closing */
            last = page[i];
            seen++;
        }
        after = last.cursor;
    } while (n == 2);
    assert_int_equal(seen, SENT);
    assert_int_equal(credited, 3);
}

static void check_ledger(struct store *s, const char *user, size_t expected)
{
    struct transfer page[2], last = {.entry = 0};
    struct page_after after = {.set = false};
    size_t n, seen = 0;
    int64_t balance_fen = -1, sum_fen = 0;
    do {
        assert_int_equal(s->ops->ledger_page(s, user, &after, 2, page, &n, &balance_fen), ERR_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(page[i].entry, (int64_t)(expected - seen));
            assert_true(seen == 0 || page[i].booked_us <= last.booked_us);
            assert_int_equal(page[i].balance_fen >= 0, page[i].kind == TRANSFER_TOPUP);
            sum_fen += transfer_sign(page[i].kind) * page[i].amount_fen;
            last = page[i];
            seen++;
        }
        after = (struct page_after){.set = true, .seq = last.entry};
    } while (n == 2);
    assert_int_equal(seen, expected);
    assert_int_equal(balance_fen, sum_fen);
}

/* Follows the ledger of user as a reader does: from the front, until the last row it knows. */
struct follower {
    char user[USER_SIZE];
    int64_t known; /* the newest entry */
    size_t rows;
};

/* Polls once. Returns how many rows are new, and the newest of them in *newest. */
static size_t follow(struct store *s, struct follower *f, struct transfer *newest)
{
    struct page_after after = {.set = false};
    int64_t known = f->known;
    size_t before = f->rows;
    struct transfer row;
    size_t n;
    int64_t balance_fen;
    for (;;) {
        assert_int_equal(s->ops->ledger_page(s, f->user, &after, 1, &row, &n, &balance_fen),
                         ERR_OK);
        if (n == 0 || row.entry == known)
            return f->rows - before;
        if (f->rows++ == before)
            *newest = row;
        f->known = row.entry > f->known ? row.entry : f->known;
        after = (struct page_after){.set = true, .seq = row.entry};
    }
}

/* Sent: one of them is refunded. Opened: by the sender, an hour before anything else. */
void store_contract_ledger_only_grows_in_front(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e[2];
    struct follower f = {.known = 0};
    struct transfer newest;
    contract_user(t, f.user, "self");
    struct transfer topup = contract_topup(t, f.user, f.user, 10000);
    assert_int_equal(follow(t->b, &f, &newest), 1);
    assert_int_equal(newest.booked_us, topup.at_us);
    contract_send(t, f.user, 1000, 9, &e[0]);
    int64_t opened_us = topup.at_us - HOUR_US;
    contract_open(t->a, &e[0].id, f.user, opened_us);
    assert_int_equal(follow(t->b, &f, &newest), 1); /* the claim is not booked */
    contract_send(t, f.user, 1000, 9, &e[1]);
    assert_int_equal(follow(t->b, &f, &newest), 1);
    contract_close(t, &e[1].id);
    assert_int_equal(follow(t->b, &f, &newest), 1);
    assert_int_equal(newest.kind, TRANSFER_REFUND);
    int64_t refunded_us = newest.booked_us;
    store_contract_begin(t); /* books the claim */
    assert_int_equal(follow(t->b, &f, &newest), 1);
    assert_int_equal(newest.kind, TRANSFER_CLAIM);
    assert_int_equal(newest.at_us, opened_us);
    assert_true(newest.booked_us >= refunded_us);
    assert_int_equal(follow(t->b, &f, &newest), 0);
    assert_int_equal(f.rows, 5);
}

void store_contract_pages_cover_all_newest_first(void **state)
{
    struct store_contract *t = *state;
    char sender[USER_SIZE], winner[USER_SIZE];
    arrange(t, sender, winner);
    check_sent(t->b, sender);
    check_received(t->b, winner, sender);
    check_ledger(t->b, sender, SENT + 1);
    check_ledger(t->b, winner, 3);
}

void store_contract_claims_are_paged_by_position(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct claim page[3];
    char user[USER_SIZE];
    size_t n;
    contract_user(t, user, "sender");
    contract_topup(t, user, user, 10000);
    contract_send(t, user, 1000, 9, &e);
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        contract_user(t, user, name);
        contract_open(t->a, &e.id, user, 0);
    }
    assert_int_equal(t->b->ops->claims_page(t->b, &e.id, 0, 3, page, &n), ERR_OK);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(page[i].seq, (int64_t)i + 1);
    assert_int_equal(t->b->ops->claims_page(t->b, &e.id, 3, 3, page, &n), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(page[1].seq, 5);
}

void store_contract_host_beats_again(void **state)
{
    struct store_contract *t = *state;
    const uint8_t first[16] = {1}, second[16] = {2};
    assert_int_equal(t->a->ops->host_beat(t->a, "web1", first), ERR_OK);
    assert_int_equal(t->b->ops->host_beat(t->b, "web1", second), ERR_OK);
    int64_t before_us = contract_now_us(t->a), beat_us = 0;
    assert_int_equal(t->b->ops->host_beat(t->b, "web2's", second), ERR_OK);
    assert_int_equal(t->a->ops->last_beat(t->a, &beat_us), ERR_OK);
    assert_true(beat_us >= before_us && beat_us <= contract_now_us(t->a));
}

void store_contract_clock_row_is_kept(void **state)
{
    struct store_contract *t = *state;
    struct clock_row row, again;
    struct queue_state queues;
    assert_int_equal(t->a->ops->clock_read(t->a, &row), ERR_OK);
    assert_true(row.now_us >= contract_now_us(t->b) - HOUR_US);
    row.seen_us = row.now_us;
    row.held_us = 7;
    row.keys_after_us += 5;
    assert_int_equal(t->a->ops->clock_write(t->a, &row), ERR_OK);
    assert_int_equal(t->b->ops->clock_read(t->b, &again), ERR_OK);
    assert_true(again.now_us >= row.now_us);
    assert_int_equal(again.seen_us, row.seen_us);
    assert_int_equal(again.held_us, 7);
    assert_int_equal(again.keys_after_us, row.keys_after_us);
    assert_int_equal(t->b->ops->queue_state(t->b, &queues), ERR_OK);
    assert_int_equal(queues.clock_held_us, 7);
    again.seen_us--;
    again.held_us = again.keys_after_us = 0; /* only raised */
    assert_int_equal(t->b->ops->clock_write(t->b, &again), ERR_OK);
    assert_int_equal(t->a->ops->clock_read(t->a, &again), ERR_OK);
    assert_int_equal(again.seen_us, row.seen_us - 1);
    assert_int_equal(again.held_us, 0);
    assert_int_equal(again.keys_after_us, row.keys_after_us);
}

void store_contract_schema_is_that_of_the_programs(void **state)
{
    struct store_contract *t = *state;
    struct schema_state schema;
    assert_int_equal(t->a->ops->schema(t->a, &schema), ERR_OK);
    assert_int_equal(schema.version, SCHEMA_VERSION);
    assert_true(schema_fits(&schema));
}

/* The database may hold money of other tests. */
void store_contract_money_state_follows_the_money(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    struct money_state before, after;
    char user[USER_SIZE];
    bool changed;
    contract_user(t, user, "sender");
    assert_int_equal(t->b->ops->money_state(t->b, &before), ERR_OK);
    contract_topup(t, user, user, 10000);
    contract_send(t, user, 1000, 9, &e);
    struct claim c = contract_open(t->a, &e.id, user, 0);
    assert_int_equal(t->a->ops->freeze(t->a, &e.id, BOOKS_ENVELOPE_SUMS, &changed), ERR_OK);
    assert_int_equal(t->b->ops->money_state(t->b, &after), ERR_OK);
    assert_int_equal(after.balances_fen - before.balances_fen, 9000);
    assert_int_equal(after.open_envelopes - before.open_envelopes, 1);
    assert_int_equal(after.open_fen - before.open_fen, 1000 - c.amount_fen);
    assert_int_equal(after.frozen_envelopes - before.frozen_envelopes, 1);
    assert_int_equal(t->a->ops->freeze(t->a, &e.id, BOOKS_AGREE, &changed), ERR_OK);
}

void store_contract_ends_of_envelopes_are_read(void **state)
{
    struct store_contract *t = *state;
    static struct envelope open, closed;
    struct envelope_end ends[3];
    char user[USER_SIZE];
    contract_user(t, user, "sender");
    contract_topup(t, user, user, 10000);
    contract_send(t, user, 1000, 9, &open);
    contract_send(t, user, 1000, 9, &closed);
    contract_close(t, &closed.id);
    struct id ids[3] = {closed.id, open.id, open.id};
    ids[1].b[0] ^= 0xFF; /* unknown */
    assert_int_equal(t->a->ops->envelope_ends(t->a, ids, 3, ends), ERR_OK);
    assert_true(ends[0].exists);
    assert_int_equal(ends[0].state, STATE_EXPIRED);
    assert_int_equal(ends[0].to_kind, TO_ANYONE);
    assert_false(ends[1].exists);
    assert_true(ends[2].exists);
    assert_int_equal(ends[2].state, STATE_OPEN);
}

/* Rules are written by hongbaoctl, past the store. */
void store_contract_users_have_no_rules_at_first(void **state)
{
    struct store_contract *t = *state;
    struct user_rule rules[2];
    size_t n = 7;
    assert_int_equal(t->a->ops->user_rules(t->a, "", 2, rules, &n), ERR_OK);
    assert_int_equal(n, 0);
}
