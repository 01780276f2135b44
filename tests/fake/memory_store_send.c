/* Sends, top-ups, withdrawals and guests on the tables in memory: the counterpart of mysql_send.c
 * and mysql_wallet.c. */
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct memory_key *find_key(struct memory_db *db, const uint8_t key_hash[32])
{
    struct memory_key like = {.created_us = 0};
    memcpy(like.key_hash, key_hash, sizeof like.key_hash);
    return memory_find(db, MEMORY_KEYS, &like);
}

/* Reads and locks the account of a->user; one that does not exist is not locked. */
static enum err read_account(struct memory_store *s, struct account *a)
{
    const struct account *row = memory_find(s->db, MEMORY_ACCOUNTS, a);
    a->exists = row != NULL;
    if (row == NULL)
        return ERR_OK;
    *a = *row;
    a->exists = true;
    return memory_lock(s, MEMORY_ACCOUNTS, a);
}

enum err memory_add_balance(struct memory_store *s, const char *user, int64_t amount_fen,
                            bool create)
{
    struct account a = {.exists = true};
    assert(strlen(user) < sizeof a.user);
    memcpy(a.user, user, strlen(user));
    const struct account *row = memory_current(s, MEMORY_ACCOUNTS, &a);
    if (row == NULL && !create)
        return ERR_FAULT;
    if (row != NULL)
        a = *row;
    a.balance_fen += amount_fen;
    return memory_upsert(s, MEMORY_ACCOUNTS, &a);
}

static void read_replay(struct memory_db *db, struct send_row *r)
{
    const struct memory_key *key = find_key(db, r->key_hash);
    const struct memory_envelope *row = key != NULL ? memory_find_envelope(db, &key->ref) : NULL;
    if (row == NULL)
        return;
    r->replay = true;
    memcpy(r->replay_body_hash, key->body_hash, sizeof r->replay_body_hash);
    memory_copy_envelope(row, r->envelope);
}

static int64_t count_open(const struct memory_db *db, const char *sender, int64_t limit)
{
    const struct memory_envelope *rows = db->tables[MEMORY_ENVELOPES].rows;
    int64_t n = 0;
    for (size_t i = 0; i < db->tables[MEMORY_ENVELOPES].n && n < limit; i++)
        n += rows[i].e.state == STATE_OPEN && strcmp(rows[i].e.sender, sender) == 0;
    return n;
}

enum err memory_send_read(struct store *store, struct send_set *set)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_SEND_READ);
    if (err != ERR_OK)
        return err;
    memory_begin(s);
    assert(set->n_rows >= 1 && set->n_rows <= BATCH_MAX && set->n_accounts <= BATCH_MAX);
    for (size_t i = 0; i < set->n_accounts && err == ERR_OK; i++) {
        assert(i == 0 || strcmp(set->accounts[i - 1].user, set->accounts[i].user) < 0);
        err = read_account(s, &set->accounts[i]);
    }
    for (size_t i = 0; i < set->n_rows && err == ERR_OK; i++)
        read_replay(s->db, &set->rows[i]);
    for (size_t i = 0; i < set->n_accounts; i++)
        if (set->count_open[i])
            set->open_count[i] = count_open(s->db, set->accounts[i].user, set->open_limit);
    set->now_us = memory_now_us(s->db);
    return memory_leave(store, MEMORY_SEND_READ, err);
}

static enum err insert_send(struct memory_store *s, const struct send_row *r)
{
    struct memory_key key = {.ref = r->envelope->id, .created_us = r->envelope->created_us};
    struct memory_seed seed = {.envelope = r->envelope->id, .expires_us = r->envelope->expires_us};
    struct memory_envelope row = {.e = *r->envelope};
    memcpy(key.key_hash, r->key_hash, sizeof key.key_hash);
    memcpy(key.body_hash, r->body_hash, sizeof key.body_hash);
    memcpy(seed.seed, r->envelope->seed, sizeof seed.seed);
    row.e.has_seed = false;
    memset(row.e.seed, 0, sizeof row.e.seed);
    enum err err = memory_insert(s, MEMORY_KEYS, &key);
    err = err == ERR_OK ? memory_insert(s, MEMORY_ENVELOPES, &row) : err;
    err = err == ERR_OK ? memory_insert(s, MEMORY_SEEDS, &seed) : err;
    return err == ERR_OK ? memory_insert_transfer(s, &r->transfer) : err;
}

enum err memory_send_write(struct store *store, const struct send_set *set)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_SEND_WRITE);
    if (err != ERR_OK)
        return err;
    assert(s->in_transaction);
    for (size_t i = 0; i < set->n_rows && err == ERR_OK; i++)
        if (set->rows[i].insert)
            err = insert_send(s, &set->rows[i]);
    for (size_t i = 0; i < set->n_accounts && err == ERR_OK; i++)
        if (set->changed[i])
            err = memory_replace(s, MEMORY_ACCOUNTS, &set->accounts[i]);
    return memory_leave(store, MEMORY_SEND_WRITE, err);
}

