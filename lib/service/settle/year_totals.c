#include "lib/service/settle/year_totals.h"
#include "lib/service/common/publish.h"
#include "lib/service/common/txn.h"

/* Markers before the queue forgets the envelopes, and a commit of our own before the markers. */
static enum err mend_markers(const struct runtime *runtime, struct store *store,
                             const struct closing *closings, size_t n)
{
    size_t marked = 0;
    while (marked < n && publish_has_marker(runtime, &closings[marked]))
        marked++;
    if (marked == n)
        return ERR_OK;
    metrics_add(runtime->metrics, METRIC_BARRIERS, 1);
    enum err err = store->ops->barrier(store);
    for (size_t i = marked; i < n && err == ERR_OK; i++)
        publish_missing_marker(runtime, &closings[i]);
    return err;
}

struct tally_round {
    const struct runtime *runtime;
    size_t *n;
};

static enum err tally_once(struct store *store, void *context)
{
    const struct tally_round *round = context;
    const struct runtime *runtime = round->runtime;
    struct closing closings[TALLIES_MAX];
    size_t listed = 0;
    *round->n = 0;
    enum err err = store->ops->closing_list(store, closings, TALLIES_MAX, &listed);
    if (err == ERR_OK)
        err = mend_markers(runtime, store, closings, listed);
    if (err == ERR_OK && listed > 0)
        err = store->ops->tally_run(store, (int)runtime->config->year_offset_min, closings, listed,
                                    round->n);
    return err;
}

enum err tally_run(const struct runtime *runtime, struct store *store, size_t *n)
{
    static const struct txn_policy policy = {.tries_max = 1, .next_round = true};
    struct tally_round round = {.runtime = runtime, .n = n};
    return txn_run(runtime, store, tally_once, &round, &policy);
}
