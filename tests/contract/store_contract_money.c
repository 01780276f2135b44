/* The promises of lib/store/store.h about accounts, sends and idempotency keys. */
#include "tests/contract/store_contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_US INT64_C(3600000000)

void store_contract_topup_is_found_by_reference_and_key(void **state)
{
    struct store_contract *t = *state;
    struct wallet_row r = {.kind = TRANSFER_TOPUP, .key_hash = {1}, .body_hash = {2}};
    contract_user(t, r.user, "wallet");
    snprintf(r.reference, sizeof r.reference, "ref-%u", t->tests);
    t->rng->fill(t->rng->self, r.key_hash, sizeof r.key_hash);
    assert_int_equal(t->a->ops->wallet_read(t->a, &r), ERR_OK);
    assert_false(r.account.exists || r.key_known || r.reference_known);
    r.transfer = (struct transfer){.id = id_make(t->rng, r.now_us, 0),
                                   .kind = TRANSFER_TOPUP,
                                   .ref_len = strlen(r.reference),
                                   .amount_fen = 500,
                                   .at_us = r.now_us,
                                   .balance_fen = 500};
    memcpy(r.transfer.user, r.user, sizeof r.transfer.user);
    memcpy(r.transfer.ref, r.reference, r.transfer.ref_len);
    assert_int_equal(t->a->ops->wallet_write(t->a, &r), ERR_OK);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    struct transfer first = r.transfer;
    assert_int_equal(t->b->ops->wallet_read(t->b, &r), ERR_OK);
    t->b->ops->rollback(t->b);
    assert_true(r.account.exists && r.key_known && r.reference_known);
    assert_int_equal(r.account.balance_fen, 500);
    assert_int_equal(r.key_body_hash[0], 2);
    assert_memory_equal(&r.known.id, &first.id, sizeof first.id);
    assert_int_equal(r.known.balance_fen, 500);
    r.kind = TRANSFER_WITHDRAW; /* another kind is another reference */
    assert_int_equal(t->b->ops->wallet_read(t->b, &r), ERR_OK);
    t->b->ops->rollback(t->b);
    assert_false(r.reference_known);
}

/* Prepares one more transfer of user with that reference and balance after it. */
static void prepare_wallet(struct store_contract *t, struct wallet_row *r, const char *user,
                           const char *reference, int64_t balance_fen)
{
    memset(r, 0, sizeof *r);
    r->kind = TRANSFER_TOPUP;
    snprintf(r->user, sizeof r->user, "%s", user);
    snprintf(r->reference, sizeof r->reference, "%s", reference);
    assert_int_equal(t->a->ops->wallet_read(t->a, r), ERR_OK);
    r->transfer = (struct transfer){.id = id_make(t->rng, r->now_us, 0),
                                    .kind = TRANSFER_TOPUP,
                                    .ref_len = strlen(reference),
                                    .amount_fen = 1,
                                    .at_us = r->now_us,
                                    .balance_fen = balance_fen};
    memcpy(r->transfer.user, r->user, sizeof r->transfer.user);
    memcpy(r->transfer.ref, reference, strlen(reference));
}

void store_contract_reference_is_unique(void **state)
{
    struct store_contract *t = *state;
    struct wallet_row r;
    char user[USER_SIZE];
    contract_user(t, user, "wallet");
    contract_topup(t, user, user, 500);
    prepare_wallet(t, &r, user, user, 501);
    assert_int_equal(t->a->ops->wallet_write(t->a, &r), ERR_DUPLICATE);
    t->a->ops->rollback(t->a);
    assert_int_equal(contract_balance(t->a, user, NULL), 500);
}

/* Books 1 fen more for user under reference of backend, "": as version 0.1 did. */
static enum err book_for(struct store_contract *t, const char *user, const char *backend,
                         const char *reference)
{
    struct wallet_row r;
    prepare_wallet(t, &r, user, reference, contract_balance(t->b, user, NULL) + 1);
    snprintf(r.transfer.backend, sizeof r.transfer.backend, "%s", backend);
    enum err err = t->a->ops->wallet_write(t->a, &r);
    if (err == ERR_OK)
        err = t->a->ops->commit(t->a);
    if (err != ERR_OK)
        t->a->ops->rollback(t->a);
    return err;
}

