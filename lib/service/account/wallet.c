/* A move of money is one transaction that reads what its key and its reference did before. It is
 * run again after a lost commit or a duplicate: the second run finds what the first one did. */
#include "lib/service/account/wallet.h"
#include "lib/base/str.h"
#include "lib/domain/money.h"
#include "lib/service/account/guests.h"
#include "lib/service/common/txn.h"
#include <stdio.h>
#include <string.h>

#define TRIES_MAX 4

/* Set *known if an earlier request with this key or reference did this; row->known is its answer.
 */
static enum err find_earlier(const struct wallet_request *request, const struct wallet_row *row,
                             bool *known)
{
    *known = false;
    if (row->key_known && memcmp(row->key_body_hash, row->body_hash, sizeof row->body_hash) != 0)
        return ERR_IDEMPOTENCY_KEY_REUSED;
    if (!row->reference_known)
        return ERR_OK;
    if (strcmp(row->known.user, request->user) != 0 || row->known.amount_fen != request->amount_fen)
        return ERR_REFERENCE_REUSED;
    *known = true;
    return ERR_OK;
}

/* Compute the balance after the move. */
static enum err balance_after(const struct wallet_request *request, const struct account *a,
                              int64_t *balance_fen)
{
    int64_t have_fen = a->exists ? a->balance_fen : 0;
    enum err err = request->kind == TRANSFER_TOPUP
                       ? money_add(have_fen, request->amount_fen, balance_fen)
                       : money_subtract(have_fen, request->amount_fen, balance_fen);
    return err == ERR_RANGE ? ERR_LIMIT_EXCEEDED : err;
}

static void row_fill(struct wallet_row *row, const struct wallet_request *request)
{
    memset(row, 0, sizeof *row);
    row->kind = request->kind;
    (void)str_set(row->user, sizeof row->user, request->user, strlen(request->user));
    (void)str_set(row->backend, sizeof row->backend, request->backend, strlen(request->backend));
    (void)str_set(row->reference, sizeof row->reference, request->reference,
                  strlen(request->reference));
    if (!request->has_key)
        return;
    memcpy(row->key_hash, request->key_hash, sizeof row->key_hash);
    memcpy(row->body_hash, request->body_hash, sizeof row->body_hash);
}

static void transfer_fill(const struct runtime *runtime, struct wallet_row *row, int64_t amount_fen,
                          int64_t balance_fen)
{
    struct transfer *t = &row->transfer;
    t->id = id_make(runtime->rng, row->now_us, (unsigned)runtime->config->set_number);
    t->kind = row->kind;
    memcpy(t->user, row->user, sizeof t->user);
    t->ref_len = strlen(row->reference);
    memcpy(t->ref, row->reference, t->ref_len);
    memcpy(t->backend, row->backend, sizeof t->backend);
    t->amount_fen = amount_fen;
    t->at_us = row->now_us;
    t->balance_fen = balance_fen;
}

/* The account is locked. Find out if an equal request holds the lock, which has an error of its
 * own.
 */
static enum err explain_locked(struct store *store, const struct wallet_request *request)
{
    bool busy = false;
    if (request->has_key && store->ops->key_in_progress(store, request->key_hash, &busy) != ERR_OK)
        busy = false;
    store->ops->rollback(store);
    return busy ? ERR_IDEMPOTENCY_IN_PROGRESS : ERR_LOCKED;
}

struct wallet_move {
    const struct runtime *runtime;
    const struct wallet_request *request;
    struct transfer *out; /* what the try before made, if there was one */
    bool replayed;
};

/* Run one whole transaction. An earlier answer is durable only after a barrier of our own. It may
 * be that of the try before, whose commit got no reply. */
