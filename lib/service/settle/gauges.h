/* Gauges that cost a scan of a table, which no scrape should cause. */
#ifndef HONGBAO_SERVICE_SETTLE_GAUGES_H
#define HONGBAO_SERVICE_SETTLE_GAUGES_H

#include "lib/service/common/runtime.h"

/* Read over the session store where the money is, and write it to the gauges of the runtime's
 * metrics. Errors as in store.h; then the gauges stay as they are. Leaves no transaction open. */
MUST_USE enum err gauges_refresh(const struct runtime *runtime, struct store *store);

#endif
