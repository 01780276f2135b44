/* The work of hongbao-settle: credits, refunds, year totals, reconciliation, old markers and keys.
 */
#ifndef HONGBAO_BIN_SETTLE_LOOP_H
#define HONGBAO_BIN_SETTLE_LOOP_H

#include "lib/service/common/runtime.h"
#include <signal.h>

/* Run all threads until one of signals arrives, which are blocked in every thread; finish the
 * running rounds first. SIGHUP, if it is among signals, reopens the log instead. Waits for a
 * database that is unavailable and writes runtime->generation. ERR_FAULT: a thread could not be
 * started. */
MUST_USE enum err settle_loop(struct runtime *runtime, const sigset_t *signals);

#endif
