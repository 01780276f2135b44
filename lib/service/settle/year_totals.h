/* Tally: what has closed is added to the yearly totals. The queue of what has not yet been is also
 * where a marker is mended that its closer died before. */
#ifndef HONGBAO_SERVICE_SETTLE_YEAR_TOTALS_H
#define HONGBAO_SERVICE_SETTLE_YEAR_TOTALS_H

#include "lib/service/common/runtime.h"

/* One batch, oldest first. *n says how many were added; more may wait. After any error the next
 * call sees what is left. */
MUST_USE enum err tally_run(const struct runtime *runtime, struct store *store, size_t *n);

#endif
