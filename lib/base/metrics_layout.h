/* Contents of the shared file of metrics.h; for metrics.c and metrics_print.c only. */
#ifndef HONGBAO_BASE_METRICS_LAYOUT_H
#define HONGBAO_BASE_METRICS_LAYOUT_H

#include "lib/base/batch_max.h"
#include "lib/base/crypto.h"
#include "lib/base/metrics.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define METRICS_MAGIC UINT64_C(0x6862206d6574720b) /* raise it with every change of the layout */
#define METRIC_BOUNDS 11      /* of the latency histogram; one more counts what lies above */
#define METRIC_BATCH_BOUNDS 7 /* batches of up to 1, 2, 4 .. BATCH_MAX */
#define RATE_SETS 16384
#define RATE_WAYS 4
_Static_assert(1 << (METRIC_BATCH_BOUNDS - 1) == BATCH_MAX, "the last bound is a full batch");

struct route_counters {
    _Atomic uint64_t states[METRIC_STATES];
    _Atomic uint64_t durations[METRIC_BOUNDS + 1];
    _Atomic uint64_t duration_sum_us;
};
struct batch_counters {
    _Atomic uint64_t sizes[METRIC_BATCH_BOUNDS + 1];
    _Atomic uint64_t jobs;
};
/* owner is a keyed hash of the user and the kind of limit; 0: unused. */
struct rate_bucket {
    _Atomic uint64_t owner;
    _Atomic int64_t empty_us; /* monotonic: when the bucket will be empty */
};
#define METRIC_WORKERS 512
/* The place of one process. */
struct worker_slot {
    _Atomic int64_t pid;     /* 0: never used */
    _Atomic int64_t beat_us; /* monotonic */
    _Atomic int64_t program, ready, busy, threads, memory_bytes, descriptors, settings, generation;
};
struct metrics {
    uint64_t magic;
    uint8_t rate_key[SHORT_KEY_SIZE]; /* random, for the life of the file */
    _Atomic uint64_t counters[METRIC_COUNT];
    _Atomic int64_t reconciled_us;
    _Atomic int64_t gauges[METRIC_GAUGES];
    _Atomic uint64_t restarts[METRIC_PROGRAMS];
    struct worker_slot workers[METRIC_WORKERS];
    struct route_counters routes[METRIC_ROUTES];
    struct batch_counters batches[METRIC_BATCH_KINDS];
    struct rate_bucket buckets[RATE_SETS][RATE_WAYS];
};

extern const char *const metric_states[];
extern const size_t metric_states_n;
extern const int64_t metric_bounds_us[METRIC_BOUNDS];

#endif
