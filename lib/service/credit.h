/* Credit: moves won money to the winners' balances, largest first, exactly once. */
#ifndef HONGBAO_SERVICE_CREDIT_H
#define HONGBAO_SERVICE_CREDIT_H

#include "lib/service/env.h"

/* One batch of one lane. *booked: credits paid (0: lane empty or taken). A data error makes the
 * batch run singly; a poison row is postponed (1 s, doubling to 1 h) and counted. ERR_UNAVAILABLE:
 * nothing happened or unknown; run again, the unique key makes it safe. */
MUST_USE enum err credit_run_lane(const struct env *env, struct store *store, unsigned lane,
                                  size_t *booked);
/* One batch of every lane where something waits. *again: a lane gave a full batch, more may wait.
 */
MUST_USE enum err credit_run(const struct env *env, struct store *store, bool *again);

#endif
