/* The contract of the primary database: one short function per operation. A struct store is one
 * session, used by one thread at a time.
 *
 * Transactions. open_read, send_read, wallet_read, guest_write and credit_read begin one;
 * open_look, the *_write functions (thanks_write, too) and refund_write continue it; commit or
 * rollback ends it. year_totals_add and freeze begin and commit one of their own; entries_add, too,
 * if there is something to number; books_read begins one and rolls it back. Operations marked
 * "autocommit" are one statement that commits by itself. All others are plain reads and leave no
 * transaction open.
 *
 * Errors of every operation:
 *   ERR_UNAVAILABLE  the server was not reached, or the connection was lost (see below).
 *   ERR_DEADLOCK     the server rolled the transaction back; it may be run again.
 *   ERR_LOCKED       another transaction holds a row.
 *   ERR_DUPLICATE    a unique key exists already.
 *   ERR_RANGE        a value or a check constraint was refused.
 *   ERR_FAULT        a bug, a broken installation, or no memory; logged.
 *   ERR_UNCERTAIN    the reply to a commit was lost: commit and what commits inside only.
 * ERR_UNAVAILABLE rolls the transaction of the session back, but an autocommit statement may have
 * been executed. After any error the caller calls rollback. "No such row" is never an error: it is
 * a count or a flag of the result. Output arguments are undefined after an error unless stated.
 *
 * Deadline. An operation that begins after the session's deadline returns ERR_UNAVAILABLE; one that
 * is running ends at the whole-second time-outs of the client library.
 *
 * Locks are taken in this order: lane; envelope, with its seed; account; each in key order. Rows
 * are inserted and deleted after that. */
#ifndef HONGBAO_STORE_STORE_H
#define HONGBAO_STORE_STORE_H

#include "lib/base/batch_max.h"
#include "lib/base/err.h"
#include "lib/domain/books.h"
#include "lib/domain/views.h"
#include "lib/store/store_state.h"

/* How long a locking read waits for a row that another session has locked, before it returns
 * ERR_LOCKED. */
enum lock_wait {
    LOCK_WAIT_BRIEF, /* 0.25 s; as LOCK_WAIT_FULL where the engine has only whole seconds */
    LOCK_WAIT_NONE,
    LOCK_WAIT_FULL, /* as long as the session waits for any lock */
};

/* ---- opens: rows (envelope, user), distinct; envelopes sorted by id, distinct ---- */
struct open_row {
    struct id envelope; /* in */
    const char *user;   /* in */
    bool look;          /* in: look for an existing claim of the user */
    bool found;         /* in: false; out if look: the user has a claim */
    struct claim claim; /* out if found; in for open_write if insert */
    bool insert;        /* in for open_write: insert claim */
};
struct open_set {
    size_t n_envelopes, n_rows;           /* in, each 0..BATCH_MAX; n_envelopes at least 1 */
    struct id ids[BATCH_MAX];             /* in, sorted */
    bool exists[BATCH_MAX];               /* in: false; out */
    struct envelope envelopes[BATCH_MAX]; /* out: with the seed while open; in for write */
    int64_t opened_before[BATCH_MAX];     /* out: opened_shares as read */
    bool changed[BATCH_MAX];              /* in for open_write and refund_write */
    struct open_row rows[BATCH_MAX];
    int64_t now_us;           /* out: UTC_TIMESTAMP(6) of the primary, read after the locks */
    enum lock_wait lock_wait; /* in */
};

