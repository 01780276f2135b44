/* A burst of grabs. Everything is read in one round trip, and the recipients of restricted
 * envelopes in one more, so that a crowd costs the cache a few requests, not one for each user. */
#include "lib/service/grab/grab_batch.h"
#include "lib/service/common/envelope_cache.h"
#include "lib/service/grab/grab_shares.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One envelope of the burst. */
struct grab_envelope {
    struct id id;
    struct cache_item *gate; /* NULL: not read, the process knows its end */
    bool valid;              /* the value of the gate parsed into group.gate */
    struct grab_group group;
    struct cache_item *check; /* where recipients are checked: the envelope item */
    char text[ENVELOPE_VALUE_TEXT_SIZE];
};

struct grab_batch {
    const struct runtime *runtime;
    size_t max;
    struct grab_tickets tickets;
    struct grab_shares shares;
    /* of this burst */
    size_t n_envelopes;
    struct grab_envelope *envelopes; /* max */
    size_t *envelope_of;             /* max: job -> index of its envelope */
    struct cache_item *items;        /* 2 * max: users, then gates */
    char (*texts)[GATE_TEXT_SIZE];   /* of the items */
    struct cache_item *checks;       /* max: envelope items */
    struct cache_item *scratch;      /* max */
};

struct grab_batch *grab_batch_new(const struct runtime *runtime,
                                  struct recent_tickets *recent_tickets, size_t max)
{
    assert(max >= 1 && max <= BATCH_MAX);
    struct grab_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->runtime = runtime;
    b->max = max;
    b->envelopes = calloc(max, sizeof *b->envelopes);
    b->envelope_of = calloc(max, sizeof *b->envelope_of);
    b->items = calloc(2 * max, sizeof *b->items);
    b->texts = calloc(2 * max, sizeof *b->texts);
    b->checks = calloc(max, sizeof *b->checks);
    b->scratch = calloc(max, sizeof *b->scratch);
    if (b->envelopes == NULL || b->envelope_of == NULL || b->items == NULL || b->texts == NULL ||
        b->checks == NULL || b->scratch == NULL) {
        grab_batch_free(b);
        return NULL;
    }
    b->tickets = (struct grab_tickets){.runtime = runtime, .recent_tickets = recent_tickets};
    b->shares =
        (struct grab_shares){.runtime = runtime, .tickets = &b->tickets, .scratch = b->scratch};
    return b;
}

void grab_batch_free(struct grab_batch *b)
{
    if (b == NULL)
        return;
    free(b->envelopes);
    free(b->envelope_of);
    free(b->items);
    free(b->texts);
    free(b->checks);
    free(b->scratch);
    free(b);
}

/* ---- reading ---- */

static struct cache_item *grab_batch_item(struct grab_batch *b, size_t i)
{
    b->items[i].value = b->texts[i];
    b->items[i].value_cap = sizeof b->texts[i];
    return &b->items[i];
}

/* List the envelopes of jobs, and name the users' items. Return how many items are named. */
static size_t grab_batch_list(struct grab_batch *b, struct grab_job **jobs, size_t n)
{
    size_t count = 0;
    b->n_envelopes = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < b->n_envelopes && id_compare(&b->envelopes[at].id, jobs[i]->id) != 0)
            at++;
        struct grab_envelope *e = &b->envelopes[at];
        if (at == b->n_envelopes) {
            b->n_envelopes++;
            e->id = *jobs[i]->id;
            e->gate = e->check = NULL;
            e->valid = false;
        }
        b->envelope_of[i] = at;
        jobs[i]->user_item = NULL;
        if (jobs[i]->end != STATE_OPEN && !jobs[i]->claim)
            continue;
        jobs[i]->user_item = grab_batch_item(b, count++);
        item_key_user(jobs[i]->user_item->key, b->runtime->generation, jobs[i]->id,
                      jobs[i]->who->user);
    }
    return count;
}

