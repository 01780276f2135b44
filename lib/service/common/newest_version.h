/* The version item: the newest version of an envelope, as the cache has it for two seconds at a
 * time, so that a reader asking for changes is answered without the database.
 * Only envelopes to anyone have one. It may be two seconds old, if an item was lost; it
 * is never a version that is not durable. */
#ifndef HONGBAO_SERVICE_COMMON_NEWEST_VERSION_H
#define HONGBAO_SERVICE_COMMON_NEWEST_VERSION_H

#include "lib/service/common/runtime.h"
#include "lib/wire/item_key.h"
#include "lib/wire/user_value.h"
#include "lib/wire/version_value.h"

/* Hint at the version of e, which is durable and was made by this process. newest[0..n), n <=
 * VERSION_CLAIMS_MAX, are its newest claims in order: a reader of the version before derives this
 * one from them. The caller flushes cache. */
void newest_version_hint_made(const struct runtime *runtime, struct cache *cache,
                              const struct envelope *e, const struct claim *newest, size_t n);

/* Hint at the version of e, which is durable and was read. It may be late, so it does not replace
 * an item that is there. The caller flushes cache. */
void newest_version_hint_read(const struct runtime *runtime, struct cache *cache,
                              const struct envelope *e);

struct newest_version {
    bool known; /* by the cache, and this reader may see it */
    int64_t version;
    size_t n_claims; /* its newest claims, in order: each made one version, the last this one */
    struct claim claims[VERSION_CLAIMS_MAX];
    bool has_mine;     /* the reader's own claim is known; if not, there may still be one */
    struct claim mine; /* without a name */
};

struct newest_version_query {
    const struct who *who;      /* in: the reader */
    const struct id *id;        /* in */
    struct newest_version *out; /* out */
};
#define NEWEST_VERSIONS_MAX BATCH_MAX

/* Answer asked[0..n), n <= NEWEST_VERSIONS_MAX, in one round trip to cache; an envelope that is
 * asked for several times is read once. */
void newest_versions_get(const struct runtime *runtime, struct cache *cache,
                         const struct newest_version_query *asked, size_t n);

#endif
