/* What a test does to the tables in memory from outside: faults, crashes, rows. */
#include "lib/base/crypto.h"
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct memory_db *memory_db_new(const struct clock *clock)
{
    struct memory_db *db = calloc(1, sizeof *db);
    assert(db != NULL);
    db->clock = clock;
    db->all_durable = true;
    db->schema.version = SCHEMA_VERSION;
    memset(db->generation, 0xA5, sizeof db->generation);
    pthread_mutex_init(&db->lock, NULL);
    return db;
}

void memory_db_free(struct memory_db *db)
{
    assert(db->sessions == NULL && db->locks == NULL);
    memory_tables_free(db->tables);
    memory_tables_free(db->durable);
    pthread_mutex_destroy(&db->lock);
    free(db);
}

void memory_db_set_schema(struct memory_db *db, int64_t version, int64_t oldest)
{
    pthread_mutex_lock(&db->lock);
    db->schema = (struct schema_state){.version = version, .oldest = oldest};
    pthread_mutex_unlock(&db->lock);
}

void memory_db_set_generation(struct memory_db *db, const uint8_t generation[16])
{
    pthread_mutex_lock(&db->lock);
    memcpy(db->generation, generation, sizeof db->generation);
    pthread_mutex_unlock(&db->lock);
}

void memory_db_fail(struct memory_db *db, enum memory_op op, enum err err, bool applied,
                    unsigned skip, unsigned times)
{
    pthread_mutex_lock(&db->lock);
    db->faults[op] =
        (struct memory_op_fault){.err = err, .applied = applied, .skip = skip, .times = times};
    pthread_mutex_unlock(&db->lock);
}

static void lose_transactions(struct memory_db *db)
{
    for (struct memory_store *s = db->sessions; s != NULL; s = s->next) {
        s->lost |= s->in_transaction;
        memory_drop(s);
    }
}

void memory_db_set_away(struct memory_db *db, bool away)
{
    pthread_mutex_lock(&db->lock);
    db->away = away;
    lose_transactions(db);
    pthread_mutex_unlock(&db->lock);
}

void memory_db_set_hook(struct memory_db *db,
                        void (*hook)(void *context, enum memory_op op, struct store *s),
                        void *context)
{
    db->hook = hook;
    db->context = context;
}

unsigned memory_db_calls(struct memory_db *db, enum memory_op op)
{
    pthread_mutex_lock(&db->lock);
    unsigned calls = db->calls[op];
    pthread_mutex_unlock(&db->lock);
    return calls;
}

void memory_db_delay_flush(struct memory_db *db, bool on)
{
    pthread_mutex_lock(&db->lock);
    db->delay_flush = on;
    pthread_mutex_unlock(&db->lock);
}

bool memory_db_is_durable(struct memory_db *db)
{
    pthread_mutex_lock(&db->lock);
    bool all = db->all_durable;
    pthread_mutex_unlock(&db->lock);
    return all;
}

void memory_db_crash(struct memory_db *db)
{
    pthread_mutex_lock(&db->lock);
    lose_transactions(db);
    memory_undo(db);
    pthread_mutex_unlock(&db->lock);
}

void *memory_db_find(struct memory_db *db, enum memory_table table, const void *like)
{
    pthread_mutex_lock(&db->lock);
    void *row = memory_find(db, table, like);
    pthread_mutex_unlock(&db->lock);
    return row;
}

void memory_db_put(struct memory_db *db, enum memory_table table, const void *row)
{
    pthread_mutex_lock(&db->lock);
    memory_db_put_locked(db, table, row);
    pthread_mutex_unlock(&db->lock);
}

void memory_db_remove(struct memory_db *db, enum memory_table table, const void *like)
{
    pthread_mutex_lock(&db->lock);
    memory_db_remove_locked(db, table, like);
    pthread_mutex_unlock(&db->lock);
}

size_t memory_db_count(struct memory_db *db, enum memory_table table)
{
    pthread_mutex_lock(&db->lock);
    size_t n = db->tables[table].n;
    pthread_mutex_unlock(&db->lock);
    return n;
}

void *memory_db_row(struct memory_db *db, enum memory_table table, size_t i)
{
    pthread_mutex_lock(&db->lock);
    assert(i < db->tables[table].n);
    void *row = (char *)db->tables[table].rows + i * memory_row_size(table);
    pthread_mutex_unlock(&db->lock);
    return row;
}

const char *memory_db_host(struct memory_db *db, uint8_t generation[16])
{
    memcpy(generation, db->host_generation, sizeof db->host_generation);
    return db->host;
}

struct clock_row *memory_db_clock(struct memory_db *db)
{
    return &db->clock_row;
}

struct memory_envelope *memory_db_envelope(struct memory_db *db, const struct id *id)
{
    pthread_mutex_lock(&db->lock);
    struct memory_envelope *row = memory_find_envelope(db, id);
    pthread_mutex_unlock(&db->lock);
    return row;
}

/* Copies a user id into a row that is zero. */
static void set_user(char out[USER_SIZE], const char *user)
{
    assert(strlen(user) < USER_SIZE);
    memcpy(out, user, strlen(user));
}

struct claim *memory_db_claim(struct memory_db *db, const struct id *id, const char *user)
{
    struct claim like = {.envelope = *id};
    set_user(like.user, user);
    return memory_db_find(db, MEMORY_CLAIMS, &like);
}

struct memory_credit *memory_db_credit(struct memory_db *db, const struct id *id, const char *user)
{
    struct memory_credit like = {.c = {.envelope = *id}};
    set_user(like.c.user, user);
    return memory_db_find(db, MEMORY_CREDITS, &like);
}

struct account *memory_db_account(struct memory_db *db, const char *user)
{
    struct account like = {.exists = true};
    set_user(like.user, user);
    return memory_db_find(db, MEMORY_ACCOUNTS, &like);
}

void memory_db_add_account(struct memory_db *db, const char *user, int64_t balance_fen)
{
    struct account a = {.exists = true, .balance_fen = balance_fen};
    struct transfer t = {.kind = TRANSFER_TOPUP,
                         .ref_len = strlen(user),
                         .amount_fen = balance_fen,
                         .at_us = memory_now_us(db),
                         .balance_fen = balance_fen};
    uint8_t digest[32];
    hash_sha256(digest, user, strlen(user));
    memcpy(t.id.b, digest, ID_SIZE);
    set_user(a.user, user);
    set_user(t.user, user);
    memcpy(t.ref, user, t.ref_len);
    if (balance_fen > 0)
        memory_db_put(db, MEMORY_TRANSFERS, &t);
    memory_db_put(db, MEMORY_ACCOUNTS, &a);
}

unsigned memory_lane_of(const char *user)
{
    uint8_t digest[32];
    hash_sha256(digest, user, strlen(user));
    return digest[0] % LANES;
}
