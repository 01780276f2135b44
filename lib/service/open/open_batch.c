/* A batch of opens. Repeat opens are rare and looking for a claim costs the primary something with
 * every open, so the first run looks up existing claims only for users that are expected to have
 * one. A user about to be given no share is looked up before being answered. A second claim is
 * rejected by the unique key; the batch then runs again and looks up everyone. Users found to have
 * a claim are remembered, so that only their first repeat costs another run. */
#include "lib/service/open/open_batch.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/service/common/close.h"
#include "lib/service/common/gate.h"
#include "lib/service/common/money_log.h"
#include "lib/service/common/newest_version.h"
#include "lib/service/common/publish.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMED_MAX 4096

struct open_batch {
    const struct runtime *runtime;
    struct store *store;
    struct cache *cache;
    struct open_set set;                /* large: reused */
    struct open_job *unsure[BATCH_MAX]; /* answered without a share before being looked up */
    size_t n_unsure;
    uint64_t claimed[CLAIMED_MAX]; /* hashes of user and envelope with a claim; a newer one evicts
                                    * an older one */
};

void *open_batch_new(const struct runtime *runtime, struct session *session)
{
    struct open_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->runtime = runtime;
    b->store = session->store;
    b->cache = session->cache;
    return b;
}

void open_batch_free(void *batch)
{
    free(batch);
}

static int open_compare_ids(const void *a, const void *b)
{
    return id_compare(a, b);
}

static int open_compare_rows(const void *a, const void *b)
{
    const struct open_row *x = a, *y = b;
    int order = id_compare(&x->envelope, &y->envelope);
    return order != 0 ? order : strcmp(x->user, y->user);
}

static uint64_t open_claim_hash(const struct id *id, const char *user)
{
    return str_hash(user, strlen(user)) ^ id_slot(id, SIZE_MAX);
}

static bool claim_expected(const struct open_batch *b, const struct open_job *job)
{
    uint64_t hash = open_claim_hash(&job->id, job->user);
    return job->claimed || b->claimed[hash % CLAIMED_MAX] == hash;
}

static void expect_claim(struct open_batch *b, const struct open_job *job)
{
    uint64_t hash = open_claim_hash(&job->id, job->user);
    b->claimed[hash % CLAIMED_MAX] = hash;
}

/* Fill the set: distinct envelopes in id order, rows in key order, as locks and inserts demand. */
static void open_set_fill(struct open_batch *b, void **jobs, size_t n, bool nowait, bool look)
{
    struct open_set *set = &b->set;
    for (size_t i = 0; i < n; i++) {
        const struct open_job *job = jobs[i];
        set->ids[i] = job->id;
        set->rows[i] = (struct open_row){
            .envelope = job->id, .user = job->user, .look = look || claim_expected(b, job)};
    }
    qsort(set->ids, n, sizeof set->ids[0], open_compare_ids);
    qsort(set->rows, n, sizeof set->rows[0], open_compare_rows);
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++)
        if (distinct == 0 || id_compare(&set->ids[distinct - 1], &set->ids[i]) != 0)
            set->ids[distinct++] = set->ids[i];
    for (size_t i = 0; i < distinct; i++)
        set->exists[i] = set->changed[i] = false;
    set->n_envelopes = distinct;
    set->n_rows = n;
    set->lock_wait = nowait ? LOCK_WAIT_NONE : LOCK_WAIT_BRIEF;
}

static size_t envelope_index(const struct open_set *set, const struct id *id)
{
    const struct id *at = bsearch(id, set->ids, set->n_envelopes, sizeof *id, open_compare_ids);
    assert(at != NULL);
    return (size_t)(at - set->ids);
}

static struct open_row *row_of(struct open_set *set, const struct open_job *job)
{
    struct open_row key = {.envelope = job->id, .user = job->user};
    struct open_row *row = bsearch(&key, set->rows, set->n_rows, sizeof key, open_compare_rows);
    assert(row != NULL);
    return row;
}

