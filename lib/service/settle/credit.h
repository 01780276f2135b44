/* Credit: moves won money to the winners' balances, largest first, exactly once. */
#ifndef HONGBAO_SERVICE_SETTLE_CREDIT_H
#define HONGBAO_SERVICE_SETTLE_CREDIT_H

#include "lib/service/common/runtime.h"

/* One batch of one lane, or of several (bit i: lane i; not 0) that have less than one batch
 * together. *booked: credits paid (0: all empty, one taken, or too many). A data error of one lane
 * makes the batch run singly; a poison row is postponed (1 s, doubling to 1 h) and counted. Of
 * several lanes nothing is booked then. ERR_UNAVAILABLE: nothing happened or unknown; run again,
 * the unique key makes it safe. */
MUST_USE enum err credit_run_lanes(const struct runtime *runtime, struct store *store,
                                   uint32_t lanes, size_t *booked);
/* What waits in all lanes, if it is little; else one batch of each. *again: a lane gave a full
 * batch, more may wait. */
MUST_USE enum err credit_run(const struct runtime *runtime, struct store *store, bool *again);

#endif