enum err memory_key_in_progress(struct store *store, const uint8_t key_hash[32], bool *busy)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_KEY_IN_PROGRESS);
    *busy = false;
    if (err != ERR_OK)
        return err;
    for (const struct memory_store *s = db->sessions; s != NULL; s = s->next)
        for (const struct memory_effect *e = s->effects; e != NULL; e = e->next)
            *busy |= e->table == MEMORY_KEYS && memcmp(e->row, key_hash, 32) == 0;
    return memory_leave(store, MEMORY_KEY_IN_PROGRESS, ERR_OK);
}

enum err memory_guest_write(struct store *store, const char *user, const char *name,
                            const struct transfer *topup)
{
    struct memory_store *s = memory_of(store);
    struct account a = {.exists = true, .balance_fen = topup->amount_fen};
    enum err err = memory_enter(store, MEMORY_GUEST_WRITE);
    if (err != ERR_OK)
        return err;
    memory_begin(s);
    assert(strlen(user) < sizeof a.user && strlen(name) < sizeof a.name);
    memcpy(a.user, user, strlen(user));
    memcpy(a.name, name, strlen(name));
    err = memory_insert_transfer(s, topup);
    err = err == ERR_OK ? memory_insert(s, MEMORY_ACCOUNTS, &a) : err;
    return memory_leave(store, MEMORY_GUEST_WRITE, err);
}

static bool has_key(const struct wallet_row *r)
{
    static const uint8_t none[32];
    return memcmp(r->key_hash, none, sizeof none) != 0;
}

static void read_reference(struct memory_db *db, struct wallet_row *r)
{
    size_t len = strlen(r->reference);
    for (size_t i = 0; i < db->tables[MEMORY_TRANSFERS].n; i++) {
        const struct transfer *t = &((const struct transfer *)db->tables[MEMORY_TRANSFERS].rows)[i];
        if (t->kind != r->kind || t->ref_len != len || memcmp(t->ref, r->reference, len) != 0 ||
            (t->backend[0] != '\0' && strcmp(t->backend, r->backend) != 0))
            continue;
        r->reference_known = true;
        r->known = *t;
    }
}

enum err memory_wallet_read(struct store *store, struct wallet_row *r)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_WALLET_READ);
    if (err != ERR_OK)
        return err;
    memory_begin(s);
    r->reference_known = false;
    memcpy(r->account.user, r->user, sizeof r->account.user);
    err = read_account(s, &r->account);
    const struct memory_key *key = find_key(s->db, r->key_hash);
    r->key_known = key != NULL;
    if (key != NULL)
        memcpy(r->key_body_hash, key->body_hash, sizeof r->key_body_hash);
    read_reference(s->db, r);
    r->now_us = memory_now_us(s->db);
    return memory_leave(store, MEMORY_WALLET_READ, err);
}

enum err memory_wallet_write(struct store *store, const struct wallet_row *r)
{
    struct memory_store *s = memory_of(store);
    struct memory_key key = {.ref = r->transfer.id, .created_us = r->now_us};
    struct account a = r->account;
    enum err err = memory_enter(store, MEMORY_WALLET_WRITE);
    if (err != ERR_OK)
        return err;
    assert(s->in_transaction);
    memcpy(key.key_hash, r->key_hash, sizeof key.key_hash);
    memcpy(key.body_hash, r->body_hash, sizeof key.body_hash);
    if (has_key(r))
        err = memory_insert(s, MEMORY_KEYS, &key);
    err = err == ERR_OK ? memory_insert_transfer(s, &r->transfer) : err;
    if (!a.exists)
        a = (struct account){.exists = true};
    memcpy(a.user, r->user, sizeof a.user);
    a.balance_fen = r->transfer.balance_fen;
    if (err == ERR_OK)
        err = r->account.exists ? memory_replace(s, MEMORY_ACCOUNTS, &a)
                                : memory_insert(s, MEMORY_ACCOUNTS, &a);
    return memory_leave(store, MEMORY_WALLET_WRITE, err);
}

enum err memory_idempotency_expire(struct store *store, int64_t before_us, size_t limit, size_t *n)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_IDEMPOTENCY_EXPIRE);
    *n = 0;
    if (err != ERR_OK)
        return err;
    const struct memory_rows *t = &s->db->tables[MEMORY_KEYS];
    for (size_t i = 0; i < t->n && *n < limit && err == ERR_OK; i++) {
        const struct memory_key *key = &((const struct memory_key *)t->rows)[i];
        if (key->created_us >= before_us)
            continue;
        err = memory_delete(s, MEMORY_KEYS, key);
        ++*n;
    }
    return memory_leave(store, MEMORY_IDEMPOTENCY_EXPIRE, err);
}

static int compare_rules(const void *a, const void *b)
{
    return strcmp(((const struct user_rule *)a)->user, ((const struct user_rule *)b)->user);
}

enum err memory_user_rules(struct store *store, const char *after, size_t limit,
                           struct user_rule *out, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_USER_RULES);
    *n = 0;
    if (err != ERR_OK)
        return err;
    struct memory_rows *t = &db->tables[MEMORY_RULES];
    qsort(t->rows, t->n, sizeof(struct user_rule), compare_rules);
    for (size_t i = 0; i < t->n && *n < limit; i++) {
        const struct user_rule *rule = &((const struct user_rule *)t->rows)[i];
        if (strcmp(rule->user, after) > 0)
            out[(*n)++] = *rule;
    }
    return memory_leave(store, MEMORY_USER_RULES, ERR_OK);
}
