#include "lib/service/open/open_batch.h"
#include "lib/base/str.h"
#include "lib/service/common/gate.h"
#include "lib/service/common/newest_version.h"
#include "lib/service/common/publish.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMED_MAX 4096

/* Almost nobody opens twice, and looking for a claim costs the primary something with every open.
 * So a batch looks at first only for the claims that it has reason to expect. Whoever gets no new
 * share is looked for before he is told so; whoever would get a second one is refused by the key of
 * claims, and then the batch runs again and looks for all. Who was found out is remembered, so that
 * repeating oneself costs others one run, not each. */
struct open_batch {
    const struct runtime *runtime;
    struct store *store;
    struct cache *cache;
    struct open_set set;                 /* large: reused */
    struct open_work *unsure[BATCH_MAX]; /* answered as if they had no claim: not looked for yet */
    size_t n_unsure;
    uint64_t claimed[CLAIMED_MAX]; /* hashes of members with a claim, at their own place */
};

struct open_batch *open_batch_new(const struct runtime *runtime)
{
    struct open_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->runtime = runtime;
    b->store = runtime->store_open(runtime->self);
    b->cache = runtime->cache_open(runtime->self);
    if (b->store == NULL || b->cache == NULL) {
        open_batch_free(b);
        return NULL;
    }
    return b;
}

void open_batch_free(struct open_batch *b)
{
    if (b == NULL)
        return;
    if (b->store != NULL)
        b->store->ops->close(b->store);
    if (b->cache != NULL)
        b->cache->ops->close(b->cache);
    free(b);
}

struct store *open_batch_store(struct open_batch *b)
{
    return b->store;
}

struct cache *open_batch_cache(struct open_batch *b)
{
    return b->cache;
}

static int compare_ids(const void *a, const void *b)
{
    return id_compare(a, b);
}

static int compare_rows(const void *a, const void *b)
{
    const struct open_row *x = a, *y = b;
    int order = id_compare(&x->envelope, &y->envelope);
    return order != 0 ? order : strcmp(x->user, y->user);
}

static uint64_t member_hash(const struct id *id, const char *user)
{
    return str_hash(user, strlen(user)) ^ id_slot(id, SIZE_MAX);
}

static bool claim_expected(const struct open_batch *b, const struct open_work *w)
{
    uint64_t hash = member_hash(&w->id, w->who->user);
    return w->lapsed || b->claimed[hash % CLAIMED_MAX] == hash;
}

static void expect_claim(struct open_batch *b, const struct open_work *w)
{
    uint64_t hash = member_hash(&w->id, w->who->user);
    b->claimed[hash % CLAIMED_MAX] = hash;
}

/* Fills the set: distinct envelopes in id order, rows in key order, as locks and inserts demand. */
static void set_fill(struct open_batch *b, void **rows, size_t n, bool nowait, bool look)
{
    struct open_set *set = &b->set;
    for (size_t i = 0; i < n; i++) {
        const struct open_work *w = rows[i];
        set->ids[i] = w->id;
        set->rows[i] = (struct open_row){
            .envelope = w->id, .user = w->who->user, .look = look || claim_expected(b, w)};
    }
    qsort(set->ids, n, sizeof set->ids[0], compare_ids);
    qsort(set->rows, n, sizeof set->rows[0], compare_rows);
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++)
        if (distinct == 0 || id_compare(&set->ids[distinct - 1], &set->ids[i]) != 0)
            set->ids[distinct++] = set->ids[i];
    for (size_t i = 0; i < distinct; i++)
        set->exists[i] = set->changed[i] = false;
    set->n_envelopes = distinct;
    set->n_rows = n;
    set->nowait = nowait;
}

static size_t envelope_index(const struct open_set *set, const struct id *id)
{
    const struct id *at = bsearch(id, set->ids, set->n_envelopes, sizeof *id, compare_ids);
    assert(at != NULL);
    return (size_t)(at - set->ids);
}

static struct open_row *row_of(struct open_set *set, const struct open_work *w)
{
    struct open_row key = {.envelope = w->id, .user = w->who->user};
    struct open_row *row = bsearch(&key, set->rows, set->n_rows, sizeof key, compare_rows);
    assert(row != NULL);
    return row;
}

static void answer_claim(struct open_work *w, const struct claim *c, int64_t expires_us)
{
    w->err = ERR_OK;
    w->answer.state = OPEN_OPENED;
    w->answer.claim = *c;
    w->expires_us = expires_us;
}

static void answer_closed(struct open_work *w, enum envelope_state state)
{
    w->err = ERR_OK;
    w->answer.state = state == STATE_SOLD_OUT ? OPEN_SOLD_OUT : OPEN_EXPIRED;
}

/* Decides a member that gets no new share, in the order: own claim, not for him, closed, frozen,
 * lapsed ticket, past due. False: the next share is his. */
static bool decide_without_share(const struct open_set *set, size_t at, const struct open_row *row,
                                 struct open_work *w)
{
    const struct envelope *e = &set->envelopes[at];
    if (row->found)
        answer_claim(w, &row->claim, e->expires_us);
    else if (!envelope_admits(e, w->who->user, w->who->groups, w->who->n_groups))
        w->err = ERR_NOT_RECIPIENT;
    else if (e->state != STATE_OPEN)
        answer_closed(w, e->state);
    else if (e->frozen)
        w->err = ERR_UNAVAILABLE;
    else if (w->lapsed)
        w->err = ERR_TICKET_EXPIRED;
    else if (envelope_past_due(e, set->now_us))
        w->must_close = true;
    else
        return false;
    return true;
}

/* Decides one member under the locks. Returns true if the answer rests on rows that an earlier
 * transaction stored. */
