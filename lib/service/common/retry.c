#include "lib/service/common/retry.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIES_MAX 6
#define PARKED_MAX 64
#define PARK_US 1000000
#define BACKOFF_US 2000

struct parked {
    uint64_t lock;
    int64_t until_us;
};

struct retry {
    const struct runtime *runtime;
    const struct retry_ops *ops;
    pthread_mutex_t lock;
    struct parked parked[PARKED_MAX];
};

/* One call of retry_rows. */
struct job {
    struct retry *r;
    void *context;
    int64_t deadline_us;
};

struct retry *retry_new(const struct runtime *runtime, const struct retry_ops *ops)
{
    struct retry *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->runtime = runtime;
    r->ops = ops;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void retry_free(struct retry *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static int64_t now_us(const struct retry *r)
{
    return r->runtime->clock->mono_us(r->runtime->clock->self);
}

static void park(struct retry *r, uint64_t lock)
{
    pthread_mutex_lock(&r->lock);
    r->parked[lock % PARKED_MAX] = (struct parked){lock, now_us(r) + PARK_US};
    pthread_mutex_unlock(&r->lock);
}

static bool is_parked(struct retry *r, uint64_t lock)
{
    pthread_mutex_lock(&r->lock);
    const struct parked *p = &r->parked[lock % PARKED_MAX];
    bool parked = p->lock == lock && p->until_us > now_us(r);
    pthread_mutex_unlock(&r->lock);
    return parked;
}

static void refuse_all(const struct retry *r, void **rows, size_t n, enum err err)
{
    for (size_t i = 0; i < n; i++)
        r->ops->refuse(rows[i], err);
}

static void turn_out(struct retry *r, void **rows, size_t n)
{
    metrics_add(r->runtime->metrics, METRIC_BATCH_TURNED_OUT, n);
    refuse_all(r, rows, n, ERR_LOCKED);
}

static void back_off(const struct retry *r, unsigned tries)
{
    uint64_t us = (uint64_t)BACKOFF_US * tries + rng_below(r->runtime->rng, BACKOFF_US);
    struct timespec pause = {.tv_nsec = (long)us * 1000};
    nanosleep(&pause, NULL);
}

static void run_rows(const struct job *job, void **rows, size_t n, bool nowait);

/* Moves the rows with the lock of rows[0] to the front; returns how many. */
static size_t gather_lock(const struct retry *r, void **rows, size_t n)
{
    uint64_t lock = r->ops->lock_of(rows[0]);
    size_t front = 1;
    for (size_t i = 1; i < n; i++) {
        if (r->ops->lock_of(rows[i]) != lock)
            continue;
        void *row = rows[i];
        memmove(&rows[front + 1], &rows[front], (i - front) * sizeof rows[0]);
        rows[front++] = row;
    }
    return front;
}

static void run_each_lock(const struct job *job, void **rows, size_t n)
{
    while (n > 0) {
        size_t same = gather_lock(job->r, rows, n);
        run_rows(job, rows, same, true);
        rows += same;
        n -= same;
    }
}

/* A data error names no row: halves find it. */
static void run_halves(const struct job *job, void **rows, size_t n, bool nowait)
{
    metrics_add(job->r->runtime->metrics, METRIC_BATCH_RERUN, 1);
    run_rows(job, rows, n / 2, nowait);
    run_rows(job, rows + n / 2, n - n / 2, nowait);
}

/* True if err is settled for these rows: they have answers, by another way of running or refused.
 */
static bool settle_error(const struct job *job, void **rows, size_t n, bool nowait, enum err err)
{
    switch (err_class(err)) {
    case CLASS_OK:
        return true;
    case CLASS_DATA:
        if (n == 1)
            return false;
        run_halves(job, rows, n, nowait);
        return true;
    case CLASS_UNCERTAIN:
        metrics_add(job->r->runtime->metrics, METRIC_COMMIT_UNKNOWN, 1);
        return false;
    case CLASS_RETRY:
        if (err == ERR_LOCKED && nowait) {
            park(job->r, job->r->ops->lock_of(rows[0]));
            turn_out(job->r, rows, n);
            return true;
        }
        if (err == ERR_LOCKED)
            run_each_lock(job, rows, n);
        return err == ERR_LOCKED;
    case CLASS_CLIENT:
    case CLASS_FAULT:
    default:
        refuse_all(job->r, rows, n, err);
        return true;
    }
}

static void run_rows(const struct job *job, void **rows, size_t n, bool nowait)
{
    unsigned away = 0;
    for (unsigned tries = 1; tries <= TRIES_MAX && now_us(job->r) < job->deadline_us; tries++) {
        enum err err = job->r->ops->run(job->context, rows, n, nowait);
        if (settle_error(job, rows, n, nowait, err))
            return;
        away += err == ERR_UNAVAILABLE ? 1 : 0;
        if (away > 1)
            break;
        if (err == ERR_DEADLOCK) {
            metrics_add(job->r->runtime->metrics, METRIC_BATCH_RERUN, 1);
            back_off(job->r, tries);
        }
    }
    refuse_all(job->r, rows, n, ERR_UNAVAILABLE);
}

void retry_rows(struct retry *r, void *context, void **rows, size_t n, int64_t deadline_us)
{
    struct job job = {.r = r, .context = context, .deadline_us = deadline_us};
    size_t free_rows = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_parked(r, r->ops->lock_of(rows[i])))
            turn_out(r, &rows[i], 1);
        else
            rows[free_rows++] = rows[i];
    }
    if (free_rows > 0)
        run_rows(&job, rows, free_rows, false);
}
