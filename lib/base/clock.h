/* Clocks, passed in so that tests can fix them. */
#ifndef HONGBAO_BASE_CLOCK_H
#define HONGBAO_BASE_CLOCK_H

#include "lib/base/err.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_us)(void *self); /* UTC microseconds since 1970 */
    int64_t (*mono_us)(void *self); /* monotonic microseconds; CLOCK_MONOTONIC */
    void *self;
};

/* The machine's clocks. */
extern const struct clock clock_system;

/* Makes a condition whose timed waits count by CLOCK_MONOTONIC, as mono_us does. */
void clock_condition(pthread_cond_t *out);

#define CLOCK_TEXT_SIZE 25
/* RFC 3339 UTC with milliseconds, "2026-02-16T16:00:00.000Z", truncated. wall_us in years
 * 1970..9999. out holds CLOCK_TEXT_SIZE. */
void clock_format(char *out, int64_t wall_us);

/* The year that wall_us lies in at offset_min minutes east of UTC, and the first microsecond of
 * year in that offset. */
int clock_year_of(int64_t wall_us, int offset_min);
int64_t clock_year_start_us(int year, int offset_min);
/* Number of the day (days since 1970-01-01) at that offset. */
int64_t clock_day_of(int64_t wall_us, int offset_min);

#endif
