/* Steps that the tests of the store's contract are made of. */
#include "tests/contract/store_contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_US INT64_C(3600000000)

void contract_user(const struct store_contract *t, char out[USER_SIZE], const char *name)
{
    snprintf(out, USER_SIZE, "%s-%u", name, t->tests);
}

int64_t contract_now_us(struct store *s)
{
    struct queue_state q;
    assert_int_equal(s->ops->queue_state(s, &q), ERR_OK);
    return q.now_us;
}

struct transfer contract_topup(struct store_contract *t, const char *user, const char *reference,
                               int64_t amount_fen)
{
    struct wallet_row r = {.kind = TRANSFER_TOPUP};
    snprintf(r.user, sizeof r.user, "%s", user);
    snprintf(r.reference, sizeof r.reference, "%s", reference);
    assert_int_equal(t->a->ops->wallet_read(t->a, &r), ERR_OK);
    r.transfer = (struct transfer){.id = id_make(t->rng, r.now_us, 0),
                                   .kind = TRANSFER_TOPUP,
                                   .ref_len = strlen(reference),
                                   .amount_fen = amount_fen,
                                   .at_us = r.now_us,
                                   .balance_fen =
                                       (r.account.exists ? r.account.balance_fen : 0) + amount_fen};
    snprintf(r.transfer.user, sizeof r.transfer.user, "%s", user);
    memcpy(r.transfer.ref, reference, strlen(reference));
    assert_int_equal(t->a->ops->wallet_write(t->a, &r), ERR_OK);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    return r.transfer;
}

int64_t contract_balance(struct store *s, const char *user, int64_t *pending_fen)
{
    struct account a;
    int64_t pending;
    assert_int_equal(s->ops->account_get(s, user, &a, &pending), ERR_OK);
    if (pending_fen != NULL)
        *pending_fen = pending;
    return a.exists ? a.balance_fen : -1;
}

static void new_envelope(const struct store_contract *t, const char *user, int64_t total_fen,
                         int64_t shares, int64_t now_us, int64_t expires_us, struct envelope *e)
{
    memset(e, 0, sizeof *e);
    e->id = id_make(t->rng, now_us, 0);
    snprintf(e->sender, sizeof e->sender, "%s", user);
    snprintf(e->sender_name, sizeof e->sender_name, "name of it");
    e->theme = THEME_COMPANY;
    snprintf(e->greeting, sizeof e->greeting, "it's \\ \"quoted\" %%s");
    e->mode = MODE_LUCKY;
    e->total_fen = total_fen;
    e->shares = shares;
    e->cap_fen = 20000;
    e->created_us = now_us;
    e->expires_us = expires_us;
    e->version = 1;
    e->has_seed = true;
    t->rng->fill(t->rng->self, e->seed, sizeof e->seed);
    draw_seed_hash(e->seed_hash, &e->id, e->mode, total_fen, shares, e->cap_fen, e->seed);
}

enum err contract_send_begin(struct store_contract *t, struct store *s, const char *user,
                             int64_t total_fen, int64_t shares, int64_t expires_us,
                             struct envelope *e)
{
    struct send_set *set = calloc(1, sizeof *set);
    assert_non_null(set);
    set->n_rows = set->n_accounts = 1;
    struct send_row *r = &set->rows[0];
    snprintf(r->user, sizeof r->user, "%s", user);
    snprintf(set->accounts[0].user, sizeof set->accounts[0].user, "%s", user);
    t->rng->fill(t->rng->self, r->key_hash, sizeof r->key_hash);
    r->envelope = e;
    enum err err = s->ops->send_read(s, set);
    if (err == ERR_OK) {
        new_envelope(t, user, total_fen, shares, set->now_us, expires_us, e);
        hash_sha256(r->body_hash, &e->id, sizeof e->id);
        r->insert = set->changed[0] = true;
        r->transfer = transfer_for_send(t->rng, user, &e->id, total_fen, set->now_us);
        set->accounts[0].balance_fen -= total_fen;
        err = s->ops->send_write(s, set);
    }
    free(set);
    return err;
}

