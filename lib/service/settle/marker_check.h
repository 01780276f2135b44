/* Compares all markers of this host with the database: after a backup was restored, markers may
 * state ends that the database does not have. Reconciliation finds them, too, for recent envelopes.
 */
#ifndef HONGBAO_SERVICE_SETTLE_MARKER_CHECK_H
#define HONGBAO_SERVICE_SETTLE_MARKER_CHECK_H

#include "lib/service/common/runtime.h"
#include "lib/store/audit.h"

/* Check over the session store every marker of the runtime's generation, and fill *out: the number
 * of markers, and of those whose envelope is open, unknown or restricted, or ended in another way.
 * Changes nothing. Errors as in store.h; leaves no transaction open. */
MUST_USE enum err marker_check(const struct runtime *runtime, struct store *store,
                               struct audit_count *out);

#endif
