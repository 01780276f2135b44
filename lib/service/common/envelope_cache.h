/* The copy of an envelope's unchanging part in the cache. */
#ifndef HONGBAO_SERVICE_COMMON_ENVELOPE_CACHE_H
#define HONGBAO_SERVICE_COMMON_ENVELOPE_CACHE_H

#include "lib/service/common/runtime.h"

/* Adds the record of e, as a hint: the cache's flush is the caller's. */
void envelope_cache_hint(const struct runtime *runtime, struct cache *cache,
                         const struct envelope *e);
/* True if the cache had it. *e then holds the unchanging part, the rest zero. */
MUST_USE bool envelope_cache_get(const struct runtime *runtime, struct cache *cache,
                                 const struct id *id, struct envelope *e);

#endif
