/* Retried rows. Rows share a transaction but not a fate: what goes wrong for one of them is found
 * by running smaller groups, and a row whose lock is held elsewhere is set aside for a while, so
 * that it does not make every batch wait again. */
#include "lib/service/common/retry.h"
#include "lib/service/common/txn.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 6
#define PARKED_MAX 64
#define PARK_US 1000000

/* A lock that was held by another process. A new one takes the place of an old one. */
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
struct retry_call {
    struct retry *retry;
    struct store *store;
    void *context;
    int64_t deadline_us;
};

/* Rows that are one transaction. */
struct retry_txn {
    const struct retry_call *call;
    void **rows;
    size_t n;
    bool nowait;
    bool again; /* it has run before */
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

static int64_t retry_now_us(const struct retry *r)
{
    return r->runtime->clock->mono_us(r->runtime->clock->self);
}

static void retry_park(struct retry *r, uint64_t lock)
{
    pthread_mutex_lock(&r->lock);
    r->parked[lock % PARKED_MAX] = (struct parked){lock, retry_now_us(r) + PARK_US};
    pthread_mutex_unlock(&r->lock);
}

static bool retry_is_parked(struct retry *r, uint64_t lock)
{
    pthread_mutex_lock(&r->lock);
    const struct parked *p = &r->parked[lock % PARKED_MAX];
    bool parked = p->lock == lock && p->until_us > retry_now_us(r);
    pthread_mutex_unlock(&r->lock);
    return parked;
}

static void retry_refuse(const struct retry *r, void **rows, size_t n, enum err err)
{
    for (size_t i = 0; i < n; i++)
        r->ops->refuse(rows[i], err);
}

static void retry_turn_out(struct retry *r, void **rows, size_t n)
{
    metrics_add(r->runtime->metrics, METRIC_BATCH_LOCKED, n);
    retry_refuse(r, rows, n, ERR_LOCKED);
}

static void retry_run(const struct retry_call *call, void **rows, size_t n, bool nowait);

/* Move the rows with the lock of rows[0] to the front; return how many they are. */
static size_t retry_gather_lock(const struct retry *r, void **rows, size_t n)
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

static void retry_run_each_lock(const struct retry_call *call, void **rows, size_t n)
{
    while (n > 0) {
        size_t same = retry_gather_lock(call->retry, rows, n);
        retry_run(call, rows, same, true);
        rows += same;
        n -= same;
    }
}

static void retry_run_halves(const struct retry_call *call, void **rows, size_t n, bool nowait)
{
    metrics_add(call->retry->runtime->metrics, METRIC_BATCH_RETRIES, 1);
    retry_run(call, rows, n / 2, nowait);
    retry_run(call, rows + n / 2, n - n / 2, nowait);
}

static enum err retry_txn_run(struct store *store, void *context)
{
    struct retry_txn *t = context;
    struct retry *r = t->call->retry;
    (void)store;
    if (t->again)
        metrics_add(r->runtime->metrics, METRIC_BATCH_RETRIES, 1);
    t->again = true;
    return r->ops->run(t->call->context, t->rows, t->n, t->nowait);
}

/* A data error names no row: halves find the one at fault, which alone is refused. */
static void retry_run(const struct retry_call *call, void **rows, size_t n, bool nowait)
{
    struct retry *r = call->retry;
    struct retry_txn txn = {.call = call, .rows = rows, .n = n, .nowait = nowait};
    struct txn_policy policy = {
        .tries_max = TRIES_MAX, .repeat_duplicate = n == 1, .deadline_us = call->deadline_us};
    enum err err = txn_run(r->runtime, call->store, retry_txn_run, &txn, &policy);
    if (err == ERR_OK)
        return;
    if (err_class(err) == CLASS_DATA && n > 1) {
        retry_run_halves(call, rows, n, nowait);
    } else if (err == ERR_LOCKED && !nowait) {
        retry_run_each_lock(call, rows, n);
    } else if (err == ERR_LOCKED) {
        retry_park(r, r->ops->lock_of(rows[0]));
        retry_turn_out(r, rows, n);
    } else {
        retry_refuse(r, rows, n, err_class(err) == CLASS_DATA ? ERR_UNAVAILABLE : err);
    }
}

void retry_rows(struct retry *r, struct store *store, void *context, void **rows, size_t n,
                int64_t deadline_us)
{
    struct retry_call call = {
        .retry = r, .store = store, .context = context, .deadline_us = deadline_us};
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        if (retry_is_parked(r, r->ops->lock_of(rows[i])))
            retry_turn_out(r, &rows[i], 1);
        else
            rows[left++] = rows[i];
    }
    if (left > 0)
        retry_run(&call, rows, left, false);
}