static bool decide(struct open_batch *b, struct open_work *w)
{
    struct open_set *set = &b->set;
    size_t at = envelope_index(set, &w->id);
    struct envelope *e = &set->envelopes[at];
    struct open_row *row = row_of(set, w);
    w->must_close = false;
    w->err = ERR_OK;
    if (!set->exists[at]) {
        w->err = ERR_NOT_FOUND;
        return false;
    }
    if (decide_without_share(set, at, row, w)) {
        if (!row->look) /* a claim of his would come first */
            b->unsure[b->n_unsure++] = w;
        return row->found || (w->err == ERR_OK && !w->must_close && !set->changed[at]);
    }
    envelope_open_next(e, w->who->user, w->who->name, set->now_us, &row->claim);
    row->insert = set->changed[at] = true;
    answer_claim(w, &row->claim, e->expires_us);
    return false;
}

static bool anything_to_write(const struct open_set *set)
{
    for (size_t i = 0; i < set->n_envelopes; i++)
        if (set->changed[i])
            return true;
    return false;
}

/* Ends the transaction. A commit that wrote makes earlier rows durable too; where nothing was
 * written and an answer rests on earlier rows, the barrier does. */
static enum err finish(struct open_batch *b, bool rests_on_earlier)
{
    const struct store_ops *ops = b->store->ops;
    if (anything_to_write(&b->set)) {
        enum err err = ops->open_write(b->store, &b->set);
        return err != ERR_OK ? err : ops->commit(b->store);
    }
    ops->rollback(b->store);
    if (!rests_on_earlier)
        return ERR_OK;
    metrics_add(b->runtime->metrics, METRIC_BARRIERS, 1);
    return ops->barrier(b->store);
}

/* The newest claims of the envelope at that place, as far as this batch made them, by seq; returns
 * how many. */
static size_t newest_claims(const struct open_set *set, size_t at,
                            struct claim newest[VERSION_CLAIMS_MAX])
{
    const struct envelope *e = &set->envelopes[at];
    int64_t made = e->opened_shares - set->opened_before[at];
    int64_t n = made < VERSION_CLAIMS_MAX ? made : VERSION_CLAIMS_MAX;
    int64_t before = e->opened_shares - n;
    for (size_t i = 0; i < set->n_rows; i++) {
        const struct claim *c = &set->rows[i].claim;
        if (set->rows[i].insert && c->seq > before && id_compare(&c->envelope, &e->id) == 0)
            newest[c->seq - before - 1] = *c;
    }
    return (size_t)n;
}

static void tell_version(const struct open_batch *b, size_t at)
{
    const struct envelope *e = &b->set.envelopes[at];
    struct claim newest[VERSION_CLAIMS_MAX];
    if (e->to_kind == TO_ANYONE)
        newest_version_hint_made(b->runtime, b->cache, e, newest,
                                 newest_claims(&b->set, at, newest));
}

/* After the commit, and before anybody is told: who opened here is remembered, readers learn of the
 * new version, and what closed here is final for every net. */
static void tell_nets(struct open_batch *b, void **rows, size_t n)
{
    const struct envelope *closed[BATCH_MAX];
    size_t n_closed = 0;
    for (size_t i = 0; i < n; i++) {
        const struct open_work *w = rows[i];
        if (w->err != ERR_OK || w->must_close || w->answer.state != OPEN_OPENED)
            continue;
        expect_claim(b, w);
        gate_hint_opened(b->runtime, b->cache, w->expires_us, &w->answer.claim);
    }
    for (size_t i = 0; i < b->set.n_envelopes; i++) {
        const struct envelope *e = &b->set.envelopes[i];
        if (b->set.changed[i] && e->state == STATE_OPEN)
            tell_version(b, i);
        else if (b->set.changed[i])
            closed[n_closed++] = e;
    }
    publish_closed(b->runtime, b->cache, closed, n_closed);
    b->cache->ops->flush(b->cache, true);
}

/* Under the same locks; nobody of them gets a share, whatever is found. */
static enum err make_sure(struct open_batch *b, bool *rests_on_earlier)
{
    if (b->n_unsure == 0)
        return ERR_OK;
    for (size_t i = 0; i < b->set.n_rows; i++)
        b->set.rows[i].look = false;
    for (size_t i = 0; i < b->n_unsure; i++)
        row_of(&b->set, b->unsure[i])->look = true;
    enum err err = b->store->ops->open_look(b->store, &b->set);
    for (size_t i = 0; i < b->n_unsure && err == ERR_OK; i++)
        *rests_on_earlier |= decide(b, b->unsure[i]);
    return err;
}

static enum err run_once(struct open_batch *b, void **rows, size_t n, bool nowait, bool look)
{
    bool rests_on_earlier = false;
    b->n_unsure = 0;
    set_fill(b, rows, n, nowait, look);
    enum err err = b->store->ops->open_read(b->store, &b->set);
    for (size_t i = 0; i < n && err == ERR_OK; i++)
        rests_on_earlier |= decide(b, rows[i]);
    if (err == ERR_OK)
        err = make_sure(b, &rests_on_earlier);
    if (err == ERR_OK)
        err = finish(b, rests_on_earlier);
    if (err != ERR_OK)
        b->store->ops->rollback(b->store);
    return err;
}

enum err open_batch_run(void *batch, void **rows, size_t n, bool nowait)
{
    struct open_batch *b = batch;
    enum err err = run_once(b, rows, n, nowait, false);
    if (err == ERR_DUPLICATE) {
        metrics_add(b->runtime->metrics, METRIC_BATCH_LOOKED, 1);
        err = run_once(b, rows, n, nowait, true);
    }
    if (err == ERR_OK)
        tell_nets(b, rows, n);
    return err;
}