/* ---- sends: rows (user, key), distinct ---- */
struct send_row {
    char user[USER_SIZE];         /* in */
    uint8_t key_hash[32];         /* in: SHA-256 of user, route and Idempotency-Key */
    uint8_t body_hash[32];        /* in: SHA-256 of the request in canonical form */
    bool replay;                  /* in: false; out: the key is known */
    uint8_t replay_body_hash[32]; /* out if replay: body_hash of the first request */
    bool insert;                  /* in for send_write: insert envelope, transfer and key */
    struct envelope *envelope; /* in for send_write: with seed; out for a replay: as stored now */
    struct transfer transfer;  /* in for send_write */
};
struct send_set {
    size_t n_rows, n_accounts; /* in, each 1..BATCH_MAX */
    struct send_row rows[BATCH_MAX];
    struct account accounts[BATCH_MAX]; /* in: user, sorted, distinct; out: the locked row */
    bool changed[BATCH_MAX];            /* in for send_write: write the account */
    bool count_open[BATCH_MAX];         /* in: count the account's open envelopes */
    int64_t open_limit;                 /* in: count no further */
    int64_t open_count[BATCH_MAX];      /* out if count_open */
    int64_t now_us;                     /* out: UTC_TIMESTAMP(6) of the primary, after the locks */
    enum lock_wait lock_wait;           /* in */
};

/* ---- top-ups and withdrawals, one at a time ---- */
struct wallet_row {
    enum transfer_kind kind;             /* in: TOPUP or WITHDRAW */
    char user[USER_SIZE];                /* in */
    char backend[USER_SIZE];             /* in: not "" */
    char reference[REFERENCE_SIZE];      /* in; unique together with kind and backend */
    uint8_t key_hash[32], body_hash[32]; /* in; key_hash all zero: no key (hongbaoctl) */
    struct account account;              /* out: the locked row, if it exists */
    bool key_known;                      /* out: the key was used before */
    uint8_t key_body_hash[32];           /* out if key_known: body_hash of the first request */
    bool reference_known;                /* out: the reference was used before, by the back end
                                          * or in version 0.1 by any */
    struct transfer known;               /* out if reference_known: its transfer */
    int64_t now_us;                      /* out: UTC_TIMESTAMP(6) of the primary */
    struct transfer transfer;            /* in for wallet_write */
};

/* ---- settle ---- */
#define CREDIT_BATCH_MAX 512
#define LANES 16
struct credit {
    char user[USER_SIZE];
    struct id envelope;
    int64_t seq, amount_fen, opened_us;
    int64_t attempts; /* how often it was postponed */
};
/* Return true if the bit mask lanes has at most one lane. */
static inline bool lanes_single(uint32_t lanes)
{
    return (lanes & (lanes - 1)) == 0;
}
struct credit_set {
    uint32_t lanes; /* in, not 0: bit i selects lane i */
    /* Out: the lanes are locked and rows holds the credits to book. False: another daemon holds one
     * of the lanes, or there are several lanes and they hold limit_largest + limit_oldest credits
     * or more. */
    bool taken;
    size_t limit_largest, limit_oldest; /* in: rows of one lane; together <= CREDIT_BATCH_MAX */
    int64_t old_after_us; /* in: read only the oldest once one has waited longer than this */
    size_t n;             /* out: rows, distinct, sorted by user and envelope */
    struct credit rows[CREDIT_BATCH_MAX];
    int64_t now_us; /* out: UTC_TIMESTAMP(6) of the primary, read after the locks */
};
#define CLOSINGS_MAX 256
struct closing { /* a closed envelope that the year totals do not include yet */
    struct id id;
    enum envelope_state state;
    bool restricted; /* it has recipients */
};
struct frozen {
    struct id envelope;
    int64_t rule; /* enum books_rule */
};

struct clock_row {         /* what settle thinks of the primary's clock; times of the primary */
    int64_t now_us;        /* UTC_TIMESTAMP(6) of the primary */
    int64_t seen_us;       /* when settle last trusted it; 0: never */
    int64_t held_us;       /* since when refunds wait for it; 0: they do not */
    int64_t keys_after_us; /* no idempotency key is deleted before this time; 0: any time */
};

/* ---- queries ---- */
struct queue_state {                      /* for metrics and readiness */
    int64_t pending_credits, pending_fen; /* number and sum of all credits */
    int64_t oldest_opened_us;             /* when the oldest was opened; 0: none */
    int64_t overdue_refunds;              /* open envelopes past due */
    int64_t clock_held_us;                /* of struct clock_row */
    int64_t now_us;                       /* UTC_TIMESTAMP(6) of the primary */
};

