/* Counters, histograms and rate limits shared by all processes of an installation: one file, mapped
 * by each process and changed with relaxed atomics, so that any process can print sums that survive
 * the death of another. Every function here is thread-safe. */
#ifndef HONGBAO_BASE_METRICS_H
#define HONGBAO_BASE_METRICS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include <stdint.h>

/* Requests are counted by route and state. A route is an index 0..METRIC_ROUTES-1 of the API's
 * route table, a state an index of metric_states in metrics.c. */
#define METRIC_ROUTES 24
#define METRIC_STATES 40

enum metric {
    METRIC_GATE_WON,
    METRIC_GATE_LOST,        /* a cas failed because another grab came first */
    METRIC_GATE_LET_THROUGH, /* ticket issued after too many failed cas */
    METRIC_GATE_BUSY,
    METRIC_GATE_CREATED, /* a missing gate was written from the primary */
    METRIC_GATE_REFILLED,
    METRIC_GATE_REPAIRED, /* an unreadable or foreign value was replaced */
    METRIC_GATE_UNKNOWN,  /* memcached did not answer */
    METRIC_COMMITS_UNCERTAIN,
    METRIC_BATCH_LOCKED, /* a job left its batch because its row was locked */
    METRIC_BATCH_RETRIES,
    METRIC_BATCH_LOOKUPS, /* opens: a user in the batch would have got a second share */
    METRIC_DATABASE_STALLS,
    METRIC_BARRIERS,
    METRIC_CLAIMS_CREDITED,
    METRIC_CREDITS_POSTPONED,
    METRIC_ENVELOPES_EXPIRED,
    METRIC_RECONCILE_ALARMS,
    METRIC_MARKERS_PUT,
    METRIC_MARKERS_REPAIRED, /* by settle, because the closing process had not written it */
    METRIC_MARKERS_FAILED,
    METRIC_MARKERS_REMOVED,
    METRIC_RECONCILE_REPAIRS,
    METRIC_DATABASE_UNREACHABLE, /* these six in the order of enum server_trouble */
    METRIC_DATABASE_REFUSED,
    METRIC_DATABASE_READ_ONLY,
    METRIC_DATABASE_TOO_MANY_CONNECTIONS,
    METRIC_DATABASE_DISK_FULL,
    METRIC_DATABASE_ERROR,
    METRIC_CACHE_UNREACHABLE,
    METRIC_LOG_LINES_LOST,
    METRIC_MONEY_IN_FEN,  /* top-ups */
    METRIC_MONEY_OUT_FEN, /* withdrawals */
    METRIC_COUNT
};

struct metrics; /* the mapped file */

/* Map the file path. Create it (mode 0660) if it is missing or has another layout. Return NULL with
 * errno set on failure. The mapping lasts until the process ends. */
struct metrics *metrics_open(const char *path);
/* Return counters in anonymous memory that this process and its children share, for tests and
 * tools; NULL if there is no memory. */
struct metrics *metrics_private(void);

/* Add n to the counter which of m. */
void metrics_add(struct metrics *m, enum metric which, uint64_t n);
/* Return the counter which of m. */
uint64_t metrics_get(const struct metrics *m, enum metric which);
/* Remember in m that the envelopes created until created_us (UTC) have been reconciled, so that a
 * restart goes on from there. */
void metrics_set_reconciled(struct metrics *m, int64_t created_us);
/* Return what metrics_set_reconciled remembered in m; 0: nothing. */
int64_t metrics_get_reconciled(const struct metrics *m);
/* Count one answered request of m: its route, its state and its duration_us. state is the "state"
 * member of a 200 answer, the problem code, or "ok"/"created"; unknown text counts as "other". */
void metrics_request(struct metrics *m, unsigned route, const char *state, int64_t duration_us);
enum metric_batch { METRIC_BATCH_SEND, METRIC_BATCH_GRAB, METRIC_BATCH_OPEN, METRIC_BATCH_KINDS };
/* Count one batch of kind with that many jobs in m. */
void metrics_batch(struct metrics *m, enum metric_batch kind, unsigned jobs);
/* The processes that beat: once a second each writes its state to a place of its own. */
enum metric_program {
    PROGRAM_SEND,
    PROGRAM_GRAB,
    PROGRAM_OPEN,
    PROGRAM_QUERY,
    PROGRAM_SETTLE,
    METRIC_PROGRAMS
};
#define METRIC_BEAT_MAX_US                                                                         \
    INT64_C(5000000) /* a process without a beat for longer is gone or hangs */
