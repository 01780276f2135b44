/* The contract of lib/store/store.h without a server: tables in memory, sessions on them with
 * transactions, row locks and unique keys, and the faults of a database at the moment the test
 * chooses.
 *
 * Isolation is READ COMMITTED; a transaction does not read its own writes, which no service does.
 * A lock that another session holds is never waited for: ERR_LOCKED, as if the wait had ended. A
 * caller that breaks the contract (goes on after an error without a rollback, leaves a transaction
 * open) aborts the test. Sessions may be used by several threads. */
#ifndef HONGBAO_TESTS_MEMORY_STORE_H
#define HONGBAO_TESTS_MEMORY_STORE_H

#include "lib/base/clock.h"
#include "lib/store/store.h"

/* The operations, for faults and counts. */
enum memory_op {
    MEMORY_COMMIT, /* also that inside tally_run and freeze */
    MEMORY_GENERATION,
    MEMORY_BARRIER,
    MEMORY_OPEN_READ,
    MEMORY_OPEN_LOOK,
    MEMORY_OPEN_WRITE,
    MEMORY_THANKS_WRITE,
    MEMORY_SEND_READ,
    MEMORY_SEND_WRITE,
    MEMORY_KEY_IN_PROGRESS,
    MEMORY_GUEST_WRITE,
    MEMORY_WALLET_READ,
    MEMORY_WALLET_WRITE,
    MEMORY_CREDIT_LANES,
    MEMORY_CREDIT_READ,
    MEMORY_CREDIT_WRITE,
    MEMORY_CREDIT_POSTPONE,
    MEMORY_DUE_LIST,
    MEMORY_REFUND_WRITE,
    MEMORY_CLOSING_LIST,
    MEMORY_TALLY_RUN,
    MEMORY_IDEMPOTENCY_EXPIRE,
    MEMORY_ENTRIES_ADD,
    MEMORY_CLOCK_READ,
    MEMORY_CLOCK_WRITE,
    MEMORY_HOST_BEAT,
    MEMORY_LAST_BEAT,
    MEMORY_BOOKS_READ,
    MEMORY_CREDIT_REQUEUE,
    MEMORY_FREEZE,
    MEMORY_FROZEN_LIST,
    MEMORY_ENVELOPE_GET,
    MEMORY_VERSION_GET,
    MEMORY_CLAIM_GET,
    MEMORY_CLAIMS_PAGE,
    MEMORY_ACCOUNT_GET,
    MEMORY_SENT_PAGE,
    MEMORY_RECEIVED_PAGE,
    MEMORY_YEAR_TOTALS_GET,
    MEMORY_LEDGER_PAGE,
    MEMORY_GUESTS_COUNT,
    MEMORY_GUESTS_IDLE,
    MEMORY_GUEST_END,
    MEMORY_QUEUE_STATE,
    MEMORY_SCHEMA,
    MEMORY_MONEY_STATE,
    MEMORY_ENVELOPE_ENDS,
    MEMORY_USER_RULES,
    MEMORY_OPS
};

/* The tables, and what a row of each is. */
enum memory_table {
    MEMORY_ENVELOPES, /* struct memory_envelope */
    MEMORY_SEEDS,     /* struct memory_seed */
    MEMORY_CLAIMS,    /* struct claim */
    MEMORY_CREDITS,   /* struct memory_credit */
    MEMORY_TRANSFERS, /* struct transfer */
    MEMORY_ACCOUNTS,  /* struct account */
    MEMORY_KEYS,      /* struct memory_key */
    MEMORY_CLOSINGS,  /* struct id */
    MEMORY_YEARS,     /* struct memory_year */
    MEMORY_RULES,     /* struct user_rule */
    MEMORY_LANES,     /* uint32_t; no rows, only locks */
    MEMORY_TABLES
};
struct memory_envelope {
    struct envelope e; /* has_seed: the row shows its seed; frozen is unused */
    int64_t frozen_rule;
};
struct memory_seed {
    struct id envelope;
    int64_t expires_us;
    uint8_t seed[SEED_SIZE];
};
struct memory_credit {
    struct credit c;
    int64_t not_before_us;
};
struct memory_key {
    uint8_t key_hash[32], body_hash[32];
    struct id ref;
    int64_t created_us;
};
struct memory_year {
    char user[USER_SIZE];
    int64_t year;
    struct year_totals totals;
};

