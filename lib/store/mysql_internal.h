/* Functions shared by the mysql_*.c files; no other file includes it. A session sends one text of
 * statements at a time and takes their results in order:
 *   struct buf *q = sql_begin(s); buf_puts(q, "SELECT ..; UPDATE .."); sql_send(s);
 *   sql_rows(s, ..); sql_affected(s, ..);
 * The first error sticks until the next sql_begin, so a chain of calls returns it. The errors are
 * those of store.h. */
#ifndef HONGBAO_STORE_MYSQL_INTERNAL_H
#define HONGBAO_STORE_MYSQL_INTERNAL_H

#include "lib/base/buf.h"
#include "lib/store/mysql.h"
#include <mysql.h>

struct mysql_store {
    struct store store;
    const struct mysql_settings *settings;
    const struct clock *clock;
    MYSQL *link;    /* NULL: not connected */
    size_t server;  /* of settings->servers, to which link leads */
    unsigned turn;  /* of settings->servers when it connected */
    bool leaves;    /* the server does not serve; connect again */
    bool read_only; /* the server can be read only */
    bool guarded;   /* the text begins with the question whether it is */
    int64_t deadline_us;
    struct buf sql;
    bool in_transaction; /* never carried over to a new connection */
    bool begins;         /* the statement text begins a transaction */
    bool more;           /* a result waits to be taken */
    bool brief_locks;    /* the statement being run came after sql_lock_briefly */
    bool mariadb;        /* the server is MariaDB, not MySQL */
    enum err step_err;   /* the error that sticks */
    unsigned error;      /* the server's number of the last error that was classified */
};

/* Return the session that implements s. */
static inline struct mysql_store *mysql_of(struct store *s)
{
    return (struct mysql_store *)s;
}

/* ---- sending ---- */
/* Discard results that were not taken, clear the error of s and return its empty statement text, to
 * which the caller appends. */
struct buf *sql_begin(struct mysql_store *s);
/* Send the text of s, connecting first if there is no connection and no transaction. If the server
 * has closed an idle session, connect again and send the text once more, unless it belongs to a
 * transaction in progress or may have changed something. */
MUST_USE enum err sql_send(struct mysql_store *s);
/* Send the text of s and take the results of its statements, none of which returns rows. */
MUST_USE enum err sql_run(struct mysql_store *s);
/* Return the outcome for the last error of the connection of s, and report it to the state of the
 * server. */
MUST_USE enum err sql_classify(struct mysql_store *s);
/* Make err the error that sticks to s, and return it. */
enum err sql_fail(struct mysql_store *s, enum err err);
/* Connect s, which is not connected, to the server that the process uses; if that cannot be
 * written, to the first that can; if none can, to one that can be read. */
MUST_USE enum err sql_open_link(struct mysql_store *s);
/* Make the server of s the one that the process uses. */
void sql_use_server(struct mysql_store *s);
/* An expression of SQL: 1 if the server can be read only, else 0. */
#define SQL_READ_ONLY "@@global.read_only NOT IN ('0', 'OFF')"
/* Take the result of SELECT SQL_READ_ONLY from link into *read_only and go on to the next one, as
 * mysql_next_result. */
int sql_take_read_only(MYSQL *link, bool *read_only);
/* Return true if the deadline of s has passed. */
bool sql_late(const struct mysql_store *s);
/* Return true if the last error of s means that its connection is gone, or is to be given up. */
bool sql_lost(const struct mysql_store *s);
/* Close the connection of s, which ends its transaction. */
void sql_disconnect(struct mysql_store *s);
/* Append BEGIN to the text of s, which must be empty, and record that a transaction begins. */
void sql_transaction(struct mysql_store *s);
/* Append two statements without rows to the text of s, which must be empty: they begin a
 * transaction whose reads all see the state of this moment. Ends with a rollback. */
void sql_snapshot(struct mysql_store *s);
/* Append to the text of s what limits the lock wait of the SELECT ... FOR UPDATE that follows: for
 * LOCK_WAIT_BRIEF a statement time of 0.25 s, which ends well before the stall detector takes the
 * wait for a stall; the server's own lock wait, in whole seconds, is longer. MySQL has no such
 * limit. Append nothing for the others: the caller appends NOWAIT for LOCK_WAIT_NONE. */
void sql_lock_wait(struct mysql_store *s, enum lock_wait wait);