struct metric_worker {
    enum metric_program program;
    bool ready;          /* it does its work */
    int64_t threads;     /* that serve requests or queues */
    int64_t busy;        /* of these, waiters that answer a request now */
    uint64_t settings;   /* config_hash of its settings */
    uint64_t generation; /* metrics_generation of the one it works with; 0: none yet */
};
/* Write the state *w of this process, with its memory and its open descriptors, to its place in m.
 * mono_us is now. If there are more processes than places, do nothing. */
void metrics_beat(struct metrics *m, const struct metric_worker *w, int64_t mono_us);
/* Give back the place of this process in m, which ends. */
void metrics_leave(struct metrics *m);
/* Return how many processes of program have written a beat to m within METRIC_BEAT_MAX_US before
 * mono_us, and are ready. */
unsigned metrics_ready(const struct metrics *m, enum metric_program program, int64_t mono_us);
/* Return true if the process pid has written a beat to m within_us before mono_us or later. */
bool metrics_process_beats(const struct metrics *m, int64_t pid, int64_t mono_us,
                           int64_t within_us);
/* Return true if a process of program that has written a beat lately has other settings than those
 * with the hash settings. mono_us is now. */
bool metrics_other_settings(const struct metrics *m, enum metric_program program, uint64_t settings,
                            int64_t mono_us);
/* Return a number for generation, not 0. */
uint64_t metrics_generation(const uint8_t generation[16]);
/* Return true if a process that exists and has written a beat within a minute works with another
 * generation than that of the number generation. mono_us is now. */
bool metrics_other_generation(const struct metrics *m, uint64_t generation, int64_t mono_us);
/* Return the id of a process of program that has written a beat lately; 0 if there is none. mono_us
 * is now. */
int64_t metrics_process(const struct metrics *m, enum metric_program program, int64_t mono_us);
/* Count in m that a process of program died and is replaced. */
void metrics_restart(struct metrics *m, enum metric_program program);
/* Return the program called name ("hongbao-open"); METRIC_PROGRAMS if there is none. */
enum metric_program metrics_program(const char *name);
/* Append the states of the processes in m at mono_us to out as Prometheus text. */
void metrics_print_workers(const struct metrics *m, int64_t mono_us, struct buf *out);
/* Map the file path, which another process has created, for reading what it holds. Return NULL with
 * errno set if there is none or it has another layout. The mapping lasts until the process ends. */
const struct metrics *metrics_look(const char *path);

/* What is read seldom because it costs a scan of a table: written by settle, 0 until then. */
enum metric_gauge {
    GAUGE_BALANCES_FEN,       /* the sum of all balances */
    GAUGE_OPEN_ENVELOPES,     /* envelopes that are open */
    GAUGE_OPEN_ENVELOPES_FEN, /* what remains in them */
    GAUGE_FROZEN_ENVELOPES,
    GAUGE_REPLICA_USABLE, /* 1: the replica serves histories */
    GAUGE_REPLICA_LAG_S,  /* how much older its newest beat is than the primary's */
    METRIC_GAUGES
};
/* Write value to the gauge which of m. */
void metrics_set_gauge(struct metrics *m, enum metric_gauge which, int64_t value);

/* Append everything in m to out as Prometheus text exposition 0.0.4. route_names has METRIC_ROUTES
 * entries, NULL where unused. */
void metrics_print(const struct metrics *m, const char *const *route_names, struct buf *out);

/* The last two are not refusals: what exceeds them is counted in the database. */
enum rate_kind {
    RATE_GRABS,
    RATE_SENDS,
    RATE_RECALLS,
    RATE_THANKS,
    RATE_GUESTS,
    RATE_ANONYMOUS,
    RATE_UNCOUNTED_SENDS,
    RATE_UNCOUNTED_GUESTS
};
/* A limit: bursts of `burst` requests, and one more after each interval. */
struct rate {
    enum rate_kind kind; /* limits of different kinds do not share buckets */
    int64_t interval_us; /* > 0 */
    int64_t burst;       /* >= 1 */
};
/* Check one request of key, an owner such as a user or an address, at mono_us against rate. Return
 * true and count the request if it is within the rate; return false and set *wait_us to the time
 * until one would be if it is not. GCRA (generic cell rate algorithm) in shared memory. Each owner
 * has a bucket of its own, found by a hash with a secret key; owners that are idle longest give
 * theirs up when there are too many, which lets a request pass and never refuses one. */
MUST_USE bool metrics_rate_allow(struct metrics *m, const struct rate *rate, const char *key,
                                 int64_t mono_us, int64_t *wait_us);

#endif