struct store;
struct store_ops {
    /* Close the connection and free s. */
    void (*close)(struct store *s);
    /* Set the deadline of the operations that follow to mono_us: monotonic, 0 for none. commit
     * ignores it; rollback after it closes the connection instead of waiting for the server. */
    void (*set_deadline)(struct store *s, int64_t mono_us);
    /* Commit the transaction. ERR_UNCERTAIN if the reply was lost. */
    enum err (*commit)(struct store *s);
    /* Roll back the transaction, if there is one. Never fails and leaves a session that can be used
     * again; it reconnects at the next operation if the connection is gone. */
    void (*rollback)(struct store *s);
    /* Read the generation of the database into out. */
    enum err (*generation)(struct store *s, uint8_t out[16]);
    /* Read which patches of sql/ the database has into *out. */
    enum err (*schema)(struct store *s, struct schema_state *out);
    /* Make everything durable that was visible when this call began, by a commit to a row of this
     * process. Autocommit; not inside a transaction. */
    enum err (*barrier)(struct store *s);

    /* Begin a transaction, lock the envelopes of set and read them, and read the claims of the rows
     * with look. Fills the members of set marked out. */
    enum err (*open_read)(struct store *s, struct open_set *set);
    /* Read the claims of the rows with look, at least one, in the transaction of open_read; look
     * was not set for them in open_read. */
    enum err (*open_look)(struct store *s, struct open_set *set);
    /* Insert the claims of set and their credits, and write the changed envelopes, which were open
     * when read. At least one is changed. ERR_DUPLICATE: a user has a claim already. */
    enum err (*open_write)(struct store *s, const struct open_set *set);

    /* Store the thanks of claim c and raise the version of its envelope, open or closed, in the
     * transaction of open_read, which found the claim with other thanks. */
    enum err (*thanks_write)(struct store *s, const struct claim *c);

    /* Begin a transaction, lock and read the accounts of set, and read what is stored under the
     * keys of its rows. Fills the members of set marked out. */
    enum err (*send_read)(struct store *s, struct send_set *set);
    /* Insert keys, envelopes, seeds and transfers of the rows of set with insert, at least one, and
     * write the changed accounts. ERR_DUPLICATE: a key is known. */
    enum err (*send_write)(struct store *s, const struct send_set *set);
    /* Set *busy if a running transaction holds the row of key_hash. Autocommit; call it after
     * send_read or send_write returned ERR_LOCKED and the transaction was rolled back. */
    enum err (*key_in_progress)(struct store *s, const uint8_t key_hash[32], bool *busy);

    /* Every transfer that is inserted gets the next entry of its user and the time when it is
     * booked, under the lock of the account: so the entries of a user become visible in their
     * order. */

    /* Begin a transaction and insert an account for guest user, called name, with its first
     * transfer topup. ERR_DUPLICATE: the user exists. */
    enum err (*guest_write)(struct store *s, const char *user, const char *name,
                            const struct transfer *topup);
    /* Count the accounts of guests that have not ended, no further than limit, into *n. */
    enum err (*guests_count)(struct store *s, int64_t limit, int64_t *n);
    /* Read at most limit guests that have not ended, in key order behind user id `after`, without a
     * transfer since before_us but the withdrawal of their end, a pending credit or an open
     * envelope, into out and set *n. */
    enum err (*guests_idle)(struct store *s, int64_t before_us, const char *after, size_t limit,
                            struct account *out, size_t *n);
    /* End guest user, if its balance is 0: clear its name. The row stays, since it numbers the
     * transfers. Autocommit. */
    enum err (*guest_end)(struct store *s, const char *user);
    /* Begin a transaction, lock the account of row and read what is stored under its key and its
     * reference. Fills the members of row marked out. */
    enum err (*wallet_read)(struct store *s, struct wallet_row *row);
    /* Insert the transfer of row and its key, if it has one, and write transfer.balance_fen to the
     * account, creating it if it does not exist. ERR_DUPLICATE: key or reference is known. */
    enum err (*wallet_write)(struct store *s, const struct wallet_row *row);

