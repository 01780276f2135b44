/* The envelope item: a copy of an envelope's unchanging part in the cache. */
#ifndef HONGBAO_SERVICE_COMMON_ENVELOPE_CACHE_H
#define HONGBAO_SERVICE_COMMON_ENVELOPE_CACHE_H

#include "lib/service/common/runtime.h"
#include "lib/wire/envelope_value.h"

/* Add the envelope item of e, as a hint: the caller flushes cache. An existing item stays. */
void envelope_cache_hint(const struct runtime *runtime, struct cache *cache,
                         const struct envelope *e);

/* Make the envelope item of id read as missing: the cache has no delete. Waits until the cache has
 * taken it. */
void envelope_cache_drop(const struct runtime *runtime, struct cache *cache, const struct id *id);

/* Read the envelope item of id in one round trip. Return true if the cache had it; *e then holds
 * the unchanging part, and zero elsewhere. */
MUST_USE bool envelope_cache_get(const struct runtime *runtime, struct cache *cache,
                                 const struct id *id, struct envelope *e);

/* Point item at the envelope item of id, to be read into text with others in one round trip. */
void envelope_cache_prepare(const struct runtime *runtime, const struct id *id,
                            struct cache_item *item, char text[ENVELOPE_VALUE_TEXT_SIZE]);

/* Read e from item, which was prepared for id and got. Return as envelope_cache_get. */
MUST_USE bool envelope_cache_read(const struct runtime *runtime, const struct id *id,
                                  const struct cache_item *item, struct envelope *e);

#endif
