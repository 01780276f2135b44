/* The file is mapped by processes of several users and possibly of several versions: it is created
 * beside its place and linked into it complete, and a magic number identifies the layout. */
#include "lib/base/metrics.h"
#include "lib/base/clock.h"
#include "lib/base/metrics_layout.h"
#include "lib/base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The states that requests are counted by. The last one counts every other text. */
const char *const metric_states[] = {
    "ok",
    "created",
    "not_modified",
    "grabbed",
    "opened",
    "busy",
    "sold_out",
    "expired",
    "open",
    "invalid_json",
    "invalid_request",
    "idempotency_key_required",
    "unauthorized",
    "token_expired",
    "ticket_invalid",
    "ticket_expired",
    "not_recipient",
    "not_sender",
    "not_opened",
    "withdrawals_off",
    "scope_required",
    "not_found",
    "method_not_allowed",
    "idempotency_in_progress",
    "length_required",
    "body_too_large",
    "unsupported_media_type",
    "idempotency_key_reused",
    "reference_reused",
    "insufficient_funds",
    "limit_exceeded",
    "rate_limited",
    "unavailable",
    "user_blocked",
    "other",
};
const size_t metric_states_n = sizeof metric_states / sizeof metric_states[0];
_Static_assert(sizeof metric_states / sizeof metric_states[0] <= METRIC_STATES, "too many states");

const int64_t metric_bounds_us[METRIC_BOUNDS] = {500,   1000,   2000,   5000,    10000,  20000,
                                                 50000, 100000, 500000, 1000000, 5000000};

/* Map fd, or anonymous memory if fd is negative. Return NULL on failure. */
static struct metrics *metrics_map(int fd)
{
    int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
    void *p = mmap(NULL, sizeof(struct metrics), PROT_READ | PROT_WRITE, flags, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Return true if fd is a complete file of this layout. */
static bool usable(int fd)
{
    struct stat st;
    uint64_t magic = 0;
    return fstat(fd, &st) == 0 && st.st_size == (off_t)sizeof(struct metrics) &&
           pread(fd, &magic, sizeof magic, 0) == (ssize_t)sizeof magic && magic == METRICS_MAGIC;
}

/* Create the file under a temporary name and link it to path: a process that opens path at the same
 * moment finds either nothing or a complete file. */
static int metrics_create(const char *path)
{
    char temporary[512];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkstemp(temporary);
    if (fd < 0)
        return -1;
    struct {
        uint64_t magic;
        uint8_t rate_key[SHORT_KEY_SIZE];
    } head = {.magic = METRICS_MAGIC};
    rng_system.fill(NULL, head.rate_key, sizeof head.rate_key);
    if (fchmod(fd, 0660) != 0 || ftruncate(fd, (off_t)sizeof(struct metrics)) != 0 ||
        pwrite(fd, &head, sizeof head, 0) != (ssize_t)sizeof head)
        goto failed;
    if (link(temporary, path) != 0) {
        if (errno != EEXIST)
            goto failed;
        close(fd);
        fd = open(path, O_RDWR | O_CLOEXEC);
    }
    unlink(temporary);
    return fd;
failed:
    close(fd);
    unlink(temporary);
    return -1;
}

struct metrics *metrics_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && !usable(fd)) { /* of another version; processes that map it keep it */
        close(fd);
        unlink(path);
        fd = -1;
    }
    if (fd < 0)
        fd = metrics_create(path);
    if (fd < 0)
        return NULL;
    struct metrics *m = usable(fd) ? metrics_map(fd) : NULL;
    close(fd);
    return m;
}

