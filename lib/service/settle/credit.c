/* Each batch is one transaction over one lane, so that daemons and threads never compete for a row.
 * The largest credits come first, with a fifth of the batch for the oldest, so that none waits for
 * ever. */
#include "lib/service/settle/credit.h"
#include "lib/base/clock.h"
#include "lib/service/common/money_log.h"
#include "lib/service/common/txn.h"
#include <stdlib.h>
#include <string.h>

#define POSTPONE_MAX_S 3600
#define OPENED_MAX_US INT64_C(253402300799999999) /* the end of the year 9999 */

/* One batch of credits. */
struct credit_work {
    const struct runtime *runtime;
    const struct credit *only; /* NULL: everything that credit_read selects */
    bool read;                 /* out: the set was read */
    size_t credited;           /* out */
    struct credit_set set;
    struct transfer transfers[CREDIT_BATCH_MAX];
};

static void credit_select(const struct runtime *runtime, struct credit_set *set, uint32_t lanes)
{
    size_t batch = (size_t)runtime->config->settle_batch;
    set->lanes = lanes;
    set->limit_oldest = batch / 5 > 0 ? batch / 5 : 1;
    set->limit_largest = batch - set->limit_oldest;
    set->old_after_us = runtime->config->settle_old_s * US_PER_S;
}

/* Write and commit what the set holds, in the transaction that read it. */
static enum err credit_write(const struct runtime *runtime, struct store *store,
                             struct credit_work *w)
{
    for (size_t i = 0; i < w->set.n; i++) {
        const struct credit *c = &w->set.rows[i];
        w->transfers[i] = transfer_for_claim(c->user, &c->envelope, (uint32_t)c->seq, c->amount_fen,
                                             c->opened_us);
    }
    enum err err = store->ops->credit_write(store, &w->set, w->transfers,
                                            (int)runtime->config->year_offset_min);
    if (err == ERR_OK)
        err = store->ops->commit(store);
    if (err == ERR_OK || err == ERR_UNCERTAIN)
        money_log_credits(w->transfers, w->set.n, err == ERR_OK);
    return err;
}

/* Return the time of the next attempt: after 1 s, doubling with every attempt, to an hour. */
static int64_t postponed_until_us(const struct credit *c, int64_t now_us)
{
    int64_t wait_s = c->attempts < 12 ? INT64_C(1) << c->attempts : POSTPONE_MAX_S;
    return now_us + (wait_s < POSTPONE_MAX_S ? wait_s : POSTPONE_MAX_S) * US_PER_S;
}

/* Return true if c can be made into a transfer and a year total. Rows come from outside. */
static bool credit_plausible(const struct credit *c)
{
    return user_valid(c->user, strlen(c->user)) && c->seq >= 1 && c->seq <= SHARES_LIMIT &&
           c->amount_fen >= 1 && c->amount_fen <= AMOUNT_MAX_FEN && c->opened_us >= 0 &&
           c->opened_us <= OPENED_MAX_US;
}

static bool credits_plausible(const struct credit_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (!credit_plausible(&set->rows[i]))
            return false;
    return true;
}

static enum err credit_once(struct store *store, void *context)
{
    struct credit_work *w = context;
    w->credited = 0;
    enum err err = store->ops->credit_read(store, &w->set);
    w->read = err == ERR_OK;
    if (err != ERR_OK)
        return err;
    if (w->set.taken && w->only != NULL) {
        w->set.n = 1;
        w->set.rows[0] = *w->only;
    }
    if (!w->set.taken || w->set.n == 0) {
        store->ops->rollback(store);
        return ERR_OK;
    }
    err = credits_plausible(&w->set) ? credit_write(w->runtime, store, w) : ERR_RANGE;
    if (err == ERR_OK)
        w->credited = w->set.n;
    return err;
}

/* Run one transaction over lanes for *only, or for everything selected if only is NULL. One try:
 * what was not credited waits for the next round. */
static enum err credit_batch(struct store *store, struct credit_work *w, uint32_t lanes,
                             const struct credit *only)
{
    static const struct txn_policy policy = {.tries_max = 1};
    w->only = only;
    credit_select(w->runtime, &w->set, lanes);
    return txn_run(w->runtime, store, credit_once, w, &policy);
}

static struct credit_work *credit_work_new(const struct runtime *runtime)
{
    struct credit_work *w = calloc(1, sizeof *w);
    if (w != NULL)
        w->runtime = runtime;
    return w;
}

/* Credit one claim by itself. If its data is refused, postpone it, so that the others do not wait.
 */
static enum err credit_one(const struct runtime *runtime, struct store *store, uint32_t lane,
                           const struct credit *c, int64_t now_us, size_t *credited)
{
    struct credit_work *w = credit_work_new(runtime);
    if (w == NULL)
        return ERR_FAULT;
    enum err err = credit_batch(store, w, lane, c);
    *credited += w->credited;
    free(w);
    if (err_class(err) != CLASS_DATA && err != ERR_FAULT)
        return err;
    metrics_add(runtime->metrics, METRIC_CREDITS_POSTPONED, 1);
    err = store->ops->credit_postpone(store, c, postponed_until_us(c, now_us));
    if (err != ERR_OK)
        store->ops->rollback(store);
    return err;
}

/* Credit the claims of a batch one by one. */
static enum err credit_singly(const struct runtime *runtime, struct store *store,
                              const struct credit_work *w, size_t *credited)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < w->set.n && err_class(err) != CLASS_RETRY; i++)
        err = credit_one(runtime, store, w->set.lanes, &w->set.rows[i], w->set.now_us, credited);
    return err;
}

enum err credit_run_lanes(const struct runtime *runtime, struct store *store, uint32_t lanes,
                          size_t *credited)
{
    *credited = 0;
    struct credit_work *w = credit_work_new(runtime);
    if (w == NULL)
        return ERR_FAULT;
    enum err err = credit_batch(store, w, lanes, NULL);
    *credited = w->credited;
    if (w->read && (err_class(err) == CLASS_DATA || err == ERR_FAULT))
        err = lanes_single(lanes) ? credit_singly(runtime, store, w, credited) : ERR_OK;
    free(w);
    metrics_add(runtime->metrics, METRIC_CLAIMS_CREDITED, *credited);
    return err_class(err) == CLASS_RETRY ? ERR_UNAVAILABLE : err;
}

/* Credit a batch of each lane in lanes, starting with a random one, so that threads and daemons
 * spread over the lanes. */
static enum err credit_each(const struct runtime *runtime, struct store *store, uint32_t lanes,
                            bool *again)
{
    enum err err = ERR_OK;
    unsigned first = (unsigned)rng_below(runtime->rng, LANES);
    for (unsigned i = 0; i < LANES && err == ERR_OK; i++) {
        uint32_t lane = UINT32_C(1) << (first + i) % LANES;
        size_t credited = 0;
        if ((lanes & lane) != 0)
            err = credit_run_lanes(runtime, store, lane, &credited);
        *again |= credited >= (size_t)runtime->config->settle_batch / 2;
    }
    return err;
}

/* When little waits, one transaction for everything saves a disk flush per lane. */
enum err credit_run(const struct runtime *runtime, struct store *store, bool *again)
{
    uint32_t lanes;
    size_t credited = 0;
    *again = false;
    enum err err = store->ops->credit_lanes(store, &lanes);
    if (err != ERR_OK)
        store->ops->rollback(store);
    else if (!lanes_single(lanes))
        err = credit_run_lanes(runtime, store, lanes, &credited);
    return err == ERR_OK && credited == 0 ? credit_each(runtime, store, lanes, again) : err;
}
