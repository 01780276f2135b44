/* A program that finds wrong books cannot know which table is right, so it stops all changes of the
 * envelope and leaves the rest to an operator. */
#include "lib/service/common/freeze.h"
#include "lib/base/log.h"
#include "lib/service/common/txn.h"

static void log_alarm(const struct runtime *runtime, const struct id *id, const char *rule)
{
    char text[ID_TEXT_SIZE];
    id_format(text, id);
    log_event(LOG_LEVEL_ERROR, "reconcile_alarm", "envelope %s: %s: frozen", text, rule);
    metrics_add(runtime->metrics, METRIC_RECONCILE_ALARMS, 1);
}

struct freezing {
    const struct id *id;
    enum books_rule rule;
    bool changed; /* out */
};

static enum err freeze_once(struct store *store, void *context)
{
    struct freezing *f = context;
    f->changed = false;
    return store->ops->freeze(store, f->id, (int64_t)f->rule, &f->changed);
}

enum err freeze_envelope(const struct runtime *runtime, struct store *store, const struct id *id,
                         enum books_rule rule)
{
    static const struct txn_policy policy = {.tries_max = 1, .next_round = true};
    struct freezing f = {.id = id, .rule = rule};
    enum err err = txn_run(runtime, store, freeze_once, &f, &policy);
    if (err == ERR_OK && f.changed)
        log_alarm(runtime, id, books_rule_name((int64_t)rule));
    return err;
}
