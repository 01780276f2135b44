#include "lib/service/grab_batch.h"
#include "lib/service/gate.h"
#include "lib/service/grab_tickets.h"
#include <stdlib.h>
#include <string.h>

#define US_PER_S 1000000

/* The works at one envelope, while they are being decided. */
struct group {
    struct gate_item *item;
    struct gate gate;
    size_t n_fresh;
    struct grab_work *fresh[BATCH_MAX]; /* who has no item yet, in order of arrival */
};

struct grab_batch {
    const struct env *env;
    struct cache *cache;
    struct grab_tickets tickets;
    struct gate_item gates[BATCH_MAX];
    struct gate_item users[BATCH_MAX];
    struct gate_item rereads[BATCH_MAX];
    struct cache_item items[2 * BATCH_MAX];
    size_t gate_of[BATCH_MAX]; /* work -> index of its gate */
    struct group group;
};

struct grab_batch *grab_batch_new(const struct env *env, struct recent *recent)
{
    struct grab_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->env = env;
    b->cache = env->cache_open(env->self);
    if (b->cache == NULL) {
        free(b);
        return NULL;
    }
    b->tickets = (struct grab_tickets){.env = env, .cache = b->cache, .recent = recent};
    for (size_t i = 0; i < BATCH_MAX; i++) {
        gate_item_prepare(&b->gates[i]);
        gate_item_prepare(&b->users[i]);
        gate_item_prepare(&b->rereads[i]);
    }
    return b;
}

void grab_batch_free(struct grab_batch *b)
{
    if (b != NULL)
        b->cache->ops->close(b->cache);
    free(b);
}

/* Fills the keys of all distinct gates and of every work's user. Returns the number of gates. */
static size_t name_items(struct grab_batch *b, struct grab_work **works, size_t n)
{
    size_t gates = 0;
    for (size_t i = 0; i < n; i++) {
        size_t first = 0;
        while (id_compare(&works[first]->id, &works[i]->id) != 0)
            first++;
        if (first == i) {
            gate_key(b->gates[gates].item.key, GATE_KEY_GATE, b->env->generation, &works[i]->id);
            b->gate_of[i] = gates++;
        } else {
            b->gate_of[i] = b->gate_of[first];
        }
        gate_user_key(b->users[i].item.key, b->env->generation, &works[i]->id, works[i]->user);
    }
    return gates;
}

/* One round trip for everything. */
static size_t read_items(struct grab_batch *b, struct grab_work **works, size_t n)
{
    size_t gates = name_items(b, works, n);
    for (size_t i = 0; i < gates; i++)
        b->items[i] = b->gates[i].item;
    for (size_t i = 0; i < n; i++)
        b->items[gates + i] = b->users[i].item;
    b->cache->ops->get(b->cache, b->items, gates + n);
    for (size_t i = 0; i < gates; i++)
        b->gates[i].item = b->items[i];
    for (size_t i = 0; i < n; i++)
        b->users[i].item = b->items[gates + i];
    return gates;
}

static void answer_busy(const struct grab_batch *b, struct grab_work *w)
{
    grab_answer(w, GRAB_BUSY);
    w->answer.retry_after_s = 1 + (int64_t)rng_below(b->env->rng, 2);
    metrics_add(b->env->metrics, METRIC_GATE_BUSY, 1);
}

static void refuse(struct grab_work *w, enum err err)
{
    w->outcome = GRAB_REFUSED;
    w->err = err;
}

/* Decides everything that needs no cas. False: he wants a share of what is left. */
static bool decide_early(struct grab_batch *b, struct grab_work *w, const struct gate *g,
                         const struct gate_item *user_item)
{
    w->expires_us = g->expires_us;
    w->restricted = g->restricted;
    if (g->restricted && !w->admitted)
        w->outcome = GRAB_NEEDS_RECORD;
    else if (g->state != STATE_OPEN)
        grab_answer(w, g->state == STATE_SOLD_OUT ? GRAB_SOLD_OUT : GRAB_EXPIRED);
    else if (w->rate_limited)
        refuse(w, ERR_RATE_LIMITED);
    else if (!g->restricted && g->guest != user_is_guest(w->user))
        refuse(w, ERR_NOT_RECIPIENT);
    else
        return grab_known(&b->tickets, w, user_item);
    return true;
}

/* Who would be told to come again may have got a ticket by another of his requests meanwhile.
 * Leaves in works those who have none; returns how many. */
static size_t find_tickets(struct grab_batch *b, struct grab_work **works, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        gate_user_key(b->rereads[i].item.key, b->env->generation, &works[i]->id, works[i]->user);
        b->items[i] = b->rereads[i].item;
    }
    if (n > 0)
        b->cache->ops->get(b->cache, b->items, n);
    for (size_t i = 0; i < n; i++) {
        b->rereads[i].item = b->items[i];
        if (!grab_known(&b->tickets, works[i], &b->rereads[i]))
            works[left++] = works[i];
    }
    return left;
}

/* The gate is at zero or past due. Whoever gets the hold asks the primary; nobody else does for as
 * long as it lives. taken_last: this very batch took the last share, so nothing is to be asked yet.
 */
static void hold(struct grab_batch *b, const struct id *id, struct grab_work **works, size_t n,
                 bool taken_last)
{
    char key[GATE_KEY_SIZE];
    n = find_tickets(b, works, n);
    if (n == 0 && !taken_last)
        return;
    gate_key(key, GATE_KEY_HOLD, b->env->generation, id);
    enum cache_result result =
        b->cache->ops->add(b->cache, key, "1", 1, (uint32_t)b->env->config->hold_s);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 && result == CACHE_STORED && !taken_last)
            works[i]->outcome = GRAB_ASK_EMPTY;
        else if (result == CACHE_UNKNOWN)
            works[i]->outcome = GRAB_ASK_UNKNOWN;
        else
            answer_busy(b, works[i]);
    }
}

