/* What a grab asks the primary when the cache cannot answer: under a cap, so that a slow database
 * holds only some of the threads, and once for all grabs that ask about the same envelope. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_DATABASE_H
#define HONGBAO_SERVICE_GRAB_GRAB_DATABASE_H

#include "lib/service/common/session_pool.h"
#include "lib/service/grab/closed_table.h"
#include "lib/service/grab/grab_batch.h"

struct grab_database;

/* Create it. At most max threads ask at once, over sessions, and as many again wait for their
 * answers. Confirmed ends go to closed_table. The arguments must outlive it. Return NULL if out of
 * memory. */
struct grab_database *grab_database_new(const struct runtime *runtime,
                                        struct session_pool *sessions,
                                        struct closed_table *closed_table, unsigned max);

/* Free d. No call may be in progress. d may be NULL. */
void grab_database_free(struct grab_database *d);

/* Ask the primary about job, whose outcome is one of GRAB_ASK_*, and repair the gate or envelope
 * item by what it answers. Return true if job is settled: ANSWERED, WON (without a share of the
 * gate) or REFUSED. Return false if the gate can be tried again. Begin no statement after
 * deadline_us (monotonic). Thread-safe. */
MUST_USE bool grab_database_ask(struct grab_database *d, struct grab_job *job, int64_t deadline_us);

#endif
