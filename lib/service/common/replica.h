/* Whether the replica may be asked. Histories and ledgers are read from it while it answers and
 * lags by no more than database.replica_lag; otherwise the primary answers. Its lag is how much
 * older the newest beat of a host is there than on the primary, so it needs no clock, and
 * hongbao-settle must run. Thread-safe but for replica_look. */
#ifndef HONGBAO_SERVICE_COMMON_REPLICA_H
#define HONGBAO_SERVICE_COMMON_REPLICA_H

#include "lib/service/common/runtime.h"

/* Create the state of the replica of runtime, which has one (replica_open) and must outlive it. It
 * may not be asked before the first replica_look. Return NULL if out of memory. */
struct replica *replica_new(const struct runtime *runtime);
/* Close its session and free r, which may be NULL. */
void replica_free(struct replica *r);

/* Return true if a read may go to the replica; call replica_leave after it. False, too, if r is
 * NULL or if reads wait there for REPLICA_HANGS_US without an answer to any. */
MUST_USE bool replica_enter(struct replica *r);
#define REPLICA_HANGS_US INT64_C(300000)
/* Note the end of a read. answered: it brought a result; otherwise none goes there before the next
 * replica_look. */
void replica_leave(struct replica *r, bool answered);

/* Compare the replica with primary, by deadline_us, and decide whether it may be asked; log a
 * change, and write the gauges. Call it once a second, from one thread. r may be NULL. No
 * transaction is left open. */
void replica_look(struct replica *r, struct store *primary, int64_t deadline_us);

#endif