/* Returns whether a request of backend would find reference used, and by whom in *found. */
static bool knows(struct store_contract *t, const char *user, const char *backend,
                  const char *reference, struct transfer *found)
{
    struct wallet_row r = {.kind = TRANSFER_TOPUP};
    snprintf(r.user, sizeof r.user, "%s", user);
    snprintf(r.backend, sizeof r.backend, "%s", backend);
    snprintf(r.reference, sizeof r.reference, "%s", reference);
    assert_int_equal(t->b->ops->wallet_read(t->b, &r), ERR_OK);
    t->b->ops->rollback(t->b);
    *found = r.known;
    return r.reference_known;
}

void store_contract_reference_belongs_to_a_back_end(void **state)
{
    struct store_contract *t = *state;
    struct transfer found;
    char user[USER_SIZE], old[REFERENCE_SIZE], order[REFERENCE_SIZE];
    contract_user(t, user, "wallet");
    snprintf(old, sizeof old, "old-%u", t->tests);
    snprintf(order, sizeof order, "order-%u", t->tests);
    contract_topup(t, user, user, 500);
    assert_int_equal(book_for(t, user, "shop a", order), ERR_OK);
    assert_false(knows(t, user, "b", order, &found));
    assert_int_equal(book_for(t, user, "b", order), ERR_OK);
    assert_int_equal(book_for(t, user, "b", order), ERR_DUPLICATE);
    assert_true(knows(t, user, "shop a", order, &found));
    assert_string_equal(found.backend, "shop a");
    assert_true(knows(t, user, "b", order, &found));
    assert_string_equal(found.backend, "b");
    assert_int_equal(book_for(t, user, "", old), ERR_OK);
    assert_true(knows(t, user, "b", old, &found));
    assert_string_equal(found.backend, "");
    assert_int_equal(contract_balance(t->b, user, NULL), 503);
}

void store_contract_negative_balance_is_refused(void **state)
{
    struct store_contract *t = *state;
    struct envelope e;
    char user[USER_SIZE];
    contract_user(t, user, "poor");
    contract_topup(t, user, user, 500);
    assert_int_equal(contract_send_begin(t, t->a, user, 501, 2, INT64_MAX / 2, &e), ERR_RANGE);
    t->a->ops->rollback(t->a);
    assert_int_equal(contract_balance(t->a, user, NULL), 500);
    bool found;
    int64_t now_us;
    struct id id = e.id;
    assert_int_equal(t->a->ops->envelope_get(t->a, &id, &e, &found, &now_us), ERR_OK);
    assert_false(found);
}

void store_contract_guest_is_created_once(void **state)
{
    struct store_contract *t = *state;
    struct transfer topup = {.kind = TRANSFER_TOPUP, .amount_fen = 100, .balance_fen = 100};
    contract_user(t, topup.user, "guest:g");
    topup.ref_len = strlen(topup.user);
    memcpy(topup.ref, topup.user, topup.ref_len);
    topup.at_us = contract_now_us(t->a);
    topup.id = id_make(t->rng, topup.at_us, 0);
    assert_int_equal(t->a->ops->guest_write(t->a, topup.user, "Guest", &topup), ERR_OK);
    assert_int_equal(contract_balance(t->b, topup.user, NULL), -1); /* not yet */
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    assert_int_equal(contract_balance(t->b, topup.user, NULL), 100);
    topup.id = id_make(t->rng, topup.at_us, 0);
    assert_int_equal(t->a->ops->guest_write(t->a, topup.user, "Guest", &topup), ERR_DUPLICATE);
    t->a->ops->rollback(t->a);
}

/* Return true if guest is idle since before_us. */
static bool is_idle(struct store *s, const char *guest, int64_t before_us)
{
    static struct account rows[1000];
    size_t n = 0;
    assert_int_equal(s->ops->guests_idle(s, before_us, "", 1000, rows, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || strcmp(rows[i - 1].user, rows[i].user) < 0);
        if (strcmp(rows[i].user, guest) == 0)
            return true;
    }
    return false;
}