const struct metrics *metrics_look(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    void *p = MAP_FAILED;
    if (usable(fd))
        p = mmap(NULL, sizeof(struct metrics), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return p == MAP_FAILED ? NULL : p;
}

struct metrics *metrics_private(void)
{
    struct metrics *m = metrics_map(-1);
    if (m != NULL)
        rng_system.fill(NULL, m->rate_key, sizeof m->rate_key);
    return m;
}

static void counter_add(_Atomic uint64_t *word, uint64_t n)
{
    atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

void metrics_add(struct metrics *m, enum metric which, uint64_t n)
{
    counter_add(&m->counters[which], n);
}

uint64_t metrics_get(const struct metrics *m, enum metric which)
{
    return atomic_load_explicit(&m->counters[which], memory_order_relaxed);
}

void metrics_set_reconciled(struct metrics *m, int64_t created_us)
{
    atomic_store_explicit(&m->reconciled_us, created_us, memory_order_relaxed);
}

int64_t metrics_get_reconciled(const struct metrics *m)
{
    return atomic_load_explicit(&m->reconciled_us, memory_order_relaxed);
}

void metrics_set_gauge(struct metrics *m, enum metric_gauge which, int64_t value)
{
    atomic_store_explicit(&m->gauges[which], value, memory_order_relaxed);
}

static size_t state_index(const char *state)
{
    size_t i = 0;
    while (i < metric_states_n - 1 && strcmp(metric_states[i], state) != 0)
        i++;
    return i;
}

void metrics_request(struct metrics *m, unsigned route, const char *state, int64_t duration_us)
{
    struct route_counters *r = &m->routes[route < METRIC_ROUTES ? route : METRIC_ROUTES - 1];
    size_t bound = 0;
    while (bound < METRIC_BOUNDS && duration_us > metric_bounds_us[bound])
        bound++;
    counter_add(&r->states[state_index(state)], 1);
    counter_add(&r->durations[bound], 1);
    counter_add(&r->duration_sum_us, (uint64_t)duration_us);
}

void metrics_batch(struct metrics *m, enum metric_batch kind, unsigned jobs)
{
    size_t bound = 0;
    while (bound < METRIC_BATCH_BOUNDS && jobs > 1u << bound)
        bound++;
    counter_add(&m->batches[kind].sizes[bound], 1);
    counter_add(&m->batches[kind].jobs, jobs);
}

#define RATE_HORIZON_US (2 * S_PER_DAY * US_PER_S)

/* Return the bucket of owner. One that is new takes the place of the bucket that empties first; a
 * time beyond the horizon was written before the machine was restarted. Two threads may race for a
 * place: the loser's request is counted in the wrong bucket, once. */
static struct rate_bucket *rate_bucket_of(struct metrics *m, uint64_t owner, int64_t mono_us)
{
    struct rate_bucket *set = m->buckets[owner / 2 % RATE_SETS], *oldest = &set[0];
    int64_t oldest_us = INT64_MAX;
    for (size_t i = 0; i < RATE_WAYS; i++) {
        int64_t empty_us = atomic_load_explicit(&set[i].empty_us, memory_order_relaxed);
        if (atomic_load_explicit(&set[i].owner, memory_order_relaxed) == owner)
            return &set[i];
        if (empty_us > mono_us + RATE_HORIZON_US)
            empty_us = 0;
        if (empty_us < oldest_us) {
            oldest_us = empty_us;
            oldest = &set[i];
        }
    }
    atomic_store_explicit(&oldest->empty_us, 0, memory_order_relaxed);
    atomic_store_explicit(&oldest->owner, owner, memory_order_relaxed);
    return oldest;
}

/* A bucket holds the time at which it will be empty. A request moves that time on by one interval,
 * unless it would then lie more than a burst ahead of now. */
bool metrics_rate_allow(struct metrics *m, const struct rate *rate, const char *key,
                        int64_t mono_us, int64_t *wait_us)
{
    uint64_t owner = (hash_short(m->rate_key, key, strlen(key)) + 2 * (uint64_t)rate->kind) | 1;
    _Atomic int64_t *bucket = &rate_bucket_of(m, owner, mono_us)->empty_us;
    int64_t interval_us = rate->interval_us;
    int64_t seen = atomic_load_explicit(bucket, memory_order_relaxed);
    for (;;) {
        int64_t from = seen > mono_us ? seen : mono_us;
        int64_t over_us = from + interval_us - (mono_us + interval_us * rate->burst);
        /* a time far in the future was written before the machine was restarted */
        if (over_us > 0 && over_us <= 2 * interval_us * rate->burst) {
            *wait_us = over_us;
            return false;
        }
        int64_t next = over_us > 0 ? mono_us + interval_us : from + interval_us;
        if (atomic_compare_exchange_weak_explicit(bucket, &seen, next, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
}
