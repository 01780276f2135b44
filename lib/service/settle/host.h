/* What settle does for its host: notice that the database was restored, and keep the host's row,
 * by which `hongbaoctl restored` sees that no program of it works with an earlier generation. */
#ifndef HONGBAO_SERVICE_SETTLE_HOST_H
#define HONGBAO_SERVICE_SETTLE_HOST_H

#include "lib/service/common/runtime.h"

/* Set *restored if the database over store has another generation than the runtime. Otherwise write
 * the row of host name, of at most 63 bytes: with the generation if all processes of the metrics
 * file work with it, with zeros if not. No transaction is left open. */
MUST_USE enum err host_step(const struct runtime *runtime, struct store *store, const char *name,
                            bool *restored);

#endif
