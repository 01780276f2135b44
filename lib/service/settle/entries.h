/* Numbers the transfers that programs of version 0.1 add, so that they appear in the ledger. */
#ifndef HONGBAO_SERVICE_SETTLE_ENTRIES_H
#define HONGBAO_SERVICE_SETTLE_ENTRIES_H

#include "lib/service/common/runtime.h"

/* Look over store, a session of the caller's thread, at some accounts above the user id after, ""
 * at first, and advance it, back to "" at the end. Set *again if transfers of a user were numbered;
 * then there may be more. ERR_UNAVAILABLE and the other errors of a store: look again. */
MUST_USE enum err entries_step(struct store *store, char after[USER_SIZE], bool *again);

#endif
