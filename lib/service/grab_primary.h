/* What a grab asks the primary when the cache cannot answer: under a cap, so that a stalled
 * database holds only a quarter of the threads, and once for all that ask about the same envelope.
 */
#ifndef HONGBAO_SERVICE_GRAB_PRIMARY_H
#define HONGBAO_SERVICE_GRAB_PRIMARY_H

#include "lib/service/closed.h"
#include "lib/service/grab_batch.h"

struct grab_primary;
/* At most max threads ask at once, and as many again wait for their answers. NULL: no memory. */
struct grab_primary *grab_primary_new(const struct env *env, struct closed *closed, unsigned max);
void grab_primary_free(struct grab_primary *p);
/* Asks about w->id because of w->outcome (one of ASK_*, or NEEDS_RECORD) and heals the gate by what
 * it learns. True: w has an outcome that says what to tell (ANSWERED, WON, REFUSED). False: the
 * gate can now be tried again. who is the user of w. */
MUST_USE bool grab_primary_ask(struct grab_primary *p, const struct who *who, struct grab_work *w,
                               int64_t deadline_us);

#endif
