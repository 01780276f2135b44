/* What people look up. Reads only, except the durability barrier before a closed state is shown,
 * and what the process remembers of it.
 * store, replica: sessions of the caller's thread (replica may be the same as store). */
#ifndef HONGBAO_SERVICE_LOOK_QUERY_H
#define HONGBAO_SERVICE_LOOK_QUERY_H

#include "lib/service/common/durable.h"
#include "lib/service/common/newest_version.h"
#include "lib/service/look/claimer_set.h"
#include "lib/service/look/page_cache.h"

struct query_session {
    const struct runtime *runtime;
    struct store *store;             /* primary */
    struct store *replica;           /* yearly records and ledger */
    struct durable *durable;         /* of the process */
    struct cache *cache;             /* NULL: none */
    struct page_cache *page_cache;   /* of the process */
    struct claimer_set *claimer_set; /* of the process */
};
/* The newest version of each envelope, where the cache knows: see newest_versions_get. */
void query_versions(const struct query_session *q, const struct newest_version_query *asked,
                    size_t n);
/* The envelope with the page of claims after after_seq, in the version that query_versions told or
 * a newer one, from what the process has shown lately. False: the primary has to be asked. */
bool query_remembered(const struct query_session *q, const struct who *who, const struct id *id,
                      const struct newest_version *newest, int64_t after_seq, size_t limit,
                      struct envelope_view *out);
/* The same in the version that the primary tells, for whom the cache knew none. False: all has to
 * be read. */
bool query_unchanged(const struct query_session *q, const struct who *who, const struct id *id,
                     int64_t after_seq, size_t limit, struct envelope_view *out);
/* The envelope without claims, and the reader's own claim (who NULL: none). ERR_NOT_FOUND;
 * ERR_NOT_RECIPIENT (who is neither sender nor among `to`); ERR_UNAUTHORIZED (no who and the
 * envelope has recipients); ERR_UNAVAILABLE. */
MUST_USE enum err query_envelope(const struct query_session *q, const struct who *who,
                                 const struct id *id, struct envelope_view *out);
/* Adds the page of claims after after_seq to a view from query_envelope. */
MUST_USE enum err query_claims(const struct query_session *q, int64_t after_seq, size_t limit,
                               struct envelope_view *out);
MUST_USE enum err query_me(const struct query_session *q, const struct who *who,
                           struct me_view *out);
/* year 0: the current one at the site's offset. */
MUST_USE enum err query_sent(const struct query_session *q, const struct who *who, int year,
                             const struct page_after *after, size_t limit, struct sent_view *out);
MUST_USE enum err query_received(const struct query_session *q, const struct who *who, int year,
                                 const struct page_after *after, size_t limit,
                                 struct received_view *out);
MUST_USE enum err query_ledger(const struct query_session *q, const struct who *who,
                               const struct page_after *after, size_t limit,
                               struct ledger_view *out);

#endif
