/* Stall detector: keeps a primary that has stopped answering from holding every thread of a
 * process. A process has one. Each use of the primary occupies a slot:
 *   - a batch leader has a slot of its own, 0..leaders-1, so that it never waits for room;
 *   - every other use takes a free one of the shared slots after them.
 * The primary has stalled when a use fails after STALL_US, or when requests would have to wait
 * behind uses that have taken longer than that. From then on one use at a time may probe it, until
 * one of them comes back within STALL_US. A change of state is logged (database_stalled,
 * database_recovered); METRIC_DATABASE_STALLS counts the stalls. Thread-safe. */
#ifndef HONGBAO_SERVICE_COMMON_STALL_H
#define HONGBAO_SERVICE_COMMON_STALL_H

#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include <stdbool.h>
#include <stdint.h>

#define STALL_US INT64_C(500000) /* longer than a healthy primary takes */

struct stall;

/* Create a detector with `leaders` slots for batch leaders and `shared` slots for all other uses
 * (leaders + shared >= 1). clock and metrics must outlive it. Return NULL if out of memory. */
struct stall *stall_new(const struct clock *clock, struct metrics *metrics, unsigned leaders,
                        unsigned shared);

/* Free s, which no thread may be using. s may be NULL. */
void stall_free(struct stall *s);

/* Occupy a shared slot. Wait for one while those inside may still be healthy, which is never longer
 * than STALL_US. Return its number, which the caller passes to stall_leave, or -1: the primary has
 * stalled, and the caller answers "unavailable" at once. */
int stall_enter(struct stall *s);

/* Occupy the slot of batch leader `leader`, which must be free. Never wait. Return false if the
 * primary has stalled and another slot is probing it; then do not call stall_leave. */
MUST_USE bool stall_enter_leader(struct stall *s, unsigned leader);

/* Leave slot. answered: the primary served the request or refused it, however slowly; false: it
 * failed to answer. */
void stall_leave(struct stall *s, unsigned slot, bool answered);

/* Return true if a request must not be queued behind batch leaders 0..leaders-1, because one of
 * them has been inside for longer than STALL_US or the primary is being probed. Otherwise set
 * *until_us to the monotonic time at which that becomes true unless a leader leaves before it;
 * INT64_MAX if none is inside. */
MUST_USE bool stall_blocks_queue(struct stall *s, unsigned leaders, int64_t *until_us);

/* Return true if err shows that the primary answered, be it with a refusal. */
bool stall_answered(enum err err);

#endif