static void ask_all(struct group *g, enum grab_outcome why)
{
    for (size_t i = 0; i < g->n_fresh; i++)
        g->fresh[i]->outcome = why;
}

/* The first `won` of the fresh have the shares that a cas just took; the rest found it empty. */
static void share_out(struct grab_batch *b, struct group *g, size_t won, bool emptied)
{
    for (size_t i = 0; i < won; i++)
        grab_let_in(&b->tickets, g->fresh[i]);
    metrics_add(b->env->metrics, METRIC_GATE_WON, won);
    if (emptied)
        hold(b, &g->gate.id, g->fresh + won, g->n_fresh - won, true);
}

/* Reads the gate again after a lost race. False: everybody has been told or has to ask. */
static bool reread(struct grab_batch *b, struct group *g)
{
    struct id id = g->gate.id;
    bool valid;
    enum cache_result result = gate_get(b->env, b->cache, &id, g->item, &g->gate, &valid);
    if (valid && g->gate.state == STATE_OPEN)
        return true;
    if (valid)
        for (size_t i = 0; i < g->n_fresh; i++)
            grab_answer(g->fresh[i],
                        g->gate.state == STATE_SOLD_OUT ? GRAB_SOLD_OUT : GRAB_EXPIRED);
    else
        ask_all(g, result == CACHE_MISS      ? GRAB_ASK_MISSING
                   : result == CACHE_UNKNOWN ? GRAB_ASK_UNKNOWN
                                             : GRAB_ASK_BROKEN);
    return false;
}

/* Takes shares for the fresh by cas. A lost race is tried again a few times; then all are let
 * through: a ticket is a pass, and the primary decides. */
static void take_shares(struct grab_batch *b, struct group *g)
{
    for (int64_t tries = 0; tries < b->env->config->cas_tries; tries++) {
        if (g->gate.left == 0 || g->gate.expires_us <= b->tickets.now_us) {
            hold(b, &g->gate.id, g->fresh, g->n_fresh, false);
            return;
        }
        size_t won = g->n_fresh < (uint64_t)g->gate.left ? g->n_fresh : (size_t)g->gate.left;
        struct gate next = g->gate;
        next.left -= (int64_t)won;
        switch (gate_cas(b->env, b->cache, &g->item->item, &next)) {
        case CACHE_STORED:
            share_out(b, g, won, next.left == 0);
            return;
        case CACHE_EXISTS:
            metrics_add(b->env->metrics, METRIC_GATE_LOST, 1);
            if (!reread(b, g))
                return;
            break;
        case CACHE_HIT:
        case CACHE_MISS:
        case CACHE_UNKNOWN:
        default: /* perhaps done, perhaps not: never the same cas again */
            metrics_add(b->env->metrics, METRIC_GATE_UNKNOWN, 1);
            ask_all(g, GRAB_ASK_UNKNOWN);
            return;
        }
    }
    metrics_add(b->env->metrics, METRIC_GATE_LET_THROUGH, g->n_fresh);
    for (size_t i = 0; i < g->n_fresh; i++)
        grab_let_in(&b->tickets, g->fresh[i]);
}

/* The earlier work of the same user at the same envelope, or n. */
static size_t twin_of(struct grab_work **works, size_t i)
{
    size_t at = 0;
    while (strcmp(works[at]->user, works[i]->user) != 0 ||
           id_compare(&works[at]->id, &works[i]->id) != 0)
        at++;
    return at;
}

static void run_gate(struct grab_batch *b, size_t gate, struct grab_work **works, size_t n)
{
    struct group *g = &b->group;
    g->item = &b->gates[gate];
    g->n_fresh = 0;
    bool read = false;
    for (size_t i = 0; i < n; i++) {
        struct grab_work *w = works[i];
        if (b->gate_of[i] != gate || twin_of(works, i) != i)
            continue;
        if (!read && g->item->item.result == CACHE_HIT)
            read =
                gate_read(&g->gate, g->item->text, g->item->item.len, b->env->generation, &w->id);
        if (g->item->item.result == CACHE_UNKNOWN)
            w->outcome = GRAB_ASK_UNKNOWN;
        else if (g->item->item.result == CACHE_MISS)
            w->outcome = GRAB_ASK_MISSING;
        else if (!read)
            w->outcome = GRAB_ASK_BROKEN;
        else if (!decide_early(b, w, &g->gate, &b->users[i]))
            g->fresh[g->n_fresh++] = w;
    }
    if (g->n_fresh > 0)
        take_shares(b, g);
}

void grab_batch_run(struct grab_batch *b, struct grab_work **works, size_t n)
{
    b->tickets.now_us = b->env->clock->wall_us(b->env->clock->self);
    b->tickets.mono_us = b->env->clock->mono_us(b->env->clock->self);
    size_t gates = read_items(b, works, n);
    for (size_t gate = 0; gate < gates; gate++)
        run_gate(b, gate, works, n);
    b->cache->ops->flush(b->cache, false);
    for (size_t i = 0; i < n; i++) {
        const struct grab_work *twin = works[twin_of(works, i)];
        if (twin == works[i])
            continue;
        works[i]->outcome = twin->outcome;
        works[i]->err = twin->err;
        works[i]->answer = twin->answer;
        works[i]->expires_us = twin->expires_us;
        works[i]->restricted = twin->restricted;
    }
}
