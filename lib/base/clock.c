/* The system clocks, and calendar arithmetic by fixed offsets: days and years of the site begin at
 * an offset from UTC, without a time-zone database. */
#include "lib/base/clock.h"
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return t.tv_sec * US_PER_S + t.tv_nsec / NS_PER_US;
}

static int64_t system_wall_us(void *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono_us(void *self)
{
    (void)self;
    return read_clock(CLOCK_MONOTONIC);
}

const struct clock clock_system = {.wall_us = system_wall_us, .mono_us = system_mono_us};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

void clock_condition(pthread_cond_t *out)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(out, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void clock_format(char *out, int64_t wall_us)
{
    time_t seconds = (time_t)floor_div(wall_us, US_PER_S);
    int ms = (int)((wall_us - seconds * US_PER_S) / US_PER_MS);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char text[80];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
    snprintf(out, CLOCK_TEXT_SIZE, "%.24s", text);
}

int clock_year_of(int64_t wall_us, int offset_min)
{
    time_t seconds = (time_t)(floor_div(wall_us, US_PER_S) + offset_min * INT64_C(60));
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return tm.tm_year + 1900;
}

int64_t clock_year_start_us(int year, int offset_min)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mday = 1};
    return ((int64_t)timegm(&tm) - offset_min * INT64_C(60)) * US_PER_S;
}

int64_t clock_day_of(int64_t wall_us, int offset_min)
{
    return floor_div(floor_div(wall_us, US_PER_S) + offset_min * INT64_C(60), S_PER_DAY);
}
