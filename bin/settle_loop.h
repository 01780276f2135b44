/* The rounds of hongbao-settle. */
#ifndef HONGBAO_BIN_SETTLE_LOOP_H
#define HONGBAO_BIN_SETTLE_LOOP_H

#include "lib/service/env.h"
#include <signal.h>

/* Credits, refunds, totals and old keys, round after round, until one of `signals` (blocked) comes;
 * the batch in hand is finished. SIGHUP opens the log again. A database that is away is waited for.
 */
void settle_loop(struct env *env, const sigset_t *signals);

#endif
