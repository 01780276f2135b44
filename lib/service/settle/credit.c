#include "lib/service/settle/credit.h"
#include "lib/service/common/txn.h"
#include <stdlib.h>

#define US_PER_S INT64_C(1000000)
#define POSTPONE_MAX_S 3600

/* One batch of credits. */
struct work {
    const struct runtime *runtime;
    const struct credit *only; /* NULL: what credit_read chooses */
    bool read;                 /* out: the set was read */
    size_t booked;             /* out */
    struct credit_set set;
    struct transfer transfers[CREDIT_BATCH_MAX];
};

static void choose(const struct runtime *runtime, struct credit_set *set, uint32_t lanes)
{
    size_t batch = (size_t)runtime->config->settle_batch;
    set->lanes = lanes;
    set->limit_oldest = batch / 5 > 0 ? batch / 5 : 1;
    set->limit_largest = batch - set->limit_oldest;
    set->old_after_us = runtime->config->settle_old_s * US_PER_S;
}

/* Books what is in the set, in the transaction that read it. */
static enum err book(const struct runtime *runtime, struct store *store, struct work *w)
{
    for (size_t i = 0; i < w->set.n; i++) {
        const struct credit *c = &w->set.rows[i];
        w->transfers[i] = transfer_for_claim(c->user, &c->envelope, (uint32_t)c->seq, c->amount_fen,
                                             c->opened_us);
    }
    enum err err = store->ops->credit_write(store, &w->set, w->transfers,
                                            (int)runtime->config->year_offset_min);
    return err == ERR_OK ? store->ops->commit(store) : err;
}

/* 1 s, doubling with every attempt, to an hour. */
static int64_t postponed_until_us(const struct credit *c, int64_t now_us)
{
    int64_t wait_s = c->attempts < 12 ? INT64_C(1) << c->attempts : POSTPONE_MAX_S;
    return now_us + (wait_s < POSTPONE_MAX_S ? wait_s : POSTPONE_MAX_S) * US_PER_S;
}

/* Book one batch: what credit_read chooses, or, of what it locks, `only`. */
static enum err book_once(struct store *store, void *context)
{
    struct work *w = context;
    w->booked = 0;
    enum err err = store->ops->credit_read(store, &w->set);
    w->read = err == ERR_OK;
    if (err == ERR_OK && w->set.taken && w->only != NULL) {
        w->set.n = 1;
        w->set.rows[0] = *w->only;
    }
    if (err != ERR_OK)
        return err;
    if (!w->set.taken || w->set.n == 0) {
        store->ops->rollback(store);
        return ERR_OK;
    }
    err = book(w->runtime, store, w);
    if (err == ERR_OK)
        w->booked = w->set.n;
    return err;
}

/* One try: what could not be booked waits for the next round. */
static enum err run_batch(struct store *store, struct work *w, uint32_t lanes,
                          const struct credit *only)
{
    static const struct txn_policy policy = {.tries_max = 1};
    w->only = only;
    choose(w->runtime, &w->set, lanes);
    return txn_run(w->runtime, store, book_once, w, &policy);
}

static struct work *work_new(const struct runtime *runtime)
{
    struct work *w = calloc(1, sizeof *w);
    if (w != NULL)
        w->runtime = runtime;
    return w;
}

/* One credit alone. What fails by its data is put off, so that it keeps nobody else waiting. */
static enum err book_one(const struct runtime *runtime, struct store *store, uint32_t lane,
                         const struct credit *c, int64_t now_us, size_t *booked)
{
    struct work *w = work_new(runtime);
    if (w == NULL)
        return ERR_FAULT;
    enum err err = run_batch(store, w, lane, c);
    *booked += w->booked;
    free(w);
    if (err_class(err) != CLASS_DATA && err != ERR_FAULT)
        return err;
    metrics_add(runtime->metrics, METRIC_CREDITS_POISONED, 1);
    err = store->ops->credit_postpone(store, c, postponed_until_us(c, now_us));
    if (err != ERR_OK)
        store->ops->rollback(store);
    return err;
}

static enum err book_singly(const struct runtime *runtime, struct store *store,
                            const struct work *w, size_t *booked)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < w->set.n && err_class(err) != CLASS_RETRY; i++)
        err = book_one(runtime, store, w->set.lanes, &w->set.rows[i], w->set.now_us, booked);
    return err;
}

enum err credit_run_lanes(const struct runtime *runtime, struct store *store, uint32_t lanes,
                          size_t *booked)
{
    *booked = 0;
    struct work *w = work_new(runtime);
    if (w == NULL)
        return ERR_FAULT;
    enum err err = run_batch(store, w, lanes, NULL);
    *booked = w->booked;
    if (w->read && (err_class(err) == CLASS_DATA || err == ERR_FAULT))
        err = lanes_single(lanes) ? book_singly(runtime, store, w, booked) : ERR_OK;
    free(w);
    metrics_add(runtime->metrics, METRIC_CREDITS_BOOKED, *booked);
    return err_class(err) == CLASS_RETRY ? ERR_UNAVAILABLE : err;
}

/* Beginning anywhere, so that several threads and daemons spread. */
static enum err run_each(const struct runtime *runtime, struct store *store, uint32_t lanes,
                         bool *again)
{
    enum err err = ERR_OK;
    unsigned first = (unsigned)rng_below(runtime->rng, LANES);
    for (unsigned i = 0; i < LANES && err == ERR_OK; i++) {
        uint32_t lane = UINT32_C(1) << (first + i) % LANES;
        size_t booked = 0;
        if ((lanes & lane) != 0)
            err = credit_run_lanes(runtime, store, lane, &booked);
        *again |= booked >= (size_t)runtime->config->settle_batch / 2;
    }
    return err;
}

/* Where little waits, one transaction for all of it spares the disk a flush for each lane. */
enum err credit_run(const struct runtime *runtime, struct store *store, bool *again)
{
    uint32_t lanes;
    size_t booked = 0;
    *again = false;
    enum err err = store->ops->credit_lanes(store, &lanes);
    if (err != ERR_OK)
        store->ops->rollback(store);
    else if (!lanes_single(lanes))
        err = credit_run_lanes(runtime, store, lanes, &booked);
    return err == ERR_OK && booked == 0 ? run_each(runtime, store, lanes, again) : err;
}
