/* Transaction runner: the one place that knows which errors of a transaction are worth another try.
 * An unknown commit is repeated because every transaction carries a unique key. */
#include "lib/service/common/txn.h"
#include <assert.h>
#include <time.h>

#define BACKOFF_US 2000

static void txn_back_off(const struct runtime *runtime, unsigned tries)
{
    uint64_t us = (uint64_t)BACKOFF_US * tries + rng_below(runtime->rng, BACKOFF_US);
    struct timespec pause = {.tv_nsec = (long)us * NS_PER_US};
    nanosleep(&pause, NULL);
}

static bool txn_past_deadline(const struct runtime *runtime, const struct txn_policy *policy)
{
    return policy->deadline_us != 0 &&
           runtime->clock->mono_us(runtime->clock->self) >= policy->deadline_us;
}

/* Return true if err is worth another try. *away counts the tries that found no server. */
static bool txn_repeats(const struct txn_policy *policy, enum err err, unsigned *away)
{
    switch (err) {
    case ERR_DEADLOCK:
    case ERR_UNCERTAIN:
        return true;
    case ERR_DUPLICATE:
        return policy->repeat_duplicate;
    case ERR_UNAVAILABLE:
        return ++*away == 1;
    default:
        return false;
    }
}

enum err txn_run(const struct runtime *runtime, struct store *store, txn_fn *fn, void *context,
                 const struct txn_policy *policy)
{
    enum err err = ERR_UNAVAILABLE;
    unsigned away = 0;
    bool again = true;
    assert(policy->tries_max >= 1);
    for (unsigned tries = 1; again && !txn_past_deadline(runtime, policy); tries++) {
        err = fn(store, context);
        if (err == ERR_OK)
            return ERR_OK;
        store->ops->rollback(store);
        if (err == ERR_UNCERTAIN)
            metrics_add(runtime->metrics, METRIC_COMMITS_UNCERTAIN, 1);
        if (!txn_repeats(policy, err, &away))
            break;
        again = tries < policy->tries_max;
        if (again && err == ERR_DEADLOCK)
            txn_back_off(runtime, tries);
    }
    if (policy->next_round && (err == ERR_LOCKED || err == ERR_DEADLOCK || err == ERR_UNCERTAIN))
        return ERR_OK;
    bool temporary = err == ERR_DEADLOCK || err == ERR_UNCERTAIN ||
                     (err == ERR_DUPLICATE && policy->repeat_duplicate);
    return temporary ? ERR_UNAVAILABLE : err;
}