    /* Set bit i of *lanes where lane i has credits that may be booked now. */
    enum err (*credit_lanes)(struct store *s, uint32_t *lanes);
    /* Begin a transaction, lock the lanes of set and read credits to book: of a single lane the
     * oldest and the largest, of several lanes all. Fills the members of set marked out; a lane
     * held by another daemon is no error. */
    enum err (*credit_read)(struct store *s, struct credit_set *set);
    /* Book the credits of set: insert transfers[0..set->n), which correspond to its rows, add the
     * amounts to the balances, creating accounts that do not exist, and to the year totals of the
     * years that begin year_offset_min minutes east of UTC, and delete the credits. ERR_FAULT if a
     * credit was gone. ERR_DUPLICATE: a claim was credited before. */
    enum err (*credit_write)(struct store *s, const struct credit_set *set,
                             const struct transfer *transfers, int year_offset_min);
    /* Hide credit c from credit_read until not_before_us and count the attempt. Autocommit. */
    enum err (*credit_postpone)(struct store *s, const struct credit *c, int64_t not_before_us);
    /* Read the ids of at most limit open envelopes past due that are not frozen, earliest deadline
     * first, into ids and set *n. */
    enum err (*due_list)(struct store *s, struct id *ids, size_t limit, size_t *n);
    /* Write the changed envelopes of set, which are closed now, insert transfers[0..n), 1 <= n <=
     * BATCH_MAX, and add their amounts to the senders' balances. A transfer with amount_fen 0 is
     * skipped. ERR_DUPLICATE: an envelope was refunded before. */
    enum err (*refund_write)(struct store *s, const struct open_set *set,
                             const struct transfer *transfers, size_t n);
    /* Read at most limit closings, oldest envelope first, into out and set *n. */
    enum err (*closing_list)(struct store *s, struct closing *out, size_t limit, size_t *n);
    /* Add closings[0..n), 1 <= n <= CLOSINGS_MAX, to the year totals of the years that begin
     * year_offset_min minutes east of UTC and delete them, skipping those that are gone. Commits.
     * *done is the number added, 0 after an error. */
    enum err (*year_totals_add)(struct store *s, int year_offset_min,
                                const struct closing *closings, size_t n, size_t *done);
    /* Delete at most limit idempotency keys stored before before_us (UTC) and set *n. Autocommit.
     */
    enum err (*idempotency_expire)(struct store *s, int64_t before_us, size_t limit, size_t *n);

    /* Look at the limit accounts above after, in order of user id. If one of them has transfers
     * without an entry, which programs of version 0.1 add, number those of the first such user as
     * the last booked, set after to that user and *numbered; else set after to the last user, or to
     * "" at the end of the table. Commits. */
    enum err (*entries_add)(struct store *s, char after[USER_SIZE], size_t limit, bool *numbered);

    /* Read the table clock and the primary's time into *out. */
    enum err (*clock_read)(struct store *s, struct clock_row *out);
    /* Write the members of row to the table clock but for now_us; keys_after_us is only raised.
     * Autocommit. */
    enum err (*clock_write)(struct store *s, const struct clock_row *row);

    /* Store that all programs on host name, of at most 63 bytes, work with generation at this time.
     * Autocommit. */
    enum err (*host_beat)(struct store *s, const char *name, const uint8_t generation[16]);
    /* Read into *beat_us the newest time of host_beat, by the primary's clock; 0: none. */
    enum err (*last_beat)(struct store *s, int64_t *beat_us);

