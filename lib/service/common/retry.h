/* Runs the rows of a batch as one transaction, and again in the way each error demands, so that
 * nobody's error is another's:
 *   deadlock, unknown commit   the whole again: unique keys make it safe
 *   duplicate, out of range    in halves, down to the one at fault
 *   locked                     each lock's rows by themselves without waiting; a locked one is
 * parked for 1 s and its rows are turned out server away                once more on a new
 * connection, then refused */
#ifndef HONGBAO_SERVICE_COMMON_RETRY_H
#define HONGBAO_SERVICE_COMMON_RETRY_H

#include "lib/service/common/runtime.h"

struct retry_ops {
    /* One whole transaction over rows[0..n), committed; on success every row has its answer. On any
     * error it has been rolled back (or, uncertain, may have been applied). */
    enum err (*run)(void *context, void **rows, size_t n, bool nowait);
    /* Which lock a row needs: rows with equal numbers are run together. */
    uint64_t (*lock_of)(const void *row);
    /* Gives a row an error for its answer. */
    void (*refuse)(void *row, enum err err);
};
struct retry;
struct retry *retry_new(const struct runtime *runtime,
                        const struct retry_ops *ops); /* NULL: no memory */
void retry_free(struct retry *r);
/* Every row of rows[0..n), n <= BATCH_MAX, has an answer on return (turned out: ERR_LOCKED); none
 * is begun after deadline_us. rows is reordered. Thread-safe. */
void retry_rows(struct retry *r, void *context, void **rows, size_t n, int64_t deadline_us);

#endif
