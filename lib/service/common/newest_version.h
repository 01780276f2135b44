/* Which version of an envelope is the newest, as the cache tells it for two seconds at a time: so
 * that whoever asks whether anything has changed is answered without the database. Only of
 * envelopes for anyone. What it tells may be two seconds old, if an item was lost; it is never of a
 * version that is not durable. */
#ifndef HONGBAO_SERVICE_COMMON_NEWEST_VERSION_H
#define HONGBAO_SERVICE_COMMON_NEWEST_VERSION_H

#include "lib/service/common/runtime.h"
#include "lib/wire/gate_value.h"

/* Hints at the version of e, which is durable. By whoever made it, with the newest n claims
 * (n <= VERSION_CLAIMS_MAX) that led to it, in order: a reader of the version before knows this one
 * by them. */
void newest_version_hint_made(const struct runtime *runtime, struct cache *cache,
                              const struct envelope *e, const struct claim *newest, size_t n);
/* By whoever read it, and may be late. The flush is the caller's, of both. */
void newest_version_hint_read(const struct runtime *runtime, struct cache *cache,
                              const struct envelope *e);
struct newest_version {
    bool known; /* by the cache, and for this reader */
    int64_t version;
    size_t n_claims; /* its newest claims, in order: each made one version, the last this one */
    struct claim claims[VERSION_CLAIMS_MAX];
    bool has_mine;     /* the reader's own claim is known; else it may still be there */
    struct claim mine; /* without a name */
};
struct newest_version_query {
    const struct who *who; /* the reader */
    const struct id *id;
    struct newest_version *out;
};
#define NEWEST_VERSIONS_MAX BATCH_MAX
/* One round trip for asked[0..n), n <= NEWEST_VERSIONS_MAX, and one question an envelope; fills
 * each out. */
void newest_versions_get(const struct runtime *runtime, struct cache *cache,
                         const struct newest_version_query *asked, size_t n);

#endif
