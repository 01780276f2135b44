/* What the threads of hongbao-settle do. */
#ifndef HONGBAO_BIN_SETTLE_LOOP_H
#define HONGBAO_BIN_SETTLE_LOOP_H

#include "lib/service/common/runtime.h"
#include <signal.h>

/* Credits, refunds, totals and old keys, round after round, until one of `signals` (blocked) comes;
 * the batches in hand are finished. SIGHUP opens the log again. A database that is away is waited
 * for. ERR_FAULT: no memory. */
MUST_USE enum err settle_loop(struct runtime *runtime, const sigset_t *signals);

#endif