/* ---- results ---- */
struct sql_row {
    MYSQL_ROW values;
    unsigned long *lengths;
    unsigned at; /* the next column */
};
/* Take the values of one row with the row_* functions, in the order of the columns. */
typedef void sql_row_fn(void *context, struct sql_row *row);
/* Take the rows of the next statement of s: call each(context, row) for every one. */
MUST_USE enum err sql_rows(struct mysql_store *s, sql_row_fn *each, void *context);
/* Take the rows of the next statement of s as they arrive: call each(context, row) for every one.
 * For results that do not fit in memory. */
MUST_USE enum err sql_stream(struct mysql_store *s, sql_row_fn *each, void *context);
/* Take the outcome of the next statement of s, which returns no rows; set *n to the rows that it
 * changed unless n is NULL. */
MUST_USE enum err sql_affected(struct mysql_store *s, uint64_t *n);
/* Take the outcome of the next statement of s, which returns no rows; ERR_FAULT, logged, unless it
 * changed exactly n rows. */
MUST_USE enum err sql_affected_exactly(struct mysql_store *s, uint64_t n);
/* Return true if the next column of r is NULL, without taking it. */
bool row_null(struct sql_row *r);
/* Take the next column of r as a number; NULL reads as 0. */
int64_t row_i64(struct sql_row *r);
/* Take the next column of r as text into out, which holds cap bytes; NULL and text that does not
 * fit read as "". */
void row_text(struct sql_row *r, char *out, size_t cap);
/* Take the next column of r as n bytes into out; NULL and missing bytes read as zeros. */
void row_bytes(struct sql_row *r, void *out, size_t n);
/* Take the next column of row as a number into the int64_t at context; a sql_row_fn. */
void row_take_i64(void *context, struct sql_row *row);

/* ---- text ---- */
/* Append id to q as a hex literal. */
void sql_id(struct buf *q, const struct id *id);
/* Append n bytes to q as a hex literal. */
void sql_bytes(struct buf *q, const void *bytes, size_t n);
/* Append user to q as a literal of the character set ascii, whatever it holds. */
void sql_user(struct buf *q, const char *user);
/* Append UTF-8 text to q as a hex literal. */
void sql_text(struct buf *q, const char *text);
/* Append the string before and then n to q. */
void sql_number(struct buf *q, const char *before, int64_t n);
/* Append ", " to q unless first. */
void sql_comma(struct buf *q, bool first);
/* Return true if name needs no escaping: 1..63 of A-Z a-z 0-9 _ or *. */
bool sql_plain_name(const char *name);
struct admin;
/* Return the session of a. */
struct mysql_store *admin_session(struct admin *a);
/* Microseconds since 1970 on the primary; read it in a statement of its own, after the locks. */
#define SQL_NOW "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"

/* ---- shared pieces of operations ---- */
enum sql_seed {
    SQL_SEED_PUBLIC, /* of closed envelopes: for users that may not read the table seed */
    SQL_SEED_SECRET  /* of all: needs `envelope e LEFT JOIN seed s` */
};
/* Append the columns of an envelope `e` to q, as envelope_take reads them, with the seed as seed
 * selects. */
void sql_envelope_columns(struct buf *q, enum sql_seed seed);
/* Take the columns of sql_envelope_columns from row into *e. */
void envelope_take(struct sql_row *row, struct envelope *e);
/* Append "INSERT INTO envelope (columns) VALUES " to q. */
void sql_envelope_insert(struct buf *q);
/* Append the values of e, in parentheses, for sql_envelope_insert to q. */
void sql_envelope_values(struct buf *q, const struct envelope *e);
/* Columns of a transfer, as transfer_take reads them. */
extern const char sql_transfer_columns[];
/* Take the columns sql_transfer_columns from row into *t. */
void transfer_take(struct sql_row *row, struct transfer *t);
/* "INSERT INTO transfer .. VALUES ". */
extern const char sql_transfer_insert[];
/* Append the values of t, in parentheses, for sql_transfer_insert to q. A statement of the same
 * transaction before it has locked the account and added the number of the user's transfers to
 * account.entries; behind: how many of them come after t. */
void sql_transfer_values(struct buf *q, const struct transfer *t, size_t behind);
/* Append an UPDATE of the members that change in the changed envelopes of set, at least one, to q.
 * They must be open. Return the number of rows that it must change. */
size_t sql_envelopes_update(struct buf *q, const struct open_set *set);
/* Append statements to q that delete the seeds of the changed envelopes of set that are closed now
 * and queue their closings; nothing if there are none. Set *n to their number. */
void sql_closings(struct buf *q, const struct open_set *set, size_t *n);
/* Take the results of sql_closings, which found n envelopes. */
MUST_USE enum err sql_closings_take(struct mysql_store *s, size_t n);
/* Return the lane of user, 0..LANES-1: the first byte of its SHA-256. */
unsigned lane_of(const char *user);

