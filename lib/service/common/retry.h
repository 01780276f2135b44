/* Run the rows of a batch as one transaction, and again as its error demands, so that the error of
 * one row never fails another:
 *
 *   deadlock, unknown commit,  the whole again (txn.h)
 *   server away
 *   duplicate, out of range    in halves, down to the row at fault
 *   locked                     the rows of each lock by themselves, without waiting for it;
 *                              a lock that is still held is parked for a second, and its rows
 *                              are turned out
 *   other                      all rows are refused with it
 */
#ifndef HONGBAO_SERVICE_COMMON_RETRY_H
#define HONGBAO_SERVICE_COMMON_RETRY_H

#include "lib/service/common/runtime.h"

struct retry_ops {
    /* Run one whole transaction over rows[0..n) and commit it; on success every row has its answer.
     * nowait: return ERR_LOCKED at once if a row's lock is held elsewhere. The caller rolls back
     * after an error. */
    enum err (*run)(void *context, void **rows, size_t n, bool nowait);
    /* Return a number for the lock that row needs: rows with equal numbers are run together. */
    uint64_t (*lock_of)(const void *row);
    /* Make err the answer of row. */
    void (*refuse)(void *row, enum err err);
};

struct retry;

/* Create the table of parked locks. ops and runtime must outlive it. Return NULL if out of memory.
 */
struct retry *retry_new(const struct runtime *runtime, const struct retry_ops *ops);

/* Free r, which no thread may be using. r may be NULL. */
void retry_free(struct retry *r);

/* Give every row of rows[0..n), 1 <= n <= BATCH_MAX, an answer: that of its transaction, or an
 * error by ops->refuse (ERR_LOCKED: turned out). store is the session that ops->run(context, ...)
 * uses. No transaction begins at or after deadline_us (monotonic). Reorder rows. Thread-safe. */
void retry_rows(struct retry *r, struct store *store, void *context, void **rows, size_t n,
                int64_t deadline_us);

#endif
