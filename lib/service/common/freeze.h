/* Freezes an envelope whose books do not agree, for the settlement threads that find one. */
#ifndef HONGBAO_SERVICE_COMMON_FREEZE_H
#define HONGBAO_SERVICE_COMMON_FREEZE_H

#include "lib/service/common/runtime.h"

/* Freeze envelope id over store because of rule, and log and count an alarm unless it was frozen
 * already. A row that another process holds is left to the next call: ERR_OK. ERR_UNAVAILABLE and
 * other errors of the store. Leaves no transaction open. */
MUST_USE enum err freeze_envelope(const struct runtime *runtime, struct store *store,
                                  const struct id *id, enum books_rule rule);

#endif