/* Read users' items and gates in one round trip. */
static void grab_batch_read(struct grab_batch *b, struct grab_job **jobs, size_t n)
{
    size_t count = grab_batch_list(b, jobs, n);
    for (size_t i = 0; i < n; i++) {
        struct grab_envelope *e = &b->envelopes[b->envelope_of[i]];
        if (jobs[i]->end != STATE_OPEN || e->gate != NULL)
            continue;
        e->gate = grab_batch_item(b, count++);
        item_key(e->gate->key, ITEM_KEY_GATE, b->runtime->generation, &e->id);
    }
    if (count > 0)
        b->tickets.cache->ops->get(b->tickets.cache, b->items, count);
    for (size_t i = 0; i < b->n_envelopes; i++) {
        struct grab_envelope *e = &b->envelopes[i];
        if (e->gate != NULL && e->gate->result == CACHE_HIT)
            e->valid = gate_read(&e->group.gate, e->gate->value, e->gate->len,
                                 b->runtime->generation, &e->id);
    }
}

static void grab_refuse(struct grab_job *job, enum err err)
{
    job->outcome = GRAB_REFUSED;
    job->err = err;
}

/* ---- claims ---- */

/* Settle the claims of users that have a ticket or a share already: a share is theirs whatever has
 * become of the envelope and its recipients, and the open decides. */
static void grab_batch_recognise(struct grab_batch *b, struct grab_job **jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct grab_envelope *e = &b->envelopes[b->envelope_of[i]];
        struct grab_job *job = jobs[i];
        if (!job->claim)
            continue;
        if (e->valid)
            job->expires_us = e->group.gate.expires_us;
        if (!job->rate_limited)
            (void)grab_known(&b->tickets, job, job->user_item);
        else if (job->user_item->result == CACHE_HIT)
            grab_refuse(job, ERR_RATE_LIMITED);
    }
}

/* ---- recipients ---- */

/* Return true if the answer to job depends on whether its user is a recipient. */
static bool grab_needs_check(const struct grab_envelope *e, const struct grab_job *job)
{
    if (job->admitted || job->outcome != GRAB_NEW)
        return false;
    if (job->end != STATE_OPEN)
        return job->restricted;
    return e->valid && e->group.gate.restricted;
}

static void grab_check_jobs(const struct grab_batch *b, size_t at, struct grab_job **jobs, size_t n)
{
    const struct grab_envelope *e = &b->envelopes[at];
    struct envelope envelope;
    bool known = envelope_cache_read(b->runtime, &e->id, e->check, &envelope);
    for (size_t i = 0; i < n; i++) {
        struct grab_job *job = jobs[i];
        if (b->envelope_of[i] != at || !grab_needs_check(e, job))
            continue;
        job->restricted = true;
        job->admitted = known && envelope_admits(&envelope, job->who->user, job->who->groups,
                                                 job->who->n_groups);
        if (!known && job->rate_limited)
            grab_refuse(job, ERR_RATE_LIMITED);
        else if (!known)
            job->outcome = GRAB_ASK_RECIPIENTS;
        else if (!job->admitted)
            grab_refuse(job, ERR_NOT_RECIPIENT);
    }
}

/* Check recipients where it matters, by the envelope items, in one round trip. */
static void grab_batch_check(struct grab_batch *b, struct grab_job **jobs, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct grab_envelope *e = &b->envelopes[b->envelope_of[i]];
        if (e->check != NULL || !grab_needs_check(e, jobs[i]))
            continue;
        e->check = &b->checks[count++];
        envelope_cache_prepare(b->runtime, &e->id, e->check, e->text);
    }
    if (count > 0)
        b->tickets.cache->ops->get(b->tickets.cache, b->checks, count);
    for (size_t at = 0; count > 0 && at < b->n_envelopes; at++)
        if (b->envelopes[at].check != NULL)
            grab_check_jobs(b, at, jobs, n);
}

/* ---- deciding ---- */

