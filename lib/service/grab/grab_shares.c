/* Taking shares. A gate only limits how many users are sent to the database; it never decides about
 * money. So a lost race is tried again a few times and then the user is let in, and whatever is
 * unclear is asked of the primary. */
#include "lib/service/grab/grab_shares.h"
#include <string.h>

_Static_assert(BATCH_MAX <= CACHE_CAS_MAX, "the gates of a burst are one cas_all");

static void grab_shares_busy(const struct grab_shares *s, struct grab_job *job)
{
    grab_answer(job, GRAB_BUSY);
    job->answer.retry_after_s = 1 + (int64_t)rng_below(s->runtime->rng, 2);
    metrics_add(s->runtime->metrics, METRIC_GATE_BUSY, 1);
}

/* Read the users' items again: a user about to be answered "busy" may have been given a ticket by
 * another request meanwhile. Leave in jobs those without one; return how many. */
static size_t grab_shares_reread(struct grab_shares *s, struct grab_job **jobs, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        s->scratch[i] = *jobs[i]->user_item;
    if (n > 0)
        s->cache->ops->get(s->cache, s->scratch, n);
    for (size_t i = 0; i < n; i++) {
        *jobs[i]->user_item = s->scratch[i];
        if (!grab_known(s->tickets, jobs[i], jobs[i]->user_item))
            jobs[left++] = jobs[i];
    }
    return left;
}

/* The gate is at zero or past due. The job that gets the hold asks the primary; no other does for
 * as long as the hold lives. taken_last: this burst took the last share, so there is nothing to ask
 * yet. */
static void grab_shares_hold(struct grab_shares *s, const struct id *id, struct grab_job **jobs,
                             size_t n, bool taken_last)
{
    char key[ITEM_KEY_SIZE];
    n = grab_shares_reread(s, jobs, n);
    if (n == 0 && !taken_last)
        return;
    item_key(key, ITEM_KEY_HOLD, s->runtime->generation, id);
    enum cache_result result =
        s->cache->ops->add(s->cache, key, "1", 1, (uint32_t)s->runtime->config->hold_s);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 && result == CACHE_STORED && !taken_last)
            jobs[i]->outcome = GRAB_ASK_EMPTY;
        else if (result == CACHE_UNKNOWN)
            jobs[i]->outcome = GRAB_ASK_UNKNOWN;
        else
            grab_shares_busy(s, jobs[i]);
    }
}

static void grab_group_ask(struct grab_group *g, enum grab_outcome why)
{
    for (size_t i = 0; i < g->n_fresh; i++)
        g->fresh[i]->outcome = why;
}

/* The first `won` of the fresh jobs have the shares that a cas just took; the rest found the gate
 * empty. */
static void grab_group_share_out(struct grab_shares *s, struct grab_group *g)
{
    for (size_t i = 0; i < g->won; i++)
        grab_issue(s->tickets, g->fresh[i]);
    metrics_add(s->runtime->metrics, METRIC_GATE_WON, g->won);
    if (g->next.left == 0)
        grab_shares_hold(s, &g->gate.id, g->fresh + g->won, g->n_fresh - g->won, true);
}

/* Make `next` from the gate, less the shares of the fresh jobs. Return false if there is none to
 * take; the jobs then have outcomes. */
static bool grab_group_plan(struct grab_shares *s, struct grab_group *g)
{
    if (g->gate.left == 0 || g->gate.expires_us <= s->tickets->now_us) {
        grab_shares_hold(s, &g->gate.id, g->fresh, g->n_fresh, false);
        return false;
    }
    g->won = g->n_fresh < (uint64_t)g->gate.left ? g->n_fresh : (size_t)g->gate.left;
    g->next = g->gate;
    g->next.left -= (int64_t)g->won;
    return true;
}

/* Read the gate from its item, which was got again after a lost race. Return false if the jobs have
 * outcomes: it is not open. */
