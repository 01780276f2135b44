/* A batched operation. Merging repeats before the database sees them keeps one user's double tap
 * from waiting on its own row lock, and lets the rows of a transaction be distinct. */
#include "lib/service/common/batched.h"
#include "lib/service/common/retry.h"
#include "lib/store/store.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct batched {
    const struct batched_ops *ops;
    struct batch *batch;
    struct retry *retry;
    struct retry_ops retry_ops;
    unsigned leaders;
    struct session *sessions[BATCH_LEADERS_MAX];
    void *leader[BATCH_LEADERS_MAX];
};

static void batched_refuse(void *job, enum err err)
{
    ((struct batched_job *)job)->err = err;
}

/* Fill distinct with the jobs that repeat no other; jobs[i] is, or repeats, distinct[first[i]].
 * Return how many they are. */
static size_t batched_merge(const struct batched *b, void **jobs, size_t n, void **distinct,
                            size_t *first)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < count && !b->ops->merge(distinct[at], jobs[i]))
            at++;
        if (at == count)
            distinct[count++] = jobs[i];
        first[i] = at;
    }
    return count;
}

/* Return ERR_UNAVAILABLE if that is all the jobs were answered with, as when the primary is away.
 */
static enum err batched_outcome(void *const *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (stall_answered(((const struct batched_job *)jobs[i])->err))
            return ERR_OK;
    return ERR_UNAVAILABLE;
}

static enum err batched_run(void *context, unsigned leader, void **jobs, size_t n,
                            int64_t deadline_us)
{
    struct batched *b = context;
    void *distinct[BATCH_MAX], *order[BATCH_MAX];
    size_t first[BATCH_MAX];
    struct store *store = b->sessions[leader]->store;
    size_t count = batched_merge(b, jobs, n, distinct, first);
    memcpy(order, distinct, count * sizeof order[0]); /* retry_rows reorders */
    store->ops->set_deadline(store, deadline_us);
    retry_rows(b->retry, store, b->leader[leader], order, count, deadline_us);
    b->ops->finish(b->leader[leader], distinct, count);
    for (size_t i = 0; i < n; i++)
        if (jobs[i] != distinct[first[i]])
            b->ops->answer_repeat(jobs[i], distinct[first[i]]);
    return batched_outcome(distinct, count);
}

void batched_free(struct batched *b)
{
    if (b == NULL)
        return;
    batch_free(b->batch);
    retry_free(b->retry);
    for (unsigned i = 0; i < b->leaders; i++)
        b->ops->leader_free(b->leader[i]);
    free(b);
}

struct batched *batched_new(const struct runtime *runtime, struct session_pool *sessions,
                            unsigned leaders, const struct batched_ops *ops)
{
    assert(leaders >= 1 && leaders <= BATCH_LEADERS_MAX);
    struct batched *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->ops = ops;
    b->leaders = leaders;
    b->retry_ops =
        (struct retry_ops){.run = ops->run, .lock_of = ops->lock_of, .refuse = batched_refuse};
    bool ok = true;
    for (unsigned i = 0; i < leaders; i++) {
        b->sessions[i] = session_pool_leader(sessions, i);
        if (b->sessions[i] != NULL)
            b->leader[i] = ops->leader_new(runtime, b->sessions[i]);
        ok = ok && b->leader[i] != NULL;
    }
    struct batch_settings settings = {.leaders = leaders,
                                      .job_size = ops->job_size,
                                      .kind = ops->kind,
                                      .run = batched_run,
                                      .context = b};
    b->retry = retry_new(runtime, &b->retry_ops);
    b->batch = batch_new(&settings, runtime->clock, runtime->metrics, session_pool_stall(sessions));
    if (!ok || b->retry == NULL || b->batch == NULL) {
        batched_free(b);
        return NULL;
    }
    return b;
}

struct batch *batched_batch(struct batched *b)
{
    return b->batch;
}
