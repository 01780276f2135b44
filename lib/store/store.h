/* The contract of the primary database: one short function an operation. A struct store is one
 * session, used by one thread at a time. A *_read begins a transaction; commit or rollback ends it.
 *
 * Errors of every operation: ERR_UNAVAILABLE (could not ask; nothing happened), ERR_DEADLOCK,
 * ERR_LOCKED, ERR_DUPLICATE, ERR_RANGE, ERR_FAULT. After any error the caller calls rollback, which
 * never fails and leaves a session that can be used again (it connects anew if it must).
 * commit alone may also return ERR_UNCERTAIN: it may or may not have been applied.
 * "No such row" is never an error: it is a count or a flag of the result.
 * Deadline: a session gives up when `deadline_us` (monotonic; 0 none) has passed, at the
 * granularity of the client library's whole-second timeouts. Lock order everywhere: envelope,
 * credit, account, each sorted by key; then inserts sorted by key. */
#ifndef HONGBAO_STORE_STORE_H
#define HONGBAO_STORE_STORE_H

#include "lib/base/err.h"
#include "lib/domain/books.h"
#include "lib/domain/views.h"

#define BATCH_MAX 64

/* ---- opens: members (envelope, user), distinct; envelopes sorted by id, distinct ---- */
struct open_row {
    struct id envelope; /* in */
    const char *user;   /* in */
    bool look;          /* in: does he have a claim already? */
    bool found;         /* in: false; out if look: he has */
    struct claim claim; /* out if found; and the one to insert if `insert` */
    bool insert;        /* in for open_write */
};
struct open_set {
    size_t n_envelopes, n_rows;
    struct id ids[BATCH_MAX];             /* in, sorted */
    bool exists[BATCH_MAX];               /* out */
    struct envelope envelopes[BATCH_MAX]; /* out: with the seed while open; in for write */
    int64_t opened_before[BATCH_MAX];     /* out: opened_shares as read */
    bool changed[BATCH_MAX];              /* in for open_write */
    struct open_row rows[BATCH_MAX];
    int64_t now_us; /* out: UTC_TIMESTAMP(6) of the primary, read after the locks */
    bool nowait;    /* in: give ERR_LOCKED at once instead of waiting for a row */
};

/* ---- sends: members (user, key), distinct ---- */
struct send_row {
    char user[USER_SIZE];  /* in */
    uint8_t key_hash[32];  /* in: SHA-256 of user, route and Idempotency-Key */
    uint8_t body_hash[32]; /* in */
    bool replay;           /* out: the key is known */
    uint8_t replay_body_hash[32];
    bool insert;               /* in for send_write */
    struct envelope *envelope; /* in for send_write: with seed; out for a replay: as stored now */
    struct transfer transfer;  /* in for send_write */
};
struct send_set {
    size_t n_rows, n_accounts;
    struct send_row rows[BATCH_MAX];
    struct account accounts[BATCH_MAX]; /* in: user, sorted, distinct; out: the locked row */
    bool changed[BATCH_MAX];            /* in for send_write */
    int64_t now_us;
    bool nowait;
};

/* ---- top-ups and withdrawals, one at a time ---- */
struct wallet_row {
    enum transfer_kind kind;             /* in: TOPUP or WITHDRAW */
    char user[USER_SIZE];                /* in */
    char reference[REFERENCE_SIZE];      /* in; also looked up as (kind, reference) */
    uint8_t key_hash[32], body_hash[32]; /* in; key_hash all zero: no key (hongbaoctl) */
    struct account account;              /* out: locked, if it exists */
    bool key_known;                      /* out */
    uint8_t key_body_hash[32];
    bool reference_known;  /* out */
    struct transfer known; /* out: what the reference did */
    int64_t now_us;
    struct transfer transfer; /* in for wallet_write */
};

/* ---- settle ---- */
#define CREDIT_BATCH_MAX 512
#define LANES 16
struct credit {
    char user[USER_SIZE];
    struct id envelope;
    int64_t seq, amount_fen, opened_us;
    int64_t attempts;
};
/* Of lanes, a bit each: no more than one? */
static inline bool lanes_single(uint32_t lanes)
{
    return (lanes & (lanes - 1)) == 0;
}
struct credit_set {
    uint32_t lanes; /* in, not 0: bit i: lane i */
    /* out: the lanes are locked, and rows is what to book. False: another daemon has one of them,
     * or they are several and have as many credits as both limits together, or more. */
    bool taken;
    size_t limit_largest, limit_oldest; /* in: of one lane */
    int64_t old_after_us;               /* in: only the oldest once one waits longer than this */
    size_t n;                           /* out, distinct, sorted by user, envelope */
    struct credit rows[CREDIT_BATCH_MAX];
    int64_t now_us;
};
struct closing { /* an envelope that has closed and waits for its tally */
    struct id id;
    enum envelope_state state;
    bool restricted; /* not to anyone */
};
#define TALLIES_MAX 256
struct tally { /* what a closing adds to the yearly totals */
    struct id envelope;
    char sender[USER_SIZE];
    int64_t created_us, total_fen, refunded_fen;
    char luckiest_user[USER_SIZE]; /* "" none */
    int64_t luckiest_opened_us;
};

struct frozen {
    struct id envelope;
    int64_t rule; /* enum books_rule */
};

/* ---- queries ---- */
struct queue_state {                                        /* for metrics and readiness */
    int64_t pending_credits, pending_fen, oldest_opened_us; /* 0: none */
    int64_t overdue_refunds, now_us;
};

