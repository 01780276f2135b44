/* The gate. Every write carries a random nonce: memcached starts its cas tokens again after a
 * restart, and after a cas_all only the value shows whose write was stored. */
#include "lib/service/common/gate.h"
#include <string.h>

#define DAY_S 86400
#define TTL_MIN_S 60
#define TTL_MAX_S 2592000 /* memcached takes a larger number for a point in time */
#define CLOSE_TRIES 4

uint32_t gate_ttl_s(const struct runtime *runtime, int64_t expires_us)
{
    int64_t now_us = runtime->clock->wall_us(runtime->clock->self);
    int64_t ttl_s = (expires_us - now_us) / US_PER_S + DAY_S;
    if (ttl_s < TTL_MIN_S)
        ttl_s = TTL_MIN_S;
    return (uint32_t)(ttl_s > TTL_MAX_S ? TTL_MAX_S : ttl_s);
}

void gate_from_envelope(const struct runtime *runtime, const struct envelope *e, struct gate *g)
{
    memset(g, 0, sizeof *g);
    memcpy(g->generation, runtime->generation, sizeof g->generation);
    g->id = e->id;
    g->expires_us = e->expires_us;
    g->shares = e->shares;
    g->state = e->state;
    g->left = e->state == STATE_OPEN ? e->shares - e->opened_shares : 0;
    g->restricted = e->to_kind != TO_ANYONE;
    g->guest = user_is_guest(e->sender);
    g->refill_factor = 1;
    g->refill_opened = -1;
}

size_t gate_text(const struct runtime *runtime, struct gate *g, char out[GATE_TEXT_SIZE])
{
    for (size_t i = GATE_NONCES - 1; i > 0; i--)
        g->before[i] = g->before[i - 1];
    g->before[0] = g->nonce;
    runtime->rng->fill(runtime->rng->self, &g->nonce, sizeof g->nonce);
    return gate_write(out, g);
}

bool gate_follows(const struct gate *g, uint64_t nonce)
{
    bool found = g->nonce == nonce;
    for (size_t i = 0; i < GATE_NONCES; i++)
        found = found || g->before[i] == nonce;
    return found;
}

void gate_item_prepare(struct gate_item *item)
{
    item->item.value = item->text;
    item->item.value_cap = sizeof item->text;
}

enum cache_result gate_get(const struct runtime *runtime, struct cache *cache, const struct id *id,
                           struct gate_item *item, struct gate *g, bool *valid)
{
    gate_item_prepare(item);
    item_key(item->item.key, ITEM_KEY_GATE, runtime->generation, id);
    cache->ops->get(cache, &item->item, 1);
    *valid = item->item.result == CACHE_HIT &&
             gate_read(g, item->text, item->item.len, runtime->generation, id);
    return item->item.result;
}

enum cache_result gate_add(const struct runtime *runtime, struct cache *cache, struct gate *g)
{
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    item_key(key, ITEM_KEY_GATE, runtime->generation, &g->id);
    size_t len = gate_text(runtime, g, text);
    return cache->ops->add(cache, key, text, len, gate_ttl_s(runtime, g->expires_us));
}

enum cache_result gate_cas(const struct runtime *runtime, struct cache *cache,
                           const struct cache_item *seen, struct gate *g)
{
    char text[GATE_TEXT_SIZE];
    size_t len = gate_text(runtime, g, text);
    return cache->ops->cas(cache, seen, text, len, gate_ttl_s(runtime, g->expires_us));
}

void gate_hint_new(const struct runtime *runtime, struct cache *cache, const struct envelope *e)
{
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    struct gate g;
    gate_from_envelope(runtime, e, &g);
    item_key(key, ITEM_KEY_GATE, runtime->generation, &g.id);
    size_t len = gate_text(runtime, &g, text);
    cache->ops->hint(cache, CACHE_HINT_ADD, key, text, len, gate_ttl_s(runtime, g.expires_us));
}

/* One gate of gate_close_all. */
struct gate_closing {
    struct gate_item item;
    const struct envelope *e; /* NULL: nothing more to do */
    char text[GATE_TEXT_SIZE];
};

/* Decide by the value of the item. Return true if *w is the cas to be tried. */
static bool gate_plan_close(const struct runtime *runtime, struct cache *cache,
                            struct gate_closing *c, struct cache_write *w)
{
    struct cache_item *item = &c->item.item;
    struct gate seen, final;
    gate_from_envelope(runtime, c->e, &final);
    bool valid = item->result == CACHE_HIT &&
                 gate_read(&seen, c->item.text, item->len, runtime->generation, &c->e->id);
    if (item->result == CACHE_MISS && gate_add(runtime, cache, &final) == CACHE_EXISTS) {
        cache->ops->get(cache, item, 1); /* the next try */
        return false;
    }
    if (item->result != CACHE_HIT || (valid && seen.state != STATE_OPEN)) {
        c->e = NULL;
        return false;
    }
    size_t len = gate_text(runtime, &final, c->text);
    *w = (struct cache_write){
        .item = item, .value = c->text, .len = len, .ttl_s = gate_ttl_s(runtime, final.expires_us)};
    return true;
}

/* Whether a cas was stored shows in the item that is read after it: the next try finds a final
 * value and ends. */
static void gate_close_some(const struct runtime *runtime, struct cache *cache,
                            const struct envelope *const *es, size_t n)
{
    struct gate_closing gates[CACHE_CAS_MAX];
    struct cache_item items[CACHE_CAS_MAX];
    struct cache_write writes[CACHE_CAS_MAX];
    for (size_t i = 0; i < n; i++) {
        gates[i].e = es[i];
        gate_item_prepare(&gates[i].item);
        item_key(gates[i].item.item.key, ITEM_KEY_GATE, runtime->generation, &es[i]->id);
        items[i] = gates[i].item.item;
    }
    cache->ops->get(cache, items, n);
    for (size_t i = 0; i < n; i++)
        gates[i].item.item = items[i];
    for (int tries = 0; tries < CLOSE_TRIES; tries++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            if (gates[i].e != NULL && gate_plan_close(runtime, cache, &gates[i], &writes[count]))
                count++;
        if (count > 0)
            cache->ops->cas_all(cache, writes, count);
    }
}

void gate_close_all(const struct runtime *runtime, struct cache *cache,
                    const struct envelope *const *es, size_t n)
{
    for (size_t at = 0; at < n; at += CACHE_CAS_MAX)
        gate_close_some(runtime, cache, es + at, n - at < CACHE_CAS_MAX ? n - at : CACHE_CAS_MAX);
}

void gate_hint_opened(const struct runtime *runtime, struct cache *cache, int64_t expires_us,
                      const struct claim *c)
{
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    struct user_value u = {
        .opened = true, .amount_fen = c->amount_fen, .seq = c->seq, .opened_us = c->opened_us};
    item_key_user(key, runtime->generation, &c->envelope, c->user);
    size_t len = user_value_write(text, &u, &c->envelope);
    cache->ops->hint(cache, CACHE_HINT_SET, key, text, len, gate_ttl_s(runtime, expires_us));
}

void gate_hint_ticket(const struct runtime *runtime, struct cache *cache, const struct id *id,
                      const char *user, int64_t ticket_expires_s, int64_t expires_us)
{
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    struct user_value u = {.ticket_expires_s = ticket_expires_s};
    item_key_user(key, runtime->generation, id, user);
    size_t len = user_value_write(text, &u, id);
    cache->ops->hint(cache, CACHE_HINT_ADD, key, text, len, gate_ttl_s(runtime, expires_us));
}