static bool grab_group_reread(struct grab_shares *s, struct grab_group *g)
{
    const struct cache_item *item = g->item;
    struct id id = g->gate.id;
    bool valid = item->result == CACHE_HIT &&
                 gate_read(&g->gate, item->value, item->len, s->runtime->generation, &id);
    if (valid && g->gate.state == STATE_OPEN)
        return true;
    grab_group_ask(g, valid                           ? GRAB_ASK_FINAL
                      : item->result == CACHE_MISS    ? GRAB_ASK_MISSING
                      : item->result == CACHE_UNKNOWN ? GRAB_ASK_UNKNOWN
                                                      : GRAB_ASK_BROKEN);
    return false;
}

/* The cas may have been applied: it must not be repeated. */
static void grab_group_unknown(struct grab_shares *s, struct grab_group *g)
{
    metrics_add(s->runtime->metrics, METRIC_GATE_UNKNOWN, 1);
    grab_group_ask(g, GRAB_ASK_UNKNOWN);
}

/* Take shares for the fresh jobs by cas; `lost` tries were lost before. After cas_tries all are let
 * in: a ticket promises nothing, and the primary decides. */
static void grab_group_take(struct grab_shares *s, struct grab_group *g, int64_t lost)
{
    for (; lost < s->runtime->config->cas_tries; lost++) {
        if (!grab_group_plan(s, g))
            return;
        enum cache_result result = gate_cas(s->runtime, s->cache, g->item, &g->next);
        if (result == CACHE_STORED) {
            grab_group_share_out(s, g);
            return;
        }
        if (result != CACHE_EXISTS) {
            grab_group_unknown(s, g);
            return;
        }
        metrics_add(s->runtime->metrics, METRIC_GATE_LOST, 1);
        s->cache->ops->get(s->cache, g->item, 1);
        if (!grab_group_reread(s, g))
            return;
    }
    metrics_add(s->runtime->metrics, METRIC_GATE_LET_THROUGH, g->n_fresh);
    for (size_t i = 0; i < g->n_fresh; i++)
        grab_issue(s->tickets, g->fresh[i]);
}

/* Conclude one cas of cas_all from the item as it reads after it: its nonces show whether the write
 * led there. */
static void grab_group_conclude(struct grab_shares *s, struct grab_group *g)
{
    const struct cache_item *item = g->item;
    struct gate now;
    if (item->result == CACHE_UNKNOWN) {
        grab_group_unknown(s, g);
    } else if (item->result == CACHE_HIT &&
               gate_read(&now, item->value, item->len, s->runtime->generation, &g->gate.id) &&
               gate_follows(&now, g->next.nonce)) {
        grab_group_share_out(s, g);
    } else {
        metrics_add(s->runtime->metrics, METRIC_GATE_LOST, 1);
        if (grab_group_reread(s, g))
            grab_group_take(s, g, 1);
    }
}

/* Take shares at several envelopes in one round trip. */
static void grab_shares_take_all(struct grab_shares *s, struct grab_group **groups, size_t n)
{
    struct cache_write writes[BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct grab_group *g = groups[i];
        if (!grab_group_plan(s, g))
            continue;
        size_t len = gate_text(s->runtime, &g->next, g->text);
        groups[count] = g;
        writes[count++] = (struct cache_write){.item = g->item,
                                               .value = g->text,
                                               .len = len,
                                               .ttl_s = gate_ttl_s(s->runtime, g->next.expires_us)};
    }
    if (count > 0)
        s->cache->ops->cas_all(s->cache, writes, count);
    for (size_t i = 0; i < count; i++)
        grab_group_conclude(s, groups[i]);
}

void grab_shares_take(struct grab_shares *s, struct grab_group **groups, size_t n)
{
    if (n == 1)
        grab_group_take(s, groups[0], 0);
    else if (n > 1)
        grab_shares_take_all(s, groups, n);
}