struct store;
struct store_ops {
    void (*close)(struct store *s);
    void (*set_deadline)(struct store *s, int64_t mono_us);
    enum err (*commit)(struct store *s);
    void (*rollback)(struct store *s);
    enum err (*generation)(struct store *s, uint8_t out[16]);
    /* Writes the small row of this process and commits: after it, all that was visible before is
     * durable. Not inside a transaction. */
    enum err (*barrier)(struct store *s);

    enum err (*open_read)(struct store *s, struct open_set *set);
    /* In the transaction of open_read: looks for claims of rows, one at least, that it did not look
     * for. */
    enum err (*open_look)(struct store *s, struct open_set *set);
    enum err (*open_write)(struct store *s, const struct open_set *set);

    enum err (*send_read)(struct store *s, struct send_set *set);
    enum err (*send_write)(struct store *s, const struct send_set *set);
    /* Is this very key's row locked by a transaction under way? (After ERR_LOCKED.) */
    enum err (*key_in_progress)(struct store *s, const uint8_t key_hash[32], bool *busy);

    /* Creates an account for a guest with a top-up (its transfer unique by user); begins a
     * transaction. */
    enum err (*guest_write)(struct store *s, const char *user, const char *name,
                            const struct transfer *topup);
    enum err (*wallet_read)(struct store *s, struct wallet_row *row);
    enum err (*wallet_write)(struct store *s, const struct wallet_row *row);

    /* *lanes: bit i set where lane i has credits that may be booked now. Plain read. */
    enum err (*credit_lanes)(struct store *s, uint32_t *lanes);
    /* Locks lanes and reads what is to be booked: of one lane the oldest and the largest credits,
     * of several all. */
    enum err (*credit_read)(struct store *s, struct credit_set *set);
    /* Books credits rows[0..n): transfers, balances, accounts that do not exist yet, yearly totals
     * at that offset; deletes the credit rows, checking that every one was there. */
    enum err (*credit_write)(struct store *s, const struct credit_set *set,
                             const struct transfer *transfers, int year_offset_min);
    /* Moves one credit aside until not_before_us and commits. */
    enum err (*credit_postpone)(struct store *s, const struct credit *c, int64_t not_before_us);
    /* Up to limit ids of open envelopes past due, oldest deadline first; plain read. */
    enum err (*due_list)(struct store *s, struct id *ids, size_t limit, size_t *n);
    /* Closes: envelopes as in open_read/open_write plus refund transfers (ref unique) and the
     * senders' balances. transfers[i].amount_fen 0: nothing to refund. */
    enum err (*refund_write)(struct store *s, const struct open_set *set,
                             const struct transfer *transfers, size_t n);
    /* Up to limit closed, not yet tallied envelopes, oldest first; plain read. */
    enum err (*closing_list)(struct store *s, struct closing *out, size_t limit, size_t *n);
    /* Adds those of closings[0..n), n 1..BATCH_MAX, that are not yet tallied to the yearly totals;
     * one transaction, committed. *done says how many. */
    enum err (*tally_run)(struct store *s, int year_offset_min, const struct closing *closings,
                          size_t n, size_t *done);
    /* Deletes idempotency rows created before that moment, at most limit; committed. */
    enum err (*idempotency_expire)(struct store *s, int64_t before_us, size_t limit, size_t *n);

    /* The books of the envelopes behind `after` that are not frozen, by id: at most limit, and not
     * many more than claims_max claims together; all of one moment. */
    enum err (*books_read)(struct store *s, const struct id *after, struct books *books,
                           size_t limit, size_t claims_max, size_t *n);
    /* Queues the credit of a claim anew; committed. ERR_DUPLICATE: it is queued. */
    enum err (*credit_requeue)(struct store *s, const struct claim *c);
    /* Freezes an envelope because of a rule (see books.h), or, with 0, thaws it: with its pending
     * credits, committed. *changed false: there is none, or it was so already. */
    enum err (*freeze)(struct store *s, const struct id *id, int64_t rule, bool *changed);
    /* Up to limit frozen envelopes with their rules; reads all envelopes. */
    enum err (*frozen_list)(struct store *s, struct frozen *out, size_t limit, size_t *n);

    /* Plain reads, no transaction left open. *found false: no such row. */
    enum err (*envelope_get)(struct store *s, const struct id *id, struct envelope *e, bool *found,
                             int64_t *now_us);
    /* *version 0: no such envelope. */
    enum err (*version_get)(struct store *s, const struct id *id, int64_t *version);
    enum err (*claim_get)(struct store *s, const struct id *id, const char *user, struct claim *c,
                          bool *found);
    enum err (*claims_page)(struct store *s, const struct id *id, int64_t after_seq, size_t limit,
                            struct claim *out, size_t *n);
    enum err (*account_get)(struct store *s, const char *user, struct account *a,
                            int64_t *pending_fen);
    enum err (*sent_page)(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                          const struct page_after *after, size_t limit, struct envelope *out,
                          size_t *n);
    enum err (*received_page)(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                              const struct page_after *after, size_t limit,
                              struct received_item *out, size_t *n);
    /* Totals of the year: the table's row plus what settle has not added yet. */
    enum err (*year_totals_get)(struct store *s, const char *user, int year, int64_t from_us,
                                int64_t to_us, struct year_totals *out);
    enum err (*ledger_page)(struct store *s, const char *user, const struct page_after *after,
                            size_t limit, struct transfer *out, size_t *n);
    enum err (*queue_state)(struct store *s, struct queue_state *out);
};
struct store {
    const struct store_ops *ops;
};

#endif
