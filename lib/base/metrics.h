/* Counters, histograms and rate limits that all processes of an installation share: one file,
 * mapped by each, changed with relaxed atomics, so that any process can print sums that survive
 * the death of another. */
#ifndef HONGBAO_BASE_METRICS_H
#define HONGBAO_BASE_METRICS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include <stdint.h>

/* The routes and states that requests are counted by; see the tables in metrics.c. A route is an
 * index 0..METRIC_ROUTES-1 of the API's route table, a state an index of metric_states. */
#define METRIC_ROUTES 24
#define METRIC_STATES 40

enum metric {
    METRIC_GATE_WON,
    METRIC_GATE_LOST,        /* a cas lost to another grab */
    METRIC_GATE_LET_THROUGH, /* ticket given after too many lost races */
    METRIC_GATE_BUSY,
    METRIC_GATE_REBUILT,
    METRIC_GATE_REFILLED,
    METRIC_GATE_REPAIRED, /* an unreadable or foreign value was replaced */
    METRIC_GATE_UNKNOWN,  /* memcached did not answer */
    METRIC_COMMIT_UNKNOWN,
    METRIC_BATCH_TURNED_OUT, /* a member refused or parked while its batch went on */
    METRIC_BATCH_RERUN,
    METRIC_BATCH_LOOKED, /* opens: somebody would have got a second share */
    METRIC_DATABASE_STALLS,
    METRIC_BARRIERS,
    METRIC_CREDITS_BOOKED,
    METRIC_CREDITS_POISONED,
    METRIC_REFUNDS_BOOKED,
    METRIC_RECONCILE_ALARMS,
    METRIC_MARKERS_PUT,
    METRIC_MARKERS_MENDED, /* by settle: whoever closed the envelope had not put it */
    METRIC_MARKERS_FAILED,
    METRIC_MARKERS_REMOVED,
    METRIC_RECONCILE_MENDED,
    METRIC_COUNT
};

struct metrics; /* the mapped file */

/* Maps path, creating it (mode 0660) with the right size and magic if it is missing or of another
 * layout. NULL with errno on failure. Lives until the process ends. */
struct metrics *metrics_open(const char *path);
/* Private anonymous memory, for tests and tools. */
struct metrics *metrics_private(void);

void metrics_add(struct metrics *m, enum metric which, uint64_t n);
uint64_t metrics_get(const struct metrics *m, enum metric which);
/* state: the "state" member of a 200 answer, the problem code, or "ok"/"created"; unknown text is
 * counted as "other". */
void metrics_request(struct metrics *m, unsigned route, const char *state, int64_t duration_us);
enum metric_batch { METRIC_BATCH_SEND, METRIC_BATCH_GRAB, METRIC_BATCH_OPEN, METRIC_BATCH_KINDS };
void metrics_batch(struct metrics *m, enum metric_batch kind, unsigned members);
/* Prometheus text exposition 0.0.4 of everything here. route_names has METRIC_ROUTES entries, NULL
 * where unused. */
void metrics_print(const struct metrics *m, const char *const *route_names, struct buf *out);

/* One request of `key` against a rate of per_s with that burst (GCRA in one shared atomic word per
 * bucket; keys that share a bucket share the limit). True: go on. False: too many, *wait_us says
 * when one would pass. */
MUST_USE bool metrics_rate_allow(struct metrics *m, const char *key, int64_t mono_us,
                                 unsigned per_s, unsigned burst, int64_t *wait_us);

#endif