/* ---- the operations of store.h, which holds their contracts ---- */
enum err mysql_open_read(struct store *s, struct open_set *set);
enum err mysql_open_look(struct store *s, struct open_set *set);
enum err mysql_thanks_write(struct store *s, const struct claim *c);
enum err mysql_open_write(struct store *s, const struct open_set *set);
enum err mysql_send_read(struct store *s, struct send_set *set);
enum err mysql_send_write(struct store *s, const struct send_set *set);
enum err mysql_key_in_progress(struct store *s, const uint8_t key_hash[32], bool *busy);
enum err mysql_guests_count(struct store *s, int64_t limit, int64_t *n);
enum err mysql_guests_idle(struct store *s, int64_t before_us, const char *after, size_t limit,
                           struct account *out, size_t *n);
enum err mysql_guest_end(struct store *s, const char *user);
enum err mysql_guest_write(struct store *s, const char *user, const char *name,
                           const struct transfer *topup);
enum err mysql_wallet_read(struct store *s, struct wallet_row *row);
enum err mysql_wallet_write(struct store *s, const struct wallet_row *row);
enum err mysql_credit_lanes(struct store *s, uint32_t *lanes);
enum err mysql_credit_read(struct store *s, struct credit_set *set);
enum err mysql_credit_write(struct store *s, const struct credit_set *set,
                            const struct transfer *transfers, int year_offset_min);
enum err mysql_credit_postpone(struct store *s, const struct credit *c, int64_t not_before_us);
enum err mysql_due_list(struct store *s, struct id *ids, size_t limit, size_t *n);
enum err mysql_refund_write(struct store *s, const struct open_set *set,
                            const struct transfer *transfers, size_t n);
enum err mysql_closing_list(struct store *s, struct closing *out, size_t limit, size_t *n);
enum err mysql_year_totals_add(struct store *s, int year_offset_min, const struct closing *closings,
                               size_t n, size_t *done);
enum err mysql_idempotency_expire(struct store *s, int64_t before_us, size_t limit, size_t *n);
enum err mysql_entries_add(struct store *s, char after[USER_SIZE], size_t limit, bool *numbered);
enum err mysql_clock_read(struct store *s, struct clock_row *out);
enum err mysql_clock_write(struct store *s, const struct clock_row *row);
enum err mysql_host_beat(struct store *s, const char *name, const uint8_t generation[16]);
enum err mysql_last_beat(struct store *s, int64_t *beat_us);
enum err mysql_books_read(struct store *s, const struct id *after, struct books *books,
                          size_t limit, size_t claims_max, size_t *n);
enum err mysql_credit_requeue(struct store *s, const struct claim *c);
enum err mysql_freeze(struct store *s, const struct id *id, int64_t rule, bool *changed);
enum err mysql_frozen_list(struct store *s, struct frozen *out, size_t limit, size_t *n);
enum err mysql_envelope_get(struct store *s, const struct id *id, struct envelope *e, bool *found,
                            int64_t *now_us);
enum err mysql_version_get(struct store *s, const struct id *id, int64_t *version);
enum err mysql_claim_get(struct store *s, const struct id *id, const char *user, struct claim *c,
                         bool *found);
enum err mysql_claims_page(struct store *s, const struct id *id, int64_t after_seq, size_t limit,
                           struct claim *out, size_t *n);
enum err mysql_account_get(struct store *s, const char *user, struct account *a,
                           int64_t *pending_fen);
enum err mysql_sent_page(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                         const struct page_after *after, size_t limit, struct envelope *out,
                         size_t *n);
enum err mysql_received_page(struct store *s, const char *user, int64_t from_us, int64_t to_us,
                             const struct page_after *after, size_t limit,
                             struct received_item *out, size_t *n);
enum err mysql_year_totals_get(struct store *s, const char *user, int year, int64_t from_us,
                               int64_t to_us, struct year_totals *out);
enum err mysql_ledger_page(struct store *s, const char *user, const struct page_after *after,
                           size_t limit, struct transfer *out, size_t *n, int64_t *balance_fen);
enum err mysql_user_rules(struct store *s, const char *after, size_t limit, struct user_rule *out,
                          size_t *n);
enum err mysql_envelope_ends(struct store *s, const struct id *ids, size_t n,
                             struct envelope_end *out);
enum err mysql_money_state(struct store *s, struct money_state *out);
enum err mysql_queue_state(struct store *s, struct queue_state *out);

#endif
