/* Reconciliation: compares all tables and the cache for each recent envelope, a few at a time. It
 * queues a lost credit again, which the unique key of transfers makes harmless, and replaces a
 * wrong gate, and removes a wrong marker; an envelope with any other disagreement it freezes, with
 * an alarm in the log. */
#ifndef HONGBAO_SERVICE_SETTLE_RECONCILE_H
#define HONGBAO_SERVICE_SETTLE_RECONCILE_H

#include "lib/service/common/runtime.h"

struct reconcile {
    struct id after; /* the last envelope compared; all zero: start with the oldest */
    bool resumed;    /* after has been read from the place that metrics.h keeps */
};

/* Compare the next few envelopes sent within settle.reconcile_days, over store and cache, and
 * advance *r, which begins as zeros and resumes where the last process stopped; after the newest
 * the next call starts with the oldest again. After an error *r is unchanged and the same envelopes
 * are compared again: ERR_UNAVAILABLE and other errors of the store, or ERR_FAULT if there is no
 * memory. Leaves no transaction open. */
MUST_USE enum err reconcile_step(const struct runtime *runtime, struct store *store,
                                 struct cache *cache, struct reconcile *r);

#endif