struct memory_db;

/* Create an empty database. Its time is clock's wall_us; deadlines count by clock's mono_us. */
struct memory_db *memory_db_new(const struct clock *clock);
/* Free db. Its sessions must have been closed. */
void memory_db_free(struct memory_db *db);
/* Open a session, as mysql_store_new does; the caller closes it. */
struct store *memory_store_open(struct memory_db *db);
/* Return the deadline that was last set for session s; 0: none. */
int64_t memory_store_deadline(struct store *s);
/* Replace the generation, as `hongbaoctl restored` does. */
void memory_db_set_generation(struct memory_db *db, const uint8_t generation[16]);

/* Return the name and write the generation of the row of host that was written last; "": none. */
const char *memory_db_host(struct memory_db *db, uint8_t generation[16]);
/* Replace what the database answers about its patches; SCHEMA_VERSION and 0 at first. */
void memory_db_set_schema(struct memory_db *db, int64_t version, int64_t oldest);

/* ---- faults ---- */
/* After `skip` more calls of op, let the following `times` return err. applied: what it does is
 * done all the same, and only the answer is lost; else it is not done. Replaces what was set for op
 * before. */
void memory_db_fail(struct memory_db *db, enum memory_op op, enum err err, bool applied,
                    unsigned skip, unsigned times);
/* While away, every operation is ERR_UNAVAILABLE; open transactions are lost. */
void memory_db_set_away(struct memory_db *db, bool away);
/* Call hook(context, op, session) before each operation: where another session gets in between, or
 * a thread is held. What the hook itself does on the same thread calls no hook. NULL: none. */
void memory_db_set_hook(struct memory_db *db,
                        void (*hook)(void *context, enum memory_op op, struct store *s),
                        void *context);
/* Return how often op was called since db was created. */
unsigned memory_db_calls(struct memory_db *db, enum memory_op op);

/* ---- durability ---- */
/* While on, a commit is visible but not yet durable: that of another process whose flush is under
 * way. A barrier, or a commit while off, makes all durable. */
void memory_db_delay_flush(struct memory_db *db, bool on);
/* Return true if a crash now would undo nothing that is visible. */
bool memory_db_is_durable(struct memory_db *db);
/* Undo what is not durable, and lose all open transactions. */
void memory_db_crash(struct memory_db *db);

/* ---- rows, past all rules: to arrange a state, to break it, to look at it ---- */
/* Return the row of table with the primary key of like, until the next change; NULL: none. */
void *memory_db_find(struct memory_db *db, enum memory_table table, const void *like);
/* Add a copy of row, or replace the row with its primary key. */
void memory_db_put(struct memory_db *db, enum memory_table table, const void *row);
/* Remove the row with the primary key of like. Aborts if there is none. */
void memory_db_remove(struct memory_db *db, enum memory_table table, const void *like);
/* Return how many rows table has, and row number i of them. */
size_t memory_db_count(struct memory_db *db, enum memory_table table);
void *memory_db_row(struct memory_db *db, enum memory_table table, size_t i);

/* Return the row of the table clock; its now_us is not used. */
struct clock_row *memory_db_clock(struct memory_db *db);

/* Find by what identifies them; NULL: none. */
struct memory_envelope *memory_db_envelope(struct memory_db *db, const struct id *id);
struct claim *memory_db_claim(struct memory_db *db, const struct id *id, const char *user);
struct memory_credit *memory_db_credit(struct memory_db *db, const struct id *id, const char *user);
struct account *memory_db_account(struct memory_db *db, const char *user);
/* Add an account with balance_fen from a top-up. */
void memory_db_add_account(struct memory_db *db, const char *user, int64_t balance_fen);
/* Return the lane, 0..LANES-1, of user's credits. */
unsigned memory_lane_of(const char *user);
/* Return NULL if all books agree and every balance is the sum of its transfers; else what is wrong,
 * in words that last until the next call. */
const char *memory_db_audit(struct memory_db *db);

#endif
