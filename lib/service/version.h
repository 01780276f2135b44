/* Which version of an envelope is the newest, as the cache tells it for two seconds at a time: so
 * that whoever asks whether anything has changed is answered without the database. Only of
 * envelopes for anyone. What it tells may be two seconds old, if an item was lost; it is never of a
 * version that is not durable. */
#ifndef HONGBAO_SERVICE_VERSION_H
#define HONGBAO_SERVICE_VERSION_H

#include "lib/service/env.h"

/* Hints at the version of e, which is durable. CACHE_HINT_SET: by whoever made it; CACHE_HINT_ADD:
 * by whoever read it, and may be late. The flush is the caller's. */
void version_hint(const struct env *env, struct cache *cache, enum cache_hint how,
                  const struct envelope *e);
struct version {
    bool known; /* by the cache, and for this reader */
    int64_t version;
    bool has_mine;     /* the reader's own claim is known; else it may still be there */
    struct claim mine; /* without a name */
};
struct version_asked {
    const struct who *who; /* the reader */
    const struct id *id;
    struct version *out;
};
#define VERSION_ASKED_MAX 64
/* One round trip for asked[0..n), n <= VERSION_ASKED_MAX; fills each out. */
void versions_get(const struct env *env, struct cache *cache, const struct version_asked *asked,
                  size_t n);

#endif