static enum err wallet_try(struct store *store, void *context)
{
    struct wallet_move *m = context;
    struct wallet_row row;
    bool known;
    int64_t balance_fen = 0;
    row_fill(&row, m->request);
    enum err err = store->ops->wallet_read(store, &row);
    if (err == ERR_OK)
        err = find_earlier(m->request, &row, &known);
    if (err == ERR_OK && known) {
        m->replayed = id_compare(&m->out->id, &row.known.id) != 0;
        *m->out = row.known;
        store->ops->rollback(store);
        metrics_add(m->runtime->metrics, METRIC_BARRIERS, 1);
        return store->ops->barrier(store);
    }
    if (err == ERR_OK)
        err = m->request->refused;
    if (err == ERR_OK && m->request->must_exist && !row.account.exists)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = balance_after(m->request, &row.account, &balance_fen);
    if (err != ERR_OK)
        return err;
    transfer_fill(m->runtime, &row, m->request->amount_fen, balance_fen);
    *m->out = row.transfer;
    err = store->ops->wallet_write(store, &row);
    if (err == ERR_OK)
        err = store->ops->commit(store);
    if (err == ERR_OK)
        metrics_add(m->runtime->metrics,
                    row.kind == TRANSFER_TOPUP ? METRIC_MONEY_IN_FEN : METRIC_MONEY_OUT_FEN,
                    (uint64_t)row.transfer.amount_fen);
    return err;
}

enum err wallet_move(const struct account_service *s, const struct wallet_request *request,
                     int64_t deadline_us, struct transfer *out, bool *replayed)
{
    static const struct txn_policy policy = {.tries_max = TRIES_MAX, .repeat_duplicate = true};
    struct wallet_move move = {.runtime = s->runtime, .request = request, .out = out};
    memset(out, 0, sizeof *out);
    *replayed = false;
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = txn_run(s->runtime, session->store, wallet_try, &move, &policy);
    if (err == ERR_LOCKED)
        err = explain_locked(session->store, request);
    *replayed = err == ERR_OK && move.replayed;
    session_pool_give(s->sessions, session, err);
    return err;
}

#define GUEST_RANDOM_BYTES 10

static void guest_fill(const struct runtime *runtime, const char *name, struct account *a)
{
    uint8_t random[GUEST_RANDOM_BYTES];
    char hex[2 * GUEST_RANDOM_BYTES + 1];
    memset(a, 0, sizeof *a);
    runtime->rng->fill(runtime->rng->self, random, sizeof random);
    str_to_hex(hex, random, sizeof random);
    snprintf(a->user, sizeof a->user, "%s%s", GUEST_PREFIX, hex);
    if (name[0] != '\0')
        snprintf(a->name, sizeof a->name, "%s", name);
    else
        snprintf(a->name, sizeof a->name, "Guest %.4s", hex);
    a->exists = true;
    a->balance_fen = runtime->config->demo_balance_fen;
}

static enum err create_guest(const struct runtime *runtime, struct store *store, const char *name,
                             struct account *out)
{
    guest_fill(runtime, name, out);
    struct transfer topup = {.kind = TRANSFER_TOPUP,
                             .amount_fen = out->balance_fen,
                             .backend = BACKEND_GUESTS,
                             .at_us = runtime->clock->wall_us(runtime->clock->self),
                             .balance_fen = out->balance_fen};
    topup.id = id_make(runtime->rng, topup.at_us, (unsigned)runtime->config->set_number);
    memcpy(topup.user, out->user, sizeof topup.user);
    topup.ref_len = strlen(out->user);
    memcpy(topup.ref, out->user, topup.ref_len);
    enum err err = store->ops->guest_write(store, out->user, out->name, &topup);
    if (err == ERR_OK)
        err = store->ops->commit(store);
    if (err == ERR_OK)
        return ERR_OK;
    /* it may have happened, but the id is random and was not returned: the client repeats */
    store->ops->rollback(store);
    return ERR_UNAVAILABLE;
}

enum err wallet_guest(const struct account_service *s, const char *name, int64_t deadline_us,
                      struct account *out)
{
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = guests_admit(s->runtime, session->store);
    if (err == ERR_OK)
        err = create_guest(s->runtime, session->store, name, out);
    session_pool_give(s->sessions, session, err);
    return err;
}
