/* Clocks, passed in so that tests can fix them, and the units of time. Every time in the tree is an
 * int64_t in microseconds unless its name ends in another unit. */
#ifndef HONGBAO_BASE_CLOCK_H
#define HONGBAO_BASE_CLOCK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define MS_PER_S INT64_C(1000)
#define S_PER_DAY INT64_C(86400)

struct clock {
    /* Return the wall time: UTC microseconds since 1970. self is the member below. Thread-safe. */
    int64_t (*wall_us)(void *self);
    /* Return a time that never goes back, in microseconds since an arbitrary moment. self is the
     * member below. Thread-safe. */
    int64_t (*mono_us)(void *self);
    void *self; /* state of a fixed clock; NULL for clock_system */
};

/* The clocks of this machine: CLOCK_REALTIME and CLOCK_MONOTONIC. */
extern const struct clock clock_system;

/* Initialize *out as a condition whose timed waits take a CLOCK_MONOTONIC time, as mono_us returns.
 * The caller destroys it. */
void clock_condition(pthread_cond_t *out);

#define CLOCK_TEXT_SIZE 25
/* Write wall_us (years 1970..9999) to out as RFC 3339 UTC text with milliseconds, truncated:
 * "2026-02-16T16:00:00.000Z". out holds CLOCK_TEXT_SIZE bytes. */
void clock_format(char *out, int64_t wall_us);

/* Return the year of wall_us in the time zone offset_min minutes east of UTC. */
int clock_year_of(int64_t wall_us, int offset_min);
/* Return the wall time, in microseconds, at which year begins offset_min minutes east of UTC. */
int64_t clock_year_start_us(int year, int offset_min);
/* Return the day of wall_us, in days since 1970-01-01, offset_min minutes east of UTC. */
int64_t clock_day_of(int64_t wall_us, int offset_min);

#endif
