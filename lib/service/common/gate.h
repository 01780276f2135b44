/* The gate in the cache, as more than one service touches it. Nothing here decides about money;
 * every failure is harmless: where nothing is returned, nothing needs to be done about it. */
#ifndef HONGBAO_SERVICE_COMMON_GATE_H
#define HONGBAO_SERVICE_COMMON_GATE_H

#include "lib/service/common/runtime.h"
#include "lib/wire/gate_value.h"

/* One cache item with room for the text of a gate or of a user's item. */
struct gate_item {
    struct cache_item item;
    char text[GATE_TEXT_SIZE];
};
/* Points the item's value at its text. */
void gate_item_prepare(struct gate_item *item);

/* Seconds an item of an envelope lives: from now to its deadline and a day more, 60..2592000. */
uint32_t gate_ttl_s(const struct runtime *runtime, int64_t expires_us);

/* What the gate of e should say: all that remains, or its final state. */
void gate_from_envelope(const struct runtime *runtime, const struct envelope *e, struct gate *g);
/* Writes g with a new nonce, the old one becoming the first of those before; returns the length. */
size_t gate_text(const struct runtime *runtime, struct gate *g, char out[GATE_TEXT_SIZE]);
/* Reads the gate of id. HIT with *valid false: something is there that must be replaced by cas. */
enum cache_result gate_get(const struct runtime *runtime, struct cache *cache, const struct id *id,
                           struct gate_item *item, struct gate *g, bool *valid);
/* Each gives the gate a new nonce and an expiry. */
enum cache_result gate_add(const struct runtime *runtime, struct cache *cache, struct gate *g);
enum cache_result gate_cas(const struct runtime *runtime, struct cache *cache,
                           const struct cache_item *seen, struct gate *g);
/* Has a write with that nonce led to g? False also of one that more than GATE_NONCES others came
 * after. */
bool gate_follows(const struct gate *g, uint64_t nonce);

/* Writes the final state of each durably closed envelope into its gate, by add or cas; a final
 * value is never replaced. Two round trips for all, where nobody else is at them, and one for each
 * gate that is missing. For nets.h. */
void gate_close_all(const struct runtime *runtime, struct cache *cache,
                    const struct envelope *const *es, size_t n);
/* ---- hints: the cache's flush is the caller's ---- */
/* After a send: adds the gate with all shares (a repeat changes nothing). */
void gate_hint_new(const struct runtime *runtime, struct cache *cache, const struct envelope *e);
/* Remembers in a user's item that he opened, with amount and seq. The claim must be durable;
 * expires_us is the envelope's. */
void gate_hint_opened(const struct runtime *runtime, struct cache *cache, int64_t expires_us,
                      const struct claim *c);
/* Remembers his ticket there, unless something is remembered already. */
void gate_hint_ticket(const struct runtime *runtime, struct cache *cache, const struct id *id,
                      const char *user, int64_t ticket_expires_s, int64_t expires_us);

#endif