/* Note of each job that is still to be decided which earlier one it repeats. */
static void grab_batch_find_repeats(const struct grab_batch *b, struct grab_job **jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct grab_job *job = jobs[i];
        job->repeats = NULL;
        for (size_t k = 0; k < i && job->repeats == NULL && job->outcome == GRAB_NEW; k++)
            if (b->envelope_of[k] == b->envelope_of[i] && jobs[k]->outcome == GRAB_NEW &&
                strcmp(jobs[k]->who->user, job->who->user) == 0)
                job->repeats = jobs[k];
    }
}

/* Decide everything that needs no cas. Return false if the user wants a share of what is left. */
static bool grab_decide_early(const struct grab_batch *b, const struct grab_envelope *e,
                              struct grab_job *job)
{
    const struct gate *g = &e->group.gate;
    if (job->end != STATE_OPEN) {
        grab_answer_end(job, job->end);
        return true;
    }
    if (!e->valid && job->rate_limited) {
        grab_refuse(job, ERR_RATE_LIMITED); /* the id may be of no envelope at all */
        return true;
    }
    if (!e->valid) {
        job->outcome = e->gate->result == CACHE_UNKNOWN ? GRAB_ASK_UNKNOWN
                       : e->gate->result == CACHE_MISS  ? GRAB_ASK_MISSING
                                                        : GRAB_ASK_BROKEN;
        return true;
    }
    job->expires_us = g->expires_us;
    job->restricted = g->restricted;
    if (g->state != STATE_OPEN)
        job->outcome = GRAB_ASK_FINAL;
    else if (job->rate_limited)
        grab_refuse(job, ERR_RATE_LIMITED);
    else if (!g->restricted && g->guest != user_is_guest(job->who->user))
        grab_refuse(job, ERR_NOT_RECIPIENT);
    else
        return grab_known(&b->tickets, job, job->user_item);
    return true;
}

static void grab_batch_decide(struct grab_batch *b, struct grab_job **jobs, size_t n)
{
    struct grab_group *wanted[BATCH_MAX];
    size_t count = 0;
    for (size_t at = 0; at < b->n_envelopes; at++) {
        b->envelopes[at].group.item = b->envelopes[at].gate;
        b->envelopes[at].group.n_fresh = 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct grab_envelope *e = &b->envelopes[b->envelope_of[i]];
        if (jobs[i]->outcome != GRAB_NEW || jobs[i]->repeats != NULL ||
            grab_decide_early(b, e, jobs[i]))
            continue;
        if (e->group.n_fresh == 0)
            wanted[count++] = &e->group;
        e->group.fresh[e->group.n_fresh++] = jobs[i];
    }
    grab_shares_take(&b->shares, wanted, count);
}

static void grab_answer_repeats(struct grab_job **jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct grab_job *first = jobs[i]->repeats;
        if (first == NULL)
            continue;
        jobs[i]->outcome = first->outcome;
        jobs[i]->err = first->err;
        jobs[i]->answer = first->answer;
        jobs[i]->expires_us = first->expires_us;
        jobs[i]->restricted = first->restricted;
    }
}

void grab_batch_run(struct grab_batch *b, struct cache *cache, struct grab_job **jobs, size_t n)
{
    assert(n <= b->max);
    const struct clock *clock = b->runtime->clock;
    b->tickets.cache = b->shares.cache = cache;
    b->tickets.now_us = clock->wall_us(clock->self);
    b->tickets.mono_us = clock->mono_us(clock->self);
    for (size_t i = 0; i < n; i++)
        jobs[i]->outcome = GRAB_NEW;
    metrics_batch(b->runtime->metrics, METRIC_BATCH_GRAB, (unsigned)n);
    grab_batch_read(b, jobs, n);
    grab_batch_recognise(b, jobs, n);
    grab_batch_check(b, jobs, n);
    grab_batch_find_repeats(b, jobs, n);
    grab_batch_decide(b, jobs, n);
    cache->ops->flush(cache, false);
    grab_answer_repeats(jobs, n);
}