static void answer_claim(struct open_job *job, const struct claim *c, int64_t expires_us)
{
    job->base.err = ERR_OK;
    job->answer.state = OPEN_OPENED;
    job->answer.claim = *c;
    job->expires_us = expires_us;
}

static void answer_closed(struct open_job *job, enum envelope_state state)
{
    job->base.err = ERR_OK;
    job->answer.state = state == STATE_SOLD_OUT ? OPEN_SOLD_OUT : OPEN_EXPIRED;
}

/* The open pool may not freeze; reconciliation does. */
static enum err open_refuse_damaged(const struct envelope *e)
{
    char text[ID_TEXT_SIZE];
    id_format(text, &e->id);
    log_event(LOG_LEVEL_ERROR, "envelope_damaged", "envelope %s: not opened", text);
    return ERR_UNAVAILABLE;
}

/* Decide a job that is given no new share, in the order: own claim, not a recipient, damaged,
 * closed, frozen, lapsed ticket, past due. Return false if the next share is the user's. */
static bool decide_without_share(const struct open_set *set, size_t at, const struct open_row *row,
                                 struct open_job *job)
{
    const struct envelope *e = &set->envelopes[at];
    if (row->found) {
        answer_claim(job, &row->claim, e->expires_us);
        job->replayed = row->claim.opened_us != job->drawn_us;
    } else if (!envelope_admits(e, job->user, job->groups, job->n_groups))
        job->base.err = ERR_NOT_RECIPIENT;
    else if (envelope_damaged(e))
        job->base.err = open_refuse_damaged(e);
    else if (e->state != STATE_OPEN)
        answer_closed(job, e->state);
    else if (e->frozen)
        job->base.err = ERR_UNAVAILABLE;
    else if (job->lapsed)
        job->base.err = ERR_TICKET_EXPIRED;
    else if (envelope_past_due(e, set->now_us))
        job->must_close = true;
    else
        return false;
    return true;
}

/* Decide one job under the locks. Return true if the answer rests on rows that an earlier
 * transaction stored. */
static bool open_decide(struct open_batch *b, struct open_job *job)
{
    struct open_set *set = &b->set;
    size_t at = envelope_index(set, &job->id);
    struct envelope *e = &set->envelopes[at];
    struct open_row *row = row_of(set, job);
    job->must_close = job->replayed = false;
    job->base.err = ERR_OK;
    if (!set->exists[at]) {
        job->base.err = ERR_NOT_FOUND;
        return false;
    }
    if (decide_without_share(set, at, row, job)) {
        if (!row->look) /* an earlier claim would come first */
            b->unsure[b->n_unsure++] = job;
        return row->found || (job->base.err == ERR_OK && !job->must_close && !set->changed[at]);
    }
    envelope_open_next(e, job->user, job->name, set->now_us, &row->claim);
    row->insert = set->changed[at] = true;
    job->drawn_us = set->now_us;
    answer_claim(job, &row->claim, e->expires_us);
    return false;
}

static bool anything_to_write(const struct open_set *set)
{
    for (size_t i = 0; i < set->n_envelopes; i++)
        if (set->changed[i])
            return true;
    return false;
}

/* End the transaction. A commit that wrote makes earlier rows durable too; where nothing was
 * written and an answer rests on earlier rows, the barrier does. */
static enum err open_end(struct open_batch *b, bool rests_on_earlier)
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

/* List the newest claims of envelope `at`, as far as this batch made them, by seq. Return how many.
 */
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

static void open_publish_version(const struct open_batch *b, size_t at)
{
    const struct envelope *e = &b->set.envelopes[at];
    struct claim newest[VERSION_CLAIMS_MAX];
    if (e->to_kind == TO_ANYONE)
        newest_version_hint_made(b->runtime, b->cache, e, newest,
                                 newest_claims(&b->set, at, newest));
}

/* After the commit, and before anything is answered: write the claims and the new versions to the
 * cache, and publish the envelopes that closed. */
