/* Leader and followers: requests that wait in one process are run together. The first to come
 * becomes leader, takes up to BATCH_MAX of the queue, runs them, wakes them, and hands over. */
#ifndef HONGBAO_SERVICE_COMMON_BATCH_H
#define HONGBAO_SERVICE_COMMON_BATCH_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/metrics.h"
#include <stddef.h>

struct batch;

/* Runs members[0..n) (the items that were submitted, in order of arrival), each of which must have
 * got its own answer on return. `slot` 0..leaders-1: the leader's own resources. The earliest
 * deadline in the batch is passed on. Never called for two batches of one slot at once. */
typedef void batch_run_fn(void *context, unsigned slot, void **members, size_t n,
                          int64_t deadline_us);

struct batch_settings {
    unsigned leaders;   /* 1..4 */
    int64_t breaker_us; /* a batch that runs longer than this opens the breaker */
    enum metric_batch kind;
    batch_run_fn *run;
    void *context;
    /* Called when the last holder lets go of an item. */
    void (*release)(void *item);
};

/* NULL: no memory. settings is copied. metrics and clock must outlive it. */
struct batch *batch_new(const struct batch_settings *settings, const struct clock *clock,
                        struct metrics *metrics);
void batch_free(struct batch *b);

/* Gives items[0..n), 1 <= n <= BATCH_MAX (heap; ownership passes to the batch), together to the
 * next batch and waits. ERR_OK: each has its answer in it; the caller reads them and then calls
 * batch_release. ERR_UNAVAILABLE: the breaker is open or the deadline passed; ERR_FAULT: no memory;
 * the items are no longer the caller's and nothing may be read from them (their outcome is
 * unknown). *entry is the handle for batch_release. */
struct batch_entry;
MUST_USE enum err batch_submit(struct batch *b, void **items, size_t n, int64_t deadline_us,
                               struct batch_entry **entry);
void batch_release(struct batch *b, struct batch_entry *entry);

#endif