void store_contract_idle_guests_are_listed_and_ended(void **state)
{
    struct store_contract *t = *state;
    struct transfer topup = {.kind = TRANSFER_TOPUP, .amount_fen = 100, .balance_fen = 100};
    int64_t before = 0, after = 0, limited = 0, future_us = contract_now_us(t->a) + 1000000000;
    contract_user(t, topup.user, "guest:idle");
    topup.ref_len = strlen(topup.user);
    memcpy(topup.ref, topup.user, topup.ref_len);
    topup.at_us = contract_now_us(t->a);
    topup.id = id_make(t->rng, topup.at_us, 0);
    assert_int_equal(t->a->ops->guests_count(t->a, 1000, &before), ERR_OK);
    assert_int_equal(t->a->ops->guest_write(t->a, topup.user, "Guest", &topup), ERR_OK);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    assert_int_equal(t->a->ops->guests_count(t->a, 1000, &after), ERR_OK);
    assert_int_equal(after, before + 1);
    assert_int_equal(t->a->ops->guests_count(t->a, 1, &limited), ERR_OK);
    assert_int_equal(limited, 1);
    assert_false(is_idle(t->b, topup.user, topup.at_us));
    assert_true(is_idle(t->b, topup.user, future_us));
    assert_int_equal(t->a->ops->guest_end(t->a, topup.user), ERR_OK);
    assert_true(is_idle(t->b, topup.user, future_us)); /* it has money */
    struct envelope e;
    contract_send(t, topup.user, 100, 2, &e);
    assert_false(is_idle(t->b, topup.user, future_us)); /* an open envelope */
    contract_close(t, &e.id);
    assert_true(is_idle(t->b, topup.user, future_us));
}

