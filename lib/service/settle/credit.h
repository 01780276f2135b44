/* Adds claims to the balances of their users, largest first, each exactly once. */
#ifndef HONGBAO_SERVICE_SETTLE_CREDIT_H
#define HONGBAO_SERVICE_SETTLE_CREDIT_H

#include "lib/service/common/runtime.h"

/* Credit one batch of lane i for a single bit i of lanes, or everything of several lanes if they
 * hold less than a batch together, over the session store. lanes is not 0. *credited is the number
 * of claims credited; 0 if there is nothing to credit, another daemon holds a lane, or several
 * lanes hold too much. If the data of a batch is refused, a single lane is credited claim by claim,
 * and a claim that fails alone is postponed (1 s, doubling to 1 h) and counted; of several lanes
 * nothing is credited. ERR_UNAVAILABLE: the batch was not credited or is uncertain; call again, the
 * unique key of transfers prevents a second credit. ERR_FAULT: no memory, or a fault of a single
 * lane that postponing did not remove. Leaves no transaction open. */
MUST_USE enum err credit_run_lanes(const struct runtime *runtime, struct store *store,
                                   uint32_t lanes, size_t *credited);
/* Credit everything that waits in all lanes if it is little, else one batch of each lane, over the
 * session store. *again is true if a lane had a full batch, so that more may wait. Errors as for
 * credit_run_lanes. */
MUST_USE enum err credit_run(const struct runtime *runtime, struct store *store, bool *again);

#endif
