/* The gate in the cache, and users' items, as more than one service uses them. Nothing here decides
 * about money, and every failure is harmless: where nothing is returned, nothing has to be done
 * about one. Each write gives a gate a new nonce and an expiry. */
#ifndef HONGBAO_SERVICE_COMMON_GATE_H
#define HONGBAO_SERVICE_COMMON_GATE_H

#include "lib/service/common/runtime.h"
#include "lib/wire/gate_value.h"
#include "lib/wire/item_key.h"
#include "lib/wire/user_value.h"

/* One cache item with room for the text of a gate or of a user's item. */
struct gate_item {
    struct cache_item item;
    char text[GATE_TEXT_SIZE];
};

/* Point the item's value at its text. */
void gate_item_prepare(struct gate_item *item);

/* Return how many seconds an item of an envelope lives: until a day after its deadline expires_us,
 * 60..2592000. */
uint32_t gate_ttl_s(const struct runtime *runtime, int64_t expires_us);

/* Make g the gate that e should have: open with all shares that remain, or its final state. */
void gate_from_envelope(const struct runtime *runtime, const struct envelope *e, struct gate *g);

/* Write g with a new nonce, the old one becoming the first of those before. Write
 * the text to out. Return its length. */
size_t gate_text(const struct runtime *runtime, struct gate *g, char out[GATE_TEXT_SIZE]);

/* Read the gate of id from cache into item. Set *valid if its value parsed into *g. CACHE_HIT with
 * *valid false: the item must be replaced by cas. */
enum cache_result gate_get(const struct runtime *runtime, struct cache *cache, const struct id *id,
                           struct gate_item *item, struct gate *g, bool *valid);

/* Add g to cache, if there is no gate. Return as add of cache_ops. */
enum cache_result gate_add(const struct runtime *runtime, struct cache *cache, struct gate *g);

/* Replace the gate that was read from cache as `seen` by g. Return as cas of cache_ops. */
enum cache_result gate_cas(const struct runtime *runtime, struct cache *cache,
                           const struct cache_item *seen, struct gate *g);

/* Return true if the write with that nonce led to g. False also if more than GATE_NONCES writes
 * came after it. */
bool gate_follows(const struct gate *g, uint64_t nonce);

/* Write the final state of each of es[0..n), which have durably closed, into its gate in cache, by
 * add or cas; a final value is never replaced. Two round trips for all if no other process writes
 * them, and one for each gate that is missing. Called by publish_closed. */
void gate_close_all(const struct runtime *runtime, struct cache *cache,
                    const struct envelope *const *es, size_t n);

/* ---- hints: the caller flushes the cache ---- */

/* Add to cache the gate of e, which was just sent, with all shares. A repeat changes nothing. */
void gate_hint_new(const struct runtime *runtime, struct cache *cache, const struct envelope *e);

/* Set the user's item in cache to the claim c, which is durable. expires_us is the envelope's
 * deadline. */
void gate_hint_opened(const struct runtime *runtime, struct cache *cache, int64_t expires_us,
                      const struct claim *c);

/* Add to cache the item of user and envelope id: a ticket until ticket_expires_s (wall clock,
 * seconds). An existing item stays. expires_us is the envelope's deadline. */
void gate_hint_ticket(const struct runtime *runtime, struct cache *cache, const struct id *id,
                      const char *user, int64_t ticket_expires_s, int64_t expires_us);

#endif
