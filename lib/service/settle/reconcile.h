/* Reconciliation: compares what all tables and the cache say of each envelope, a few at a time. It
 * queues a lost credit again (the booking's unique key makes that harmless) and replaces a wrong
 * gate; whatever else is wrong it freezes and says so in the log. */
#ifndef HONGBAO_SERVICE_SETTLE_RECONCILE_H
#define HONGBAO_SERVICE_SETTLE_RECONCILE_H

#include "lib/service/common/runtime.h"

struct reconcile {
    struct id after; /* the last envelope looked at; all zero: begin anew */
};

/* Looks at the next few envelopes of the last settle.reconcile_days; after the last of them the
 * next call begins anew. ERR_UNAVAILABLE and the like: nothing was looked at. */
MUST_USE enum err reconcile_step(const struct runtime *runtime, struct store *store,
                                 struct cache *cache, struct reconcile *r);

#endif
