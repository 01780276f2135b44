/* What the memory_store*.c files share: tables, the pending effects of a transaction, locks.
 * Functions here are called with the lock of the database held. */
#ifndef HONGBAO_TESTS_MEMORY_STORE_INTERNAL_H
#define HONGBAO_TESTS_MEMORY_STORE_INTERNAL_H

#include "tests/fake/memory_store.h"
#include <pthread.h>

struct memory_rows {
    void *rows;
    size_t n, room;
};

enum memory_change { MEMORY_INSERT, MEMORY_REPLACE, MEMORY_DELETE };
/* A change that its transaction has not committed. */
struct memory_effect {
    enum memory_change change;
    enum memory_table table;
    void *row;
    struct memory_effect *next;
};
struct memory_lock {
    const struct memory_store *holder;
    enum memory_table table;
    void *row;
    struct memory_lock *next;
};
struct memory_op_fault {
    enum err err;
    bool applied;
    unsigned skip, times;
};

struct memory_store {
    struct store store;
    struct memory_db *db;
    int64_t deadline_us;
    bool in_transaction;
    bool failed; /* a rollback is due */
    bool lost;   /* the connection broke within a transaction */
    struct memory_effect *effects, **effects_tail;
    struct memory_store *next;
};

struct memory_db {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct memory_rows tables[MEMORY_TABLES];
    struct memory_rows durable[MEMORY_TABLES]; /* if not all is durable: what is */
    struct clock_row clock_row;
    bool all_durable, delay_flush, away;
    uint8_t generation[16];
    char host[64]; /* the row of host that was written last */
    uint8_t host_generation[16];
    int64_t host_beat_us;
    struct schema_state schema;
    struct memory_lock *locks;
    struct memory_store *sessions;
    struct memory_op_fault faults[MEMORY_OPS];
    unsigned calls[MEMORY_OPS];
    void (*hook)(void *context, enum memory_op op, struct store *s);
    void *context;
};

static inline struct memory_store *memory_of(struct store *s)
{
    return (struct memory_store *)s;
}

/* ---- memory_store_schema.c ---- */
typedef bool memory_same_fn(const void *a, const void *b);
size_t memory_row_size(enum memory_table table);
/* Return the comparison of unique key k of table, k < 2, the primary key first; NULL: no such. */
memory_same_fn *memory_key(enum memory_table table, size_t k);
/* Return true if row passes the checks of table. */
bool memory_is_within(enum memory_table table, const void *row);
/* Return true if a and b have the same primary key. */
bool memory_same(enum memory_table table, const void *a, const void *b);

/* ---- memory_store_tables.c ---- */
/* Return the committed row with the primary key of like; NULL: none. */
void *memory_find(struct memory_db *db, enum memory_table table, const void *like);
struct memory_envelope *memory_find_envelope(struct memory_db *db, const struct id *id);
/* Return the row as the transaction of s leaves it; NULL: none. */
const void *memory_current(struct memory_store *s, enum memory_table table, const void *like);
/* Lock the row with the primary key of like until the transaction ends. ERR_LOCKED: another session
 * has it. */
MUST_USE enum err memory_lock(struct memory_store *s, enum memory_table table, const void *like);
/* Add an effect. ERR_DUPLICATE: a key is taken; ERR_LOCKED: another transaction has changed the row
 * or inserted the key; ERR_RANGE: a check of the schema; ERR_FAULT: there is no such row. */
MUST_USE enum err memory_insert(struct memory_store *s, enum memory_table table, const void *row);
MUST_USE enum err memory_replace(struct memory_store *s, enum memory_table table, const void *row);
MUST_USE enum err memory_delete(struct memory_store *s, enum memory_table table, const void *like);
/* Insert t with the next entry of its user; a claim or refund is booked now. Errors as
 * memory_insert. */
MUST_USE enum err memory_insert_transfer(struct memory_store *s, const struct transfer *t);
/* memory_insert, or memory_replace if there is a row. */
MUST_USE enum err memory_upsert(struct memory_store *s, enum memory_table table, const void *row);
/* Apply the effects of s, or drop them, and release its locks. */
void memory_apply(struct memory_store *s);
void memory_drop(struct memory_store *s);
/* Go back to what is durable. */
void memory_undo(struct memory_db *db);
void memory_flush(struct memory_db *db);
/* Change the tables at once. */
void memory_db_put_locked(struct memory_db *db, enum memory_table table, const void *row);
void memory_db_remove_locked(struct memory_db *db, enum memory_table table, const void *like);
void memory_tables_free(struct memory_rows tables[MEMORY_TABLES]);

/* ---- memory_store.c ---- */
/* Begin an operation: call the hook, take the lock, strike if the test wants it. On any error the
 * operation is over and the lock released. */
MUST_USE enum err memory_enter(struct store *s, enum memory_op op);
/* End the operation with err: commit it by itself outside a transaction, lose its answer if the
 * test wants it, release the lock. Returns the error for the caller. */
