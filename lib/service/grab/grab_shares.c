#include "lib/service/grab/grab_shares.h"
#include <string.h>

void grab_shares_init(struct grab_shares *s, const struct runtime *runtime, struct cache *cache,
                      const struct grab_tickets *tickets)
{
    s->runtime = runtime;
    s->cache = cache;
    s->tickets = tickets;
    for (size_t i = 0; i < BATCH_MAX; i++)
        gate_item_prepare(&s->rereads[i]);
}

static void answer_busy(const struct grab_shares *s, struct grab_work *w)
{
    grab_answer(w, GRAB_BUSY);
    w->answer.retry_after_s = 1 + (int64_t)rng_below(s->runtime->rng, 2);
    metrics_add(s->runtime->metrics, METRIC_GATE_BUSY, 1);
}

/* Who would be told to come again may have got a ticket by another of his requests meanwhile.
 * Leaves in works those who have none; returns how many. */
static size_t find_tickets(struct grab_shares *s, struct grab_work **works, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        gate_user_key(s->rereads[i].item.key, s->runtime->generation, &works[i]->id,
                      works[i]->user);
        s->items[i] = s->rereads[i].item;
    }
    if (n > 0)
        s->cache->ops->get(s->cache, s->items, n);
    for (size_t i = 0; i < n; i++) {
        s->rereads[i].item = s->items[i];
        if (!grab_known(s->tickets, works[i], &s->rereads[i]))
            works[left++] = works[i];
    }
    return left;
}

/* The gate is at zero or past due. Whoever gets the hold asks the primary; nobody else does for as
 * long as it lives. taken_last: this very batch took the last share, so nothing is to be asked yet.
 */
static void hold(struct grab_shares *s, const struct id *id, struct grab_work **works, size_t n,
                 bool taken_last)
{
    char key[GATE_KEY_SIZE];
    n = find_tickets(s, works, n);
    if (n == 0 && !taken_last)
        return;
    gate_key(key, GATE_KEY_HOLD, s->runtime->generation, id);
    enum cache_result result =
        s->cache->ops->add(s->cache, key, "1", 1, (uint32_t)s->runtime->config->hold_s);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 && result == CACHE_STORED && !taken_last)
            works[i]->outcome = GRAB_ASK_EMPTY;
        else if (result == CACHE_UNKNOWN)
            works[i]->outcome = GRAB_ASK_UNKNOWN;
        else
            answer_busy(s, works[i]);
    }
}

static void ask_all(struct grab_group *g, enum grab_outcome why)
{
    for (size_t i = 0; i < g->n_fresh; i++)
        g->fresh[i]->outcome = why;
}

/* The first `won` of the fresh have the shares that a cas just took; the rest found it empty. */
static void share_out(struct grab_shares *s, struct grab_group *g)
{
    for (size_t i = 0; i < g->won; i++)
        grab_let_in(s->tickets, g->fresh[i]);
    metrics_add(s->runtime->metrics, METRIC_GATE_WON, g->won);
    if (g->next.left == 0)
        hold(s, &g->gate.id, g->fresh + g->won, g->n_fresh - g->won, true);
}

/* Makes next of the gate with the shares of the fresh taken. False: there is none to take. */
static bool plan_next(struct grab_shares *s, struct grab_group *g)
{
    if (g->gate.left == 0 || g->gate.expires_us <= s->tickets->now_us) {
        hold(s, &g->gate.id, g->fresh, g->n_fresh, false);
        return false;
    }
    g->won = g->n_fresh < (uint64_t)g->gate.left ? g->n_fresh : (size_t)g->gate.left;
    g->next = g->gate;
    g->next.left -= (int64_t)g->won;
    return true;
}

/* What the gate's item says, as it was read after a lost race. False: everybody has been told or
 * has to ask. */
static bool look_again(struct grab_shares *s, struct grab_group *g)
{
    const struct cache_item *item = &g->item->item;
    struct id id = g->gate.id;
    bool valid = item->result == CACHE_HIT &&
                 gate_read(&g->gate, item->value, item->len, s->runtime->generation, &id);
    if (valid && g->gate.state == STATE_OPEN)
        return true;
    if (valid)
        for (size_t i = 0; i < g->n_fresh; i++)
            grab_answer(g->fresh[i],
                        g->gate.state == STATE_SOLD_OUT ? GRAB_SOLD_OUT : GRAB_EXPIRED);
    else
        ask_all(g, item->result == CACHE_MISS      ? GRAB_ASK_MISSING
                   : item->result == CACHE_UNKNOWN ? GRAB_ASK_UNKNOWN
                                                   : GRAB_ASK_BROKEN);
    return false;
}

/* Perhaps done, perhaps not: never the same cas again. */
static void outcome_unknown(struct grab_shares *s, struct grab_group *g)
{
    metrics_add(s->runtime->metrics, METRIC_GATE_UNKNOWN, 1);
    ask_all(g, GRAB_ASK_UNKNOWN);
}

/* Takes shares for the fresh by cas, after as many tries as were lost before. A lost race is tried
 * again a few times; then all are let through: a ticket is a pass, and the primary decides. */
static void take_shares(struct grab_shares *s, struct grab_group *g, int64_t lost)
{
    for (; lost < s->runtime->config->cas_tries; lost++) {
        if (!plan_next(s, g))
            return;
        enum cache_result result = gate_cas(s->runtime, s->cache, &g->item->item, &g->next);
        if (result == CACHE_STORED) {
            share_out(s, g);
            return;
        }
        if (result != CACHE_EXISTS) {
            outcome_unknown(s, g);
            return;
        }
        metrics_add(s->runtime->metrics, METRIC_GATE_LOST, 1);
        s->cache->ops->get(s->cache, &g->item->item, 1);
        if (!look_again(s, g))
            return;
    }
    metrics_add(s->runtime->metrics, METRIC_GATE_LET_THROUGH, g->n_fresh);
    for (size_t i = 0; i < g->n_fresh; i++)
        grab_let_in(s->tickets, g->fresh[i]);
}

/* One cas of many, as the item reads after it: the nonces say whose writes led there. */
static void conclude(struct grab_shares *s, struct grab_group *g)
{
    const struct cache_item *item = &g->item->item;
    struct gate now;
    if (item->result == CACHE_UNKNOWN) {
        outcome_unknown(s, g);
    } else if (item->result == CACHE_HIT &&
               gate_read(&now, item->value, item->len, s->runtime->generation, &g->gate.id) &&
               gate_follows(&now, g->next.nonce)) {
        share_out(s, g);
    } else {
        metrics_add(s->runtime->metrics, METRIC_GATE_LOST, 1);
        if (look_again(s, g))
            take_shares(s, g, 1);
    }
}

/* Takes shares at many envelopes in one round trip. */
static void take_all(struct grab_shares *s, struct grab_group **groups, size_t n)
{
    struct cache_write writes[BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct grab_group *g = groups[i];
        if (!plan_next(s, g))
            continue;
        size_t len = gate_text(s->runtime, &g->next, g->text);
        groups[count] = g;
        writes[count++] = (struct cache_write){.item = &g->item->item,
                                               .value = g->text,
                                               .len = len,
                                               .ttl_s = gate_ttl_s(s->runtime, g->next.expires_us)};
    }
    if (count > 0)
        s->cache->ops->cas_all(s->cache, writes, count);
    for (size_t i = 0; i < count; i++)
        conclude(s, groups[i]);
}

void grab_shares_take(struct grab_shares *s, struct grab_group **groups, size_t n)
{
    if (n == 1)
        take_shares(s, groups[0], 0);
    else if (n > 1)
        take_all(s, groups, n);
}
