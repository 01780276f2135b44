#include "lib/service/grab/grab_batch.h"
#include "lib/service/grab/grab_shares.h"
#include <stdlib.h>
#include <string.h>

#define US_PER_S 1000000

struct grab_batch {
    const struct runtime *runtime;
    struct cache *cache;
    struct grab_tickets tickets;
    struct gate_item gates[BATCH_MAX];
    struct gate_item users[BATCH_MAX];
    struct cache_item items[2 * BATCH_MAX];
    size_t gate_of[BATCH_MAX]; /* work -> index of its gate */
    struct grab_group groups[BATCH_MAX];
    struct grab_shares shares;
};

struct grab_batch *grab_batch_new(const struct runtime *runtime,
                                  struct recent_tickets *recent_tickets)
{
    struct grab_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->runtime = runtime;
    b->cache = runtime->cache_open(runtime->self);
    if (b->cache == NULL) {
        free(b);
        return NULL;
    }
    b->tickets = (struct grab_tickets){
        .runtime = runtime, .cache = b->cache, .recent_tickets = recent_tickets};
    grab_shares_init(&b->shares, runtime, b->cache, &b->tickets);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        gate_item_prepare(&b->gates[i]);
        gate_item_prepare(&b->users[i]);
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
            gate_key(b->gates[gates].item.key, GATE_KEY_GATE, b->runtime->generation,
                     &works[i]->id);
            b->gate_of[i] = gates++;
        } else {
            b->gate_of[i] = b->gate_of[first];
        }
        gate_user_key(b->users[i].item.key, b->runtime->generation, &works[i]->id, works[i]->user);
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

/* The earlier work of the same user at the same envelope, or n. */
static size_t twin_of(struct grab_work **works, size_t i)
{
    size_t at = 0;
    while (strcmp(works[at]->user, works[i]->user) != 0 ||
           id_compare(&works[at]->id, &works[i]->id) != 0)
        at++;
    return at;
}

/* Decides what can be without a cas. False: nobody wants a share. */
static bool gather(struct grab_batch *b, size_t gate, struct grab_work **works, size_t n)
{
    struct grab_group *g = &b->groups[gate];
    g->item = &b->gates[gate];
    g->n_fresh = 0;
    bool read = false;
    for (size_t i = 0; i < n; i++) {
        struct grab_work *w = works[i];
        if (b->gate_of[i] != gate || twin_of(works, i) != i)
            continue;
        if (!read && g->item->item.result == CACHE_HIT)
            read = gate_read(&g->gate, g->item->text, g->item->item.len, b->runtime->generation,
                             &w->id);
        if (g->item->item.result == CACHE_UNKNOWN)
            w->outcome = GRAB_ASK_UNKNOWN;
        else if (g->item->item.result == CACHE_MISS)
            w->outcome = GRAB_ASK_MISSING;
        else if (!read)
            w->outcome = GRAB_ASK_BROKEN;
        else if (!decide_early(b, w, &g->gate, &b->users[i]))
            g->fresh[g->n_fresh++] = w;
    }
    return g->n_fresh > 0;
}

static void run_gates(struct grab_batch *b, size_t gates, struct grab_work **works, size_t n)
{
    struct grab_group *wanted[BATCH_MAX];
    size_t count = 0;
    for (size_t gate = 0; gate < gates; gate++)
        if (gather(b, gate, works, n))
            wanted[count++] = &b->groups[gate];
    grab_shares_take(&b->shares, wanted, count);
}

void grab_batch_run(struct grab_batch *b, struct grab_work **works, size_t n)
{
    b->tickets.now_us = b->runtime->clock->wall_us(b->runtime->clock->self);
    b->tickets.mono_us = b->runtime->clock->mono_us(b->runtime->clock->self);
    size_t gates = read_items(b, works, n);
    run_gates(b, gates, works, n);
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
