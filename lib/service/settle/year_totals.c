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
    struct closing closings[CLOSINGS_MAX];
    size_t listed, n; /* n: added to the totals */
};

/* Closing `at` of the list, added by itself. */
struct totals_one {
    struct totals_round *round;
    size_t at;
};

static enum err year_totals_once(struct store *store, void *context)
{
    struct totals_round *round = context;
    const struct runtime *runtime = round->runtime;
    round->n = round->listed = 0;
    enum err err = store->ops->closing_list(store, round->closings, CLOSINGS_MAX, &round->listed);
    if (err == ERR_OK)
        err = repair_markers(runtime, store, round->closings, round->listed);
    if (err == ERR_OK && round->listed > 0)
        err = store->ops->year_totals_add(store, (int)runtime->config->year_offset_min,
                                          round->closings, round->listed, &round->n);
    return err;
}

static enum err year_totals_one(struct store *store, void *context)
{
    const struct totals_one *one = context;
    struct totals_round *round = one->round;
    size_t n = 0;
    enum err err = store->ops->year_totals_add(store, (int)round->runtime->config->year_offset_min,
                                               &round->closings[one->at], 1, &n);
    round->n += n;
    return err;
}

/* The data of one was refused: add each by itself, so that the others are added. */
static enum err year_totals_singly(struct totals_round *round, struct store *store,
                                   const struct txn_policy *policy)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < round->listed && err_class(err) != CLASS_RETRY; i++) {
        struct totals_one one = {.round = round, .at = i};
        err = txn_run(round->runtime, store, year_totals_one, &one, policy);
    }
    return err_class(err) == CLASS_RETRY ? err : ERR_OK;
}

enum err year_totals_run(const struct runtime *runtime, struct store *store, size_t *n)
{
    static const struct txn_policy policy = {.tries_max = 1, .next_round = true};
    struct totals_round round = {.runtime = runtime};
    enum err err = txn_run(runtime, store, year_totals_once, &round, &policy);
    if (err_class(err) == CLASS_DATA)
        err = year_totals_singly(&round, store, &policy);
    *n = round.n;
    return err;
}
