/* The copy of an envelope's unchanging part in the cache. */
#ifndef HONGBAO_SERVICE_RECORD_H
#define HONGBAO_SERVICE_RECORD_H

#include "lib/service/env.h"

/* Adds the record of e, as a hint: the cache's flush is the caller's. */
void record_hint(const struct env *env, struct cache *cache, const struct envelope *e);
/* True if the cache had it. *e then holds the unchanging part, the rest zero. */
MUST_USE bool record_get(const struct env *env, struct cache *cache, const struct id *id,
                         struct envelope *e);

#endif