MUST_USE enum err memory_leave(struct store *s, enum memory_op op, enum err err);
/* Begin a transaction. */
void memory_begin(struct memory_store *s);
/* Commit within an operation, with the faults of MEMORY_COMMIT. */
MUST_USE enum err memory_commit_inside(struct memory_store *s);
int64_t memory_now_us(const struct memory_db *db);

/* ---- shared pieces of operations ---- */
/* Apply what open_write and refund_write change of envelopes; closes those that closed. */
MUST_USE enum err memory_update_envelopes(struct memory_store *s, const struct open_set *set);
/* Add amount_fen to the balance of user; create the account if `create`. */
MUST_USE enum err memory_add_balance(struct memory_store *s, const char *user, int64_t amount_fen,
                                     bool create);
/* Add the members of more to the totals of user and year. */
MUST_USE enum err memory_add_year(struct memory_store *s, const char *user, int year,
                                  const struct year_totals *more);
/* Copy a row as a reader without rights to secret seeds sees it. */
void memory_copy_envelope(const struct memory_envelope *row, struct envelope *out);

/* ---- operations ---- */
enum err memory_open_read(struct store *s, struct open_set *set);
enum err memory_open_look(struct store *s, struct open_set *set);
enum err memory_thanks_write(struct store *s, const struct claim *c);
enum err memory_open_write(struct store *s, const struct open_set *set);
enum err memory_due_list(struct store *s, struct id *ids, size_t limit, size_t *n);
enum err memory_refund_write(struct store *s, const struct open_set *set,
                             const struct transfer *transfers, size_t n);
enum err memory_closing_list(struct store *s, struct closing *out, size_t limit, size_t *n);
enum err memory_tally_run(struct store *s, int year_offset_min, const struct closing *closings,
                          size_t n, size_t *done);
enum err memory_send_read(struct store *s, struct send_set *set);
enum err memory_send_write(struct store *s, const struct send_set *set);
enum err memory_key_in_progress(struct store *s, const uint8_t key_hash[32], bool *busy);
enum err memory_guests_count(struct store *s, int64_t limit, int64_t *n);
enum err memory_guests_idle(struct store *s, int64_t before_us, const char *after, size_t limit,
                            struct account *out, size_t *n);
enum err memory_guest_end(struct store *s, const char *user);
enum err memory_guest_write(struct store *s, const char *user, const char *name,
                            const struct transfer *topup);
enum err memory_wallet_read(struct store *s, struct wallet_row *row);
enum err memory_wallet_write(struct store *s, const struct wallet_row *row);
enum err memory_idempotency_expire(struct store *s, int64_t before_us, size_t limit, size_t *n);
enum err memory_entries_add(struct store *s, char after[USER_SIZE], size_t limit, bool *numbered);
enum err memory_clock_read(struct store *s, struct clock_row *out);
enum err memory_clock_write(struct store *s, const struct clock_row *row);
enum err memory_host_beat(struct store *s, const char *name, const uint8_t generation[16]);
enum err memory_last_beat(struct store *s, int64_t *beat_us);
enum err memory_credit_lanes(struct store *s, uint32_t *lanes);
enum err memory_credit_read(struct store *s, struct credit_set *set);
enum err memory_credit_write(struct store *s, const struct credit_set *set,
                             const struct transfer *transfers, int year_offset_min);
enum err memory_credit_postpone(struct store *s, const struct credit *c, int64_t not_before_us);
enum err memory_credit_requeue(struct store *s, const struct claim *c);
enum err memory_books_read(struct store *s, const struct id *after, struct books *books,
                           size_t limit, size_t claims_max, size_t *n);
enum err memory_freeze(struct store *s, const struct id *id, int64_t rule, bool *changed);
enum err memory_frozen_list(struct store *s, struct frozen *out, size_t limit, size_t *n);
enum err memory_envelope_get(struct store *s, const struct id *id, struct envelope *e, bool *found,
                             int64_t *now_us);
enum err memory_version_get(struct store *s, const struct id *id, int64_t *version);
enum err memory_claim_get(struct store *s, const struct id *id, const char *user, struct claim *c,
                          bool *found);
enum err memory_claims_page(struct store *s, const struct id *id, int64_t after_seq, size_t limit,
                            struct claim *out, size_t *n);
enum err memory_account_get(struct store *s, const char *user, struct account *a,
                            int64_t *pending_fen);
enum err memory_sent_page(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                          const struct page_after *after, size_t limit, struct envelope *out,
                          size_t *n);
enum err memory_received_page(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                              const struct page_after *after, size_t limit,
                              struct received_item *out, size_t *n);
enum err memory_year_totals_get(struct store *s, const char *user, int year, int64_t from_us,
                                int64_t to_us, struct year_totals *out);
enum err memory_ledger_page(struct store *s, const char *user, const struct page_after *after,
                            size_t limit, struct transfer *out, size_t *n, int64_t *balance_fen);
enum err memory_user_rules(struct store *s, const char *after, size_t limit, struct user_rule *out,
                           size_t *n);
enum err memory_envelope_ends(struct store *s, const struct id *ids, size_t n,
                              struct envelope_end *out);
enum err memory_money_state(struct store *s, struct money_state *out);
enum err memory_queue_state(struct store *s, struct queue_state *out);

#endif
