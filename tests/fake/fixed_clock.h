/* A clock that stands still until the test moves it. */
#ifndef HONGBAO_TESTS_FIXED_CLOCK_H
#define HONGBAO_TESTS_FIXED_CLOCK_H

#include "lib/base/clock.h"
#include <stdatomic.h>

#define FIXED_CLOCK_WALL_US INT64_C(1790000000000000) /* 2026-09-21T14:13:20Z */
#define FIXED_CLOCK_MONO_US INT64_C(5000000000)

struct fixed_clock {
    struct clock clock; /* pass this one on; its self is the struct: do not copy */
    _Atomic int64_t wall_us, mono_us;
};

/* Initialize f to FIXED_CLOCK_WALL_US and FIXED_CLOCK_MONO_US. */
void fixed_clock_init(struct fixed_clock *f);
/* Move both clocks of f forward by us microseconds. Thread-safe. A timed wait on a condition still
 * counts by the machine's clock: to a thread that waits until mono_us, the time is long past. */
void fixed_clock_advance(struct fixed_clock *f, int64_t us);
/* Set the wall clock of f alone, as an administrator or NTP would. */
void fixed_clock_set_wall(struct fixed_clock *f, int64_t wall_us);

#endif