void store_contract_open_envelopes_are_counted(void **state)
{
    struct store_contract *t = *state;
    static struct send_set set;
    static struct envelope sent, read;
    memset(&set, 0, sizeof set);
    set.n_rows = 1;
    set.n_accounts = 2;
    contract_user(t, set.accounts[0].user, "counted");
    contract_user(t, set.accounts[1].user, "quiet");
    memcpy(set.rows[0].user, set.accounts[0].user, sizeof set.rows[0].user);
    set.rows[0].envelope = &read;
    contract_topup(t, set.rows[0].user, set.rows[0].user, 1000);
    for (int i = 0; i < 3; i++)
        contract_send(t, set.rows[0].user, 100, 1, &sent);
    contract_close(t, &sent.id);
    set.count_open[0] = true;
    set.open_limit = 5;
    assert_int_equal(t->a->ops->send_read(t->a, &set), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(set.open_count[0], 2);
    set.count_open[1] = true;
    set.open_limit = 1;
    assert_int_equal(t->a->ops->send_read(t->a, &set), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_int_equal(set.open_count[0], 1);
    assert_int_equal(set.open_count[1], 0);
}

void store_contract_send_is_stored_and_found_by_its_key(void **state)
{
    struct store_contract *t = *state;
    static struct send_set set;
    static struct envelope sent, read;
    memset(&set, 0, sizeof set);
    set.n_rows = set.n_accounts = 1;
    contract_user(t, set.rows[0].user, "sender");
    memcpy(set.accounts[0].user, set.rows[0].user, sizeof set.accounts[0].user);
    contract_topup(t, set.rows[0].user, set.rows[0].user, 1000);
    contract_send(t, set.rows[0].user, 300, 3, &sent);
    assert_int_equal(contract_balance(t->b, set.rows[0].user, NULL), 700);
    bool found;
    int64_t now_us, version;
    assert_int_equal(t->b->ops->envelope_get(t->b, &sent.id, &read, &found, &now_us), ERR_OK);
    assert_true(found && !read.has_seed && now_us >= sent.created_us);
    assert_string_equal(read.greeting, sent.greeting);
    assert_int_equal(t->b->ops->version_get(t->b, &sent.id, &version), ERR_OK);
    assert_int_equal(version, 1);
    sent.has_seed = false;
    memset(sent.seed, 0, sizeof sent.seed);
    assert_memory_equal(&read, &sent, sizeof sent);
    /* an unknown key is none; then the one it was sent with */
    set.rows[0].envelope = &read;
    assert_int_equal(t->b->ops->send_read(t->b, &set), ERR_OK);
    t->b->ops->rollback(t->b);
    assert_false(set.rows[0].replay);
    assert_true(set.accounts[0].exists);
    assert_int_equal(set.accounts[0].balance_fen, 700);
}

void store_contract_key_is_in_progress_until_the_commit(void **state)
{
    struct store_contract *t = *state;
    static struct send_set set;
    static struct envelope e, replay;
    uint8_t key_hash[32];
    bool busy;
    memset(&set, 0, sizeof set);
    memset(&e, 0, sizeof e);
    struct send_row *r = &set.rows[0];
    set.n_rows = set.n_accounts = 1;
    contract_user(t, r->user, "sender");
    contract_topup(t, r->user, r->user, 1000);
    memcpy(set.accounts[0].user, r->user, sizeof set.accounts[0].user);
    t->rng->fill(t->rng->self, key_hash, sizeof key_hash);
    memcpy(r->key_hash, key_hash, sizeof key_hash);
    r->body_hash[0] = 7;
    r->envelope = &e;
    assert_int_equal(t->a->ops->send_read(t->a, &set), ERR_OK);
    e.id = id_make(t->rng, set.now_us, 0);
    memcpy(e.sender, r->user, sizeof e.sender);
    e.mode = MODE_EQUAL;
    e.total_fen = e.shares = e.version = 1;
    e.cap_fen = 20000;
    e.created_us = set.now_us;
    e.expires_us = set.now_us + HOUR_US;
    r->transfer = transfer_for_send(t->rng, r->user, &e.id, 1, set.now_us);
    r->insert = set.changed[0] = true;
    set.accounts[0].balance_fen--;
    assert_int_equal(t->a->ops->send_write(t->a, &set), ERR_OK);
    assert_int_equal(t->b->ops->key_in_progress(t->b, key_hash, &busy), ERR_OK);
    assert_true(busy);
    t->b->ops->rollback(t->b);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    assert_int_equal(t->b->ops->key_in_progress(t->b, key_hash, &busy), ERR_OK);
    assert_false(busy);
    r->envelope = &replay;
    r->insert = set.changed[0] = false;
    assert_int_equal(t->b->ops->send_read(t->b, &set), ERR_OK);
    t->b->ops->rollback(t->b);
    assert_true(r->replay);
    assert_int_equal(r->replay_body_hash[0], 7);
    assert_memory_equal(&replay.id, &e.id, sizeof e.id);
}

void store_contract_keys_expire_by_age(void **state)
{
    struct store_contract *t = *state;
    struct wallet_row r;
    char user[USER_SIZE];
    size_t n;
    contract_user(t, user, "wallet");
    int64_t now_us = contract_now_us(t->a);
    prepare_wallet(t, &r, user, user, 1);
    t->rng->fill(t->rng->self, r.key_hash, sizeof r.key_hash);
    r.now_us = now_us - 100 * 24 * HOUR_US;
    assert_int_equal(t->a->ops->wallet_write(t->a, &r), ERR_OK);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    assert_int_equal(t->a->ops->idempotency_expire(t->a, r.now_us, 10, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(t->a->ops->idempotency_expire(t->a, r.now_us + 1, 0, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(t->a->ops->idempotency_expire(t->a, r.now_us + 1, 10, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(t->a->ops->wallet_read(t->a, &r), ERR_OK);
    t->a->ops->rollback(t->a);
    assert_false(r.key_known);
    assert_true(r.reference_known); /* for ever */
}

void store_contract_account_lock_is_not_waited_for(void **state)
{
    struct store_contract *t = *state;
    static struct envelope e;
    char user[USER_SIZE];
    contract_user(t, user, "sender");
    contract_topup(t, user, user, 1000);
    int64_t expires_us = contract_now_us(t->a) + HOUR_US;
    assert_int_equal(contract_send_begin(t, t->a, user, 10, 2, expires_us, &e), ERR_OK);
    assert_int_equal(contract_send_begin(t, t->b, user, 10, 2, expires_us, &e), ERR_LOCKED);
    t->b->ops->rollback(t->b);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    assert_int_equal(contract_send_begin(t, t->b, user, 10, 2, expires_us, &e), ERR_OK);
    assert_int_equal(t->b->ops->commit(t->b), ERR_OK);
    assert_int_equal(contract_balance(t->a, user, NULL), 980);
}

void store_contract_deadline_ends_a_session(void **state)
{
    struct store_contract *t = *state;
    uint8_t generation[16];
    t->a->ops->set_deadline(t->a, t->mono_us);
    assert_int_equal(t->a->ops->generation(t->a, generation), ERR_UNAVAILABLE);
    t->a->ops->rollback(t->a);
    t->a->ops->set_deadline(t->a, 0);
    assert_int_equal(t->a->ops->generation(t->a, generation), ERR_OK);
}

void store_contract_barrier_and_generation(void **state)
{
    struct store_contract *t = *state;
    uint8_t first[16], second[16], none[16] = {0};
    assert_int_equal(t->a->ops->barrier(t->a), ERR_OK);
    assert_int_equal(t->b->ops->barrier(t->b), ERR_OK);
    assert_int_equal(t->a->ops->generation(t->a, first), ERR_OK);
    assert_int_equal(t->b->ops->generation(t->b, second), ERR_OK);
    assert_memory_equal(first, second, sizeof first);
    assert_memory_not_equal(first, none, sizeof first);
}