static void open_publish(struct open_batch *b, void **jobs, size_t n)
{
    const struct envelope *closed[BATCH_MAX];
    size_t n_closed = 0;
    for (size_t i = 0; i < n; i++) {
        const struct open_job *job = jobs[i];
        if (job->base.err != ERR_OK || job->must_close || job->answer.state != OPEN_OPENED)
            continue;
        expect_claim(b, job);
        gate_hint_opened(b->runtime, b->cache, job->expires_us, &job->answer.claim);
    }
    for (size_t i = 0; i < b->set.n_envelopes; i++) {
        const struct envelope *e = &b->set.envelopes[i];
        if (b->set.changed[i] && e->state == STATE_OPEN)
            open_publish_version(b, i);
        else if (b->set.changed[i])
            closed[n_closed++] = e;
    }
    money_log_closed(closed, n_closed);
    publish_closed(b->runtime, b->cache, closed, n_closed);
    b->cache->ops->flush(b->cache, true);
}

/* Look up, under the same locks, the claims of those answered without it. None of them is given a
 * share, whatever is found. */
static enum err open_make_sure(struct open_batch *b, bool *rests_on_earlier)
{
    if (b->n_unsure == 0)
        return ERR_OK;
    for (size_t i = 0; i < b->set.n_rows; i++)
        b->set.rows[i].look = false;
    for (size_t i = 0; i < b->n_unsure; i++)
        row_of(&b->set, b->unsure[i])->look = true;
    enum err err = b->store->ops->open_look(b->store, &b->set);
    for (size_t i = 0; i < b->n_unsure && err == ERR_OK; i++)
        *rests_on_earlier |= open_decide(b, b->unsure[i]);
    return err;
}

static enum err open_run_once(struct open_batch *b, void **jobs, size_t n, bool nowait, bool look)
{
    bool rests_on_earlier = false;
    b->n_unsure = 0;
    open_set_fill(b, jobs, n, nowait, look);
    enum err err = b->store->ops->open_read(b->store, &b->set);
    for (size_t i = 0; i < n && err == ERR_OK; i++)
        rests_on_earlier |= open_decide(b, jobs[i]);
    if (err == ERR_OK)
        err = open_make_sure(b, &rests_on_earlier);
    if (err == ERR_OK)
        err = open_end(b, rests_on_earlier);
    return err;
}

enum err open_batch_run(void *batch, void **jobs, size_t n, bool nowait)
{
    struct open_batch *b = batch;
    enum err err = open_run_once(b, jobs, n, nowait, false);
    if (err == ERR_DUPLICATE) {
        metrics_add(b->runtime->metrics, METRIC_BATCH_LOOKUPS, 1);
        b->store->ops->rollback(b->store);
        err = open_run_once(b, jobs, n, nowait, true);
    }
    if (err == ERR_OK)
        open_publish(b, jobs, n);
    return err;
}

/* Return ERR_OK if what the primary takes for past due is past due. The open pool does not watch
 * the clock itself; it relies on settle, which closes the envelope soon where this does not. */
static enum err open_check_clock(const struct open_batch *b)
{
    struct clock_row row;
    enum err err = b->store->ops->clock_read(b->store, &row);
    if (err != ERR_OK)
        b->store->ops->rollback(b->store);
    return err == ERR_OK && !clock_witnessed(&row) ? ERR_UNAVAILABLE : err;
}

/* Only a stored end is ever answered. */
static void open_close_past_due(const struct open_batch *b, struct open_job *job)
{
    struct envelope e;
    bool found = false;
    job->must_close = false;
    job->base.err = open_check_clock(b);
    if (job->base.err == ERR_OK)
        job->base.err =
            close_envelope(b->runtime, b->store, b->cache, &job->id, CLOSER_DEADLINE, &found, &e);
    if (job->base.err == ERR_OK && !found)
        job->base.err = ERR_NOT_FOUND;
    if (job->base.err == ERR_OK)
        answer_closed(job, e.state);
}

void open_batch_finish(void *batch, void **jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct open_job *job = jobs[i];
        if (job->base.err == ERR_OK && job->must_close)
            open_close_past_due(batch, job);
    }
}
