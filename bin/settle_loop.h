/* The work of hongbao-settle: credits, refunds, year totals, reconciliation, old markers and keys.
 */
#ifndef HONGBAO_BIN_SETTLE_LOOP_H
#define HONGBAO_BIN_SETTLE_LOOP_H

#include "lib/service/common/runtime.h"
#include <signal.h>

/* Run all threads until one of signals arrives, which are blocked in every thread; finish the
 * running rounds first, and store the signal's number in *ended_by. Waits for a database that is
 * unavailable or has another schema, and writes runtime->generation. May be called again.
 * ERR_FAULT: a thread could not be started. */
MUST_USE enum err settle_loop(struct runtime *runtime, const sigset_t *signals, int *ended_by);

#endif