void contract_send(struct store_contract *t, const char *user, int64_t total_fen, int64_t shares,
                   struct envelope *e)
{
    int64_t expires_us = contract_now_us(t->a) + HOUR_US;
    assert_int_equal(contract_send_begin(t, t->a, user, total_fen, shares, expires_us, e), ERR_OK);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
}

enum err contract_open_read(struct store *s, struct open_set *set, const struct id *id,
                            const char *user, enum lock_wait wait)
{
    memset(set, 0, sizeof *set);
    set->n_envelopes = 1;
    set->ids[0] = *id;
    set->lock_wait = wait;
    if (user != NULL) {
        set->n_rows = 1;
        set->rows[0] = (struct open_row){.envelope = *id, .user = user, .look = true};
    }
    return s->ops->open_read(s, set);
}

void contract_draw(struct open_set *set, int64_t opened_us)
{
    struct open_row *r = &set->rows[0];
    envelope_open_next(&set->envelopes[0], r->user, "name", opened_us, &r->claim);
    r->insert = set->changed[0] = true;
}

struct claim contract_open(struct store *s, const struct id *id, const char *user,
                           int64_t opened_us)
{
    struct open_set *set = malloc(sizeof *set);
    assert_non_null(set);
    assert_int_equal(contract_open_read(s, set, id, user, LOCK_WAIT_BRIEF), ERR_OK);
    assert_true(set->exists[0] && set->envelopes[0].has_seed && !set->rows[0].found);
    contract_draw(set, opened_us != 0 ? opened_us : set->now_us);
    assert_int_equal(s->ops->open_write(s, set), ERR_OK);
    assert_int_equal(s->ops->commit(s), ERR_OK);
    struct claim c = set->rows[0].claim;
    free(set);
    return c;
}

void contract_close(struct store_contract *t, const struct id *id)
{
    struct open_set *set = malloc(sizeof *set);
    assert_non_null(set);
    assert_int_equal(contract_open_read(t->a, set, id, NULL, LOCK_WAIT_BRIEF), ERR_OK);
    struct envelope *e = &set->envelopes[0];
    int64_t refund_fen = envelope_expire(e, CLOSER_DEADLINE, set->now_us);
    struct transfer refund = transfer_for_refund(t->rng, e->sender, id, refund_fen, set->now_us);
    set->changed[0] = true;
    assert_int_equal(t->a->ops->refund_write(t->a, set, &refund, 1), ERR_OK);
    assert_int_equal(t->a->ops->commit(t->a), ERR_OK);
    free(set);
}

enum err contract_book(struct store *s, const struct credit_set *set)
{
    struct transfer *transfers = calloc(CREDIT_BATCH_MAX, sizeof *transfers);
    assert_non_null(transfers);
    for (size_t i = 0; i < set->n; i++) {
        const struct credit *c = &set->rows[i];
        transfers[i] = transfer_for_claim(c->user, &c->envelope, (uint32_t)c->seq, c->amount_fen,
                                          c->opened_us);
    }
    enum err err = s->ops->credit_write(s, set, transfers, 480);
    free(transfers);
    return err == ERR_OK ? s->ops->commit(s) : err;
}

uint32_t contract_lanes(struct store *s)
{
    uint32_t lanes;
    assert_int_equal(s->ops->credit_lanes(s, &lanes), ERR_OK);
    return lanes;
}

void store_contract_begin(struct store_contract *t)
{
    struct credit_set *set = calloc(1, sizeof *set);
    assert_non_null(set);
    t->tests++;
    for (uint32_t lanes; (lanes = contract_lanes(t->a)) != 0;) {
        *set = (struct credit_set){.lanes = lanes & (~lanes + 1),
                                   .limit_largest = 1,
                                   .limit_oldest = CREDIT_BATCH_MAX - 1};
        assert_int_equal(t->a->ops->credit_read(t->a, set), ERR_OK);
        assert_true(set->taken);
        assert_int_equal(contract_book(t->a, set), ERR_OK);
    }
    free(set);
}
