/* Watches the primary's clock from settle, so that a step of it (a wrong clock at boot, NTP, an
 * administrator) neither refunds an envelope early nor deletes an idempotency key early.
 *
 * The primary's clock has an offset from this process's monotonic clock, which no one can set.
 * While the offset changes by no more than CLOCK_STEP_US and 0.1 % of the time between two looks,
 * it is trusted. After a larger change it is not, and refunds and the deletion of keys wait, until
 *  - the clock is back on its course, or
 *  - it has been steady for the setting clock_steady: then the new time is right. If it is ahead of
 *    the old one, keys look older than they are, and none is deleted for idempotency_days.
 * A process that starts compares with the time that the table clock has of the last one that could
 * trust it; more than CLOCK_GAP_US ahead of it is a step, too. */
#ifndef HONGBAO_SERVICE_COMMON_CLOCK_GUARD_H
#define HONGBAO_SERVICE_COMMON_CLOCK_GUARD_H

#include "lib/service/common/runtime.h"
#include <stdatomic.h>

#define CLOCK_STEP_US INT64_C(10000000)
#define CLOCK_GAP_US INT64_C(600000000)
#define CLOCK_WRITE_US INT64_C(5000000) /* how often the table clock is written */
#define CLOCK_WITNESS_US INT64_C(30000000)

struct clock_guard {
    const struct runtime *runtime;
    /* of the thread that looks */
    bool started, held;
    int64_t low_us, high_us;      /* the trusted offset lies between them */
    int64_t looked_us;            /* monotonic: when it was last confirmed */
    int64_t new_us, new_since_us; /* while held: the offset now, and since when (monotonic) */
    int64_t next_write_us;        /* monotonic */
    /* for other threads */
    _Atomic int64_t offset_us;     /* INT64_MIN: not trusted */
    _Atomic int64_t keys_after_us; /* no key is deleted before this time */
};

/* Initialize g, which trusts no time before the first clock_guard_look. runtime must outlive it. */
void clock_guard_init(struct clock_guard *g, const struct runtime *runtime);

/* Look at the primary's clock over store, outside a transaction, and write the table clock when it
 * is due. Return the error of the store: look again. Call it
 * from one thread. */
MUST_USE enum err clock_guard_look(struct clock_guard *g, struct store *store);

/* Note that the primary's clock was at primary_us at some time from before_us until now (both
 * monotonic), and return true if it can be trusted. Call it from the thread that looks. */
MUST_USE bool clock_guard_note(struct clock_guard *g, int64_t primary_us, int64_t before_us);

/* Set *now_us to the time that idempotency keys are aged by: on the trusted course, whatever the
 * primary's clock is now. Return false while no key may be deleted. Thread-safe. */
MUST_USE bool clock_guard_keys_now(const struct clock_guard *g, int64_t *now_us);

/* Return true if settle has trusted the primary's clock within the last CLOCK_WITNESS_US, or has
 * never run: row is what clock_read has just returned. For processes that do not watch it
 * themselves. */
bool clock_witnessed(const struct clock_row *row);

#endif
