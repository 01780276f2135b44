/* What a grab asks the primary when the cache cannot answer: under a cap, so that a stalled
 * database holds only a quarter of the threads, and once for all that ask about the same envelope.
 */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_DATABASE_H
#define HONGBAO_SERVICE_GRAB_GRAB_DATABASE_H

#include "lib/service/common/session_pool.h"
#include "lib/service/grab/closed_table.h"
#include "lib/service/grab/grab_batch.h"

struct grab_database;
/* At most max threads ask at once, and as many again wait for their answers. NULL: no memory. */
struct grab_database *grab_database_new(const struct runtime *runtime,
                                        struct session_pool *sessions,
                                        struct closed_table *closed_table, unsigned max);
void grab_database_free(struct grab_database *p);
/* Asks about w->id because of w->outcome (one of ASK_*, or NEEDS_RECORD) and heals the gate by what
 * it learns. True: w has an outcome that says what to tell (ANSWERED, WON, REFUSED). False: the
 * gate can now be tried again. who is the user of w. */
MUST_USE bool grab_database_ask(struct grab_database *p, const struct who *who, struct grab_work *w,
                                int64_t deadline_us);

#endif
