/* Sessions on the tables in memory: how an operation begins and ends, where it fails on demand, and
 * how transactions end. */
#include "tests/fake/memory_store.h"
#include "lib/base/crypto.h"
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local bool in_hook;

int64_t memory_now_us(const struct memory_db *db)
{
    return db->clock->wall_us(db->clock->self);
}

/* Returns ERR_OK, or the fault that strikes this call; *applied as the fault has it. */
static enum err memory_strike(struct memory_db *db, enum memory_op op, bool *applied)
{
    struct memory_op_fault *f = &db->faults[op];
    *applied = f->applied;
    if (f->times == 0)
        return ERR_OK;
    if (f->skip > 0) {
        f->skip--;
        return ERR_OK;
    }
    f->times--;
    return f->err;
}

/* The transaction is over where the connection or the server gave it up. */
static enum err memory_failed(struct memory_store *s, enum err err)
{
    s->failed = true;
    if (!s->in_transaction || err_class(err) != CLASS_DATA)
        memory_drop(s);
    return err;
}

enum err memory_enter(struct store *store, enum memory_op op)
{
    struct memory_store *s = memory_of(store);
    struct memory_db *db = s->db;
    bool applied, hook = db->hook != NULL && !in_hook;
    if (hook) {
        in_hook = true;
        db->hook(db->context, op, store);
        in_hook = false;
    }
    pthread_mutex_lock(&db->lock);
    db->calls[op]++;
    assert(!s->failed); /* the caller must roll back after an error */
    bool late = op != MEMORY_COMMIT && s->deadline_us != 0 &&
                db->clock->mono_us(db->clock->self) >= s->deadline_us;
    enum err err = ERR_OK;
    if (db->away || s->lost || late)
        err = op == MEMORY_COMMIT ? ERR_UNCERTAIN : ERR_UNAVAILABLE;
    else if (!db->faults[op].applied)
        err = memory_strike(db, op, &applied);
    if (err != ERR_OK) {
        (void)memory_failed(s, err);
        pthread_mutex_unlock(&db->lock);
    }
    return err;
}

enum err memory_leave(struct store *store, enum memory_op op, enum err err)
{
    struct memory_store *s = memory_of(store);
    struct memory_db *db = s->db;
    bool applied;
    if (err == ERR_OK && !s->in_transaction)
        memory_apply(s);
    if (err == ERR_OK && db->faults[op].applied)
        err = memory_strike(db, op, &applied);
    if (err != ERR_OK)
        (void)memory_failed(s, err);
    pthread_mutex_unlock(&db->lock);
    return err;
}

void memory_begin(struct memory_store *s)
{
    assert(!s->in_transaction); /* a server would commit the one before */
    s->in_transaction = true;
}

enum err memory_commit_inside(struct memory_store *s)
{
    bool applied;
    enum err err = memory_strike(s->db, MEMORY_COMMIT, &applied);
    s->db->calls[MEMORY_COMMIT]++;
    if (err == ERR_OK || applied)
        memory_apply(s);
    return err;
}

static enum err memory_commit(struct store *store)
{
    enum err err = memory_enter(store, MEMORY_COMMIT);
    if (err != ERR_OK)
        return err;
    assert(memory_of(store)->in_transaction);
    memory_apply(memory_of(store));
    return memory_leave(store, MEMORY_COMMIT, ERR_OK);
}

static void memory_rollback(struct store *store)
{
    struct memory_store *s = memory_of(store);
    pthread_mutex_lock(&s->db->lock);
    memory_drop(s);
    s->failed = s->lost = false;
    pthread_mutex_unlock(&s->db->lock);
}

static void memory_close(struct store *store)
{
    struct memory_store *s = memory_of(store);
    struct memory_db *db = s->db;
    pthread_mutex_lock(&db->lock);
    memory_drop(s);
    struct memory_store **at = &db->sessions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    pthread_mutex_unlock(&db->lock);
    free(s);
}

static void memory_set_deadline(struct store *store, int64_t mono_us)
{
    memory_of(store)->deadline_us = mono_us;
}

static enum err memory_generation(struct store *store, uint8_t out[16])
{
    enum err err = memory_enter(store, MEMORY_GENERATION);
    if (err != ERR_OK)
        return err;
    memcpy(out, memory_of(store)->db->generation, 16);
    return memory_leave(store, MEMORY_GENERATION, ERR_OK);
}

static enum err memory_schema(struct store *store, struct schema_state *out)
{
    enum err err = memory_enter(store, MEMORY_SCHEMA);
    if (err != ERR_OK)
        return err;
    *out = memory_of(store)->db->schema;
    return memory_leave(store, MEMORY_SCHEMA, ERR_OK);
}

static enum err memory_barrier(struct store *store)
{
    enum err err = memory_enter(store, MEMORY_BARRIER);
    if (err != ERR_OK)
        return err;
    assert(!memory_of(store)->in_transaction);
    memory_flush(memory_of(store)->db);
    return memory_leave(store, MEMORY_BARRIER, ERR_OK);
}

static const struct store_ops memory_ops = {
    .close = memory_close,
    .set_deadline = memory_set_deadline,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .generation = memory_generation,
    .schema = memory_schema,
    .barrier = memory_barrier,
    .open_read = memory_open_read,
    .open_look = memory_open_look,
    .open_write = memory_open_write,
    .thanks_write = memory_thanks_write,
    .send_read = memory_send_read,
    .send_write = memory_send_write,
    .key_in_progress = memory_key_in_progress,
    .guest_write = memory_guest_write,
    .guests_count = memory_guests_count,
    .guests_idle = memory_guests_idle,
    .guest_end = memory_guest_end,
    .wallet_read = memory_wallet_read,
    .wallet_write = memory_wallet_write,
    .credit_lanes = memory_credit_lanes,
    .credit_read = memory_credit_read,
    .credit_write = memory_credit_write,
    .credit_postpone = memory_credit_postpone,
    .due_list = memory_due_list,
    .refund_write = memory_refund_write,
    .closing_list = memory_closing_list,
    .year_totals_add = memory_tally_run,
    .idempotency_expire = memory_idempotency_expire,
    .entries_add = memory_entries_add,
    .clock_read = memory_clock_read,
    .clock_write = memory_clock_write,
    .host_beat = memory_host_beat,
    .last_beat = memory_last_beat,
    .books_read = memory_books_read,
    .credit_requeue = memory_credit_requeue,
    .freeze = memory_freeze,
    .frozen_list = memory_frozen_list,
    .envelope_get = memory_envelope_get,
    .version_get = memory_version_get,
    .claim_get = memory_claim_get,
    .claims_page = memory_claims_page,
    .account_get = memory_account_get,
    .sent_page = memory_sent_page,
    .received_page = memory_received_page,
    .year_totals_get = memory_year_totals_get,
    .ledger_page = memory_ledger_page,
    .user_rules = memory_user_rules,
    .envelope_ends = memory_envelope_ends,
    .money_state = memory_money_state,
    .queue_state = memory_queue_state,
};

struct store *memory_store_open(struct memory_db *db)
{
    struct memory_store *s = calloc(1, sizeof *s);
    assert(s != NULL);
    s->store.ops = &memory_ops;
    s->db = db;
    s->effects_tail = &s->effects;
    pthread_mutex_lock(&db->lock);
    s->next = db->sessions;
    db->sessions = s;
    pthread_mutex_unlock(&db->lock);
    return &s->store;
}

int64_t memory_store_deadline(struct store *s)
{
    return memory_of(s)->deadline_us;
}
