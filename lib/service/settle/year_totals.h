/* Adds closed envelopes to the year totals of their senders and luckiest users. Processing this
 * queue also creates markers that are missing because the closing process died. */
#ifndef HONGBAO_SERVICE_SETTLE_YEAR_TOTALS_H
#define HONGBAO_SERVICE_SETTLE_YEAR_TOTALS_H

#include "lib/service/common/runtime.h"

/* Process one batch of closings, oldest first, over the session store: create missing markers, then
 * add the envelopes to the year totals. *n is the number added; if it is not 0 more may wait.
 * Returns ERR_OK also when another daemon holds the rows or the commit is uncertain: the next call
 * processes what is left, as after any error. Leaves no transaction open. */
MUST_USE enum err year_totals_run(const struct runtime *runtime, struct store *store, size_t *n);

#endif
