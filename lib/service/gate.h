/* The gate in the cache, as more than one service touches it. Nothing here decides about money; every
 * failure is harmless and returns nothing. */
#ifndef HONGBAO_SERVICE_GATE_H
#define HONGBAO_SERVICE_GATE_H

#include "lib/service/env.h"

/* Seconds an item of an envelope lives: from now to its deadline and a day more, 60..2592000. */
uint32_t gate_ttl_s(const struct env *env, int64_t expires_us);
/* After a send: adds the gate with all shares (a repeat changes nothing). */
void gate_add_new(const struct env *env, struct cache *cache, const struct envelope *e);
/* Writes the final state of a durably closed envelope into its gate, by add or cas; a final value is
 * never replaced. */
void gate_close(const struct env *env, struct cache *cache, const struct envelope *e);
/* Remembers that a user opened, with amount and seq, in his item. The claim must be durable. */
void gate_note_opened(const struct env *env, struct cache *cache, const struct envelope *e,
                      const struct claim *c);

#endif
