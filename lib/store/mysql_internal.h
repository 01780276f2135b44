/* What the mysql_*.c files share; nobody else includes it. A session sends one text of statements
 * at a time and takes their results in order: struct buf *q = sql_begin(s); buf_puts(q, "SELECT ..;
 * UPDATE .."); sql_send(s); sql_rows(s, ..); sql_affected(s, ..); The first error sticks until the
 * next sql_begin. */
#ifndef HONGBAO_STORE_MYSQL_INTERNAL_H
#define HONGBAO_STORE_MYSQL_INTERNAL_H

#include "lib/base/buf.h"
#include "lib/store/mysql.h"
#include <mysql.h>

struct mysql_store {
    struct store store;
    const struct mysql_settings *settings;
    const struct clock *clock;
    MYSQL *link; /* NULL: not connected */
    int64_t deadline_us;
    struct buf sql;
    bool in_transaction; /* a begun one is never carried over to a new connection */
    bool more;           /* a result waits to be taken */
    bool brief_locks;    /* the statement under way came after sql_lock_briefly */
    bool mariadb;        /* what the server says it is */
    enum err step_err;
};

static inline struct mysql_store *mysql_of(struct store *s)
{
    return (struct mysql_store *)s;
}

/* ---- sending ---- */
struct buf *sql_begin(struct mysql_store *s);
/* Sends the text, connecting first if there is no connection and no transaction. */
MUST_USE enum err sql_send(struct mysql_store *s);
/* Sends, and takes the results of statements that return no rows. */
MUST_USE enum err sql_run(struct mysql_store *s);
/* The outcome that the last error of the connection means; a fault is logged. */
MUST_USE enum err sql_classify(const struct mysql_store *s);
/* Makes err stick. Returns it. */
enum err sql_fail(struct mysql_store *s, enum err err);
/* True if the last error says that the connection itself is gone. */
bool sql_lost(const struct mysql_store *s);
void sql_disconnect(struct mysql_store *s);
/* BEGIN is to be part of the text; this remembers it. */
void sql_transaction(struct mysql_store *s);
/* Before a SELECT ... FOR UPDATE: it gives up on locked rows (ERR_LOCKED) well before the batch
 * that waits with it opens the breaker. The server's own lock wait, in whole seconds, is longer.
 * Nothing with nowait, or where the server has no such limit (MySQL). */
void sql_lock_briefly(struct mysql_store *s, bool nowait);

/* ---- results ---- */
struct sql_row {
    MYSQL_ROW values;
    unsigned long *lengths;
    unsigned at; /* the next column */
};
typedef void sql_row_fn(void *context, struct sql_row *row);
/* Takes the rows of the next statement. */
MUST_USE enum err sql_rows(struct mysql_store *s, sql_row_fn *each, void *context);
/* The same, row by row as they come: for results that do not fit in memory. */
MUST_USE enum err sql_stream(struct mysql_store *s, sql_row_fn *each, void *context);
/* Takes the outcome of the next statement that returns no rows; n may be NULL. */
MUST_USE enum err sql_affected(struct mysql_store *s, uint64_t *n);
/* Takes it, and says ERR_FAULT unless exactly n rows were changed. */
MUST_USE enum err sql_affected_exactly(struct mysql_store *s, uint64_t n);
bool row_null(struct sql_row *r); /* the next column is NULL; does not move on */
int64_t row_i64(struct sql_row *r);
void row_text(struct sql_row *r, char *out, size_t cap);
void row_bytes(struct sql_row *r, void *out, size_t n); /* NULL reads as zeros */

/* ---- text ---- */
void sql_id(struct buf *q, const struct id *id);
void sql_bytes(struct buf *q, const void *bytes, size_t n);
void sql_user(struct buf *q, const char *user); /* asserts its characters; '' for "" */
void sql_text(struct buf *q, const char *text);
/* Appends ", " unless first. */
/* before, then the number. */
void sql_number(struct buf *q, const char *before, int64_t n);
void sql_comma(struct buf *q, bool first);
/* Microseconds since 1970 on the primary; to be read in a statement of its own, after the locks. */
#define SQL_NOW "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
void row_take_i64(void *context, struct sql_row *row); /* sql_row_fn into an int64_t */

/* ---- shared pieces of operations ---- */
/* Columns of an envelope, from `envelope e LEFT JOIN seed s`, as envelope_take reads them. */
extern const char sql_envelope_columns[];
/* The same without the seeds of open envelopes: for those who may not read them. */
extern const char sql_envelope_columns_public[];
void envelope_take(struct sql_row *row, struct envelope *e);
/* Columns of a transfer, as transfer_take reads them. */
extern const char sql_transfer_columns[];
void transfer_take(struct sql_row *row, struct transfer *t);
/* "INSERT INTO transfer .. VALUES" and one row of it. */
extern const char sql_transfer_insert[];
void sql_transfer_values(struct buf *q, const struct transfer *t);
/* UPDATE of what changes in the changed envelopes of set (at least one), which must be open.
 * Returns how many rows it must change. */
size_t sql_envelopes_update(struct buf *q, const struct open_set *set);
/* For the closed among set's changed envelopes: seeds deleted, closing queued. *n: how many. */
void sql_closings(struct buf *q, const struct open_set *set, size_t *n);
/* Takes the results of sql_closings. */
MUST_USE enum err sql_closings_take(struct mysql_store *s, size_t n);
unsigned lane_of(const char *user); /* 0..LANES-1 */

/* ---- operations, one or a few a file ---- */
enum err mysql_open_read(struct store *s, struct open_set *set);
enum err mysql_open_look(struct store *s, struct open_set *set);
enum err mysql_open_write(struct store *s, const struct open_set *set);
enum err mysql_send_read(struct store *s, struct send_set *set);
enum err mysql_send_write(struct store *s, const struct send_set *set);
enum err mysql_key_in_progress(struct store *s, const uint8_t key_hash[32], bool *busy);
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
enum err mysql_tally_run(struct store *s, int year_offset_min, const struct closing *closings,
                         size_t n, size_t *done);
enum err mysql_idempotency_expire(struct store *s, int64_t before_us, size_t limit, size_t *n);
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
                           size_t limit, struct transfer *out, size_t *n);
enum err mysql_queue_state(struct store *s, struct queue_state *out);

#endif