    /* Read the books of the envelopes with ids above *after that are not frozen, in order of id,
     * into books and set *n, 0 after an error: at most limit envelopes with at most claims_max
     * opened shares together, but at least one envelope if there is any. All of one snapshot. */
    enum err (*books_read)(struct store *s, const struct id *after, struct books *books,
                           size_t limit, size_t claims_max, size_t *n);
    /* Insert the credit of claim c again. Autocommit. ERR_DUPLICATE: it is queued. */
    enum err (*credit_requeue)(struct store *s, const struct claim *c);
    /* Freeze envelope id because of rule (enum books_rule), or unfreeze it if rule is 0, and hide
     * or show its credits. Commits. *changed is false if there is no such envelope or it was in
     * that state already. */
    enum err (*freeze)(struct store *s, const struct id *id, int64_t rule, bool *changed);
    /* Read at most limit frozen envelopes with their rules into out and set *n. Scans the table. */
    enum err (*frozen_list)(struct store *s, struct frozen *out, size_t limit, size_t *n);

    /* Read envelope id into *e, with the seed only if it is closed, and the primary's time into
     * *now_us. *found is false if there is none. */
    enum err (*envelope_get)(struct store *s, const struct id *id, struct envelope *e, bool *found,
                             int64_t *now_us);
    /* Read the version of envelope id into *version; 0 if there is none. */
    enum err (*version_get)(struct store *s, const struct id *id, int64_t *version);
    /* Read the claim of user on envelope id into *c. *found is false if there is none. */
    enum err (*claim_get)(struct store *s, const struct id *id, const char *user, struct claim *c,
                          bool *found);
    /* Read at most limit claims of envelope id with a seq above after_seq, in order of seq, into
     * out and set *n. */
    enum err (*claims_page)(struct store *s, const struct id *id, int64_t after_seq, size_t limit,
                            struct claim *out, size_t *n);
    /* Read the account of user into *a, with exists false if there is none, and the sum of the
     * user's credits into *pending_fen, both of one moment. */
    enum err (*account_get)(struct store *s, const char *user, struct account *a,
                            int64_t *pending_fen);
    /* Read at most limit envelopes that user sent from from_us until before to_us (UTC), newest
     * first, those behind the cursor *after if it is set, into out and set *n. */
    enum err (*sent_page)(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                          const struct page_after *after, size_t limit, struct envelope *out,
                          size_t *n);
    /* Read at most limit (<= PAGE_ROOM) claims that user opened from from_us until before to_us
     * (UTC), credited or not, newest first, those behind the cursor *after if it is set, into out
     * and set *n. */
    enum err (*received_page)(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                              const struct page_after *after, size_t limit,
                              struct received_item *out, size_t *n);
    /* Read the totals of user for year, which lasts from from_us until to_us (UTC), into *out: the
     * table's row plus what settle has not added yet. */
    enum err (*year_totals_get)(struct store *s, const char *user, int year, int64_t from_us,
                                int64_t to_us, struct year_totals *out);
    /* Read at most limit transfers of user, the last booked first, those with an entry below
     * after->seq if *after is set, into out and set *n. If there is one, set *balance_fen to the
     * balance of user at the same moment. */
    enum err (*ledger_page)(struct store *s, const char *user, const struct page_after *after,
                            size_t limit, struct transfer *out, size_t *n, int64_t *balance_fen);
    /* Read at most limit rules of users behind after ("": all), in order of user, into out and set
     * *n. */
    enum err (*user_rules)(struct store *s, const char *after, size_t limit, struct user_rule *out,
                           size_t *n);
    /* Read state and recipients of the envelopes ids[0..n), distinct, 1 <= n <= BATCH_MAX, into
     * out[0..n), with exists false for those that there are not. */
    enum err (*envelope_ends)(struct store *s, const struct id *ids, size_t n,
                              struct envelope_end *out);
    /* Read where the money is into *out, from one snapshot. Scans the table of accounts. */
    enum err (*money_state)(struct store *s, struct money_state *out);
    /* Read the size and age of the queues into *out. */
    enum err (*queue_state)(struct store *s, struct queue_state *out);
};
struct store {
    const struct store_ops *ops;
};

#endif
