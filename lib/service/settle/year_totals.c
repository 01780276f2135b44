/* The queue of closings is emptied only after the markers exist, so that a crash anywhere between
 * the close and here leaves work that is found again. */
#include "lib/service/settle/year_totals.h"
#include "lib/service/common/publish.h"
#include "lib/service/common/txn.h"

/* Create missing markers. A marker may exist only for a durable close, and these closings may have
 * been committed by another process a moment ago: hence the barrier. */
static enum err repair_markers(const struct runtime *runtime, struct store *store,
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

struct totals_round {
    const struct runtime *runtime;
    size_t *n;
};

static enum err year_totals_once(struct store *store, void *context)
{
    const struct totals_round *round = context;
    const struct runtime *runtime = round->runtime;
    struct closing closings[CLOSINGS_MAX];
    size_t listed = 0;
    *round->n = 0;
    enum err err = store->ops->closing_list(store, closings, CLOSINGS_MAX, &listed);
    if (err == ERR_OK)
        err = repair_markers(runtime, store, closings, listed);
    if (err == ERR_OK && listed > 0)
        err = store->ops->year_totals_add(store, (int)runtime->config->year_offset_min, closings,
                                          listed, round->n);
    return err;
}

enum err year_totals_run(const struct runtime *runtime, struct store *store, size_t *n)
{
    static const struct txn_policy policy = {.tries_max = 1, .next_round = true};
    struct totals_round round = {.runtime = runtime, .n = n};
    return txn_run(runtime, store, year_totals_once, &round, &policy);
}
