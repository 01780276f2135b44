/* One runner for transactions that may have to be run again. */
#ifndef HONGBAO_SERVICE_COMMON_TXN_H
#define HONGBAO_SERVICE_COMMON_TXN_H

#include "lib/service/common/runtime.h"

/* Run one whole transaction on store for context, commit included. Return ERR_OK if it is
 * committed, or if nothing was to be written (a transaction that was only read is then still to be
 * rolled back, by the function itself). After any error the runner rolls back. It may be called
 * again, and must then start from the beginning. */
typedef enum err txn_fn(struct store *store, void *context);

struct txn_policy {
    unsigned tries_max;    /* at least 1 */
    bool repeat_duplicate; /* ERR_DUPLICATE is an equal transaction that came first: read again */
    bool next_round;       /* a background round: ERR_LOCKED, ERR_DEADLOCK and ERR_UNCERTAIN are
                            * left to the next one, and reported as ERR_OK */
    int64_t deadline_us;   /* no try begins at or after this (monotonic); 0: no deadline */
};

/* Run fn(store, context) until it succeeds or policy forbids another try:
 *   ERR_DEADLOCK     again, after a short random pause
 *   ERR_UNCERTAIN    again: unique keys make "already done" a plain answer; counted
 *   ERR_UNAVAILABLE  once more, on a new connection
 *   other errors     returned as they are
 * Return ERR_OK, or the error of fn; ERR_UNAVAILABLE if an error that calls for another try
 * outlasts the tries or the deadline. No transaction is left open. */
MUST_USE enum err txn_run(const struct runtime *runtime, struct store *store, txn_fn *fn,
                          void *context, const struct txn_policy *policy);

#endif
