/* Page cache: envelopes with a page of their claims as this process read them last, so that many
 * watchers of one envelope rarely reach the database. A bounded table. Pages are immutable and
 * counted, so a reader uses one without copying it. Thread-safe. */
#ifndef HONGBAO_SERVICE_LOOK_PAGE_CACHE_H
#define HONGBAO_SERVICE_LOOK_PAGE_CACHE_H

#include "lib/domain/views.h"
#include <stdatomic.h>

/* The page of `limit` claims after after_seq, of one version of an envelope. */
struct page {
    atomic_uint holders;
    int64_t after_seq;
    size_t limit;
    int64_t next_seq; /* after_seq of the next page; 0: there is none */
    struct envelope envelope;
    size_t n_claims;
    struct claim claims[];
};

/* Create a page of e with claims[0..n), those after after_seq in the order of seq; n <= limit. The
 * page has one holder, the caller, and next_seq follows from the claims. Return NULL if out of
 * memory. */
struct page *page_new(const struct envelope *e, int64_t after_seq, size_t limit,
                      const struct claim *claims, size_t n);

/* Give up one hold on page, and free it with the last one. page may be NULL. Thread-safe. */
void page_release(struct page *page);

struct page_cache;

/* Create an empty cache. Return NULL if out of memory. */
struct page_cache *page_cache_new(void);

/* Free cache and its holds. cache may be NULL. */
void page_cache_free(struct page_cache *cache);

/* Remember page, whose version must be durable, with a hold of the cache's own. A newer version of
 * the same page stays in place. */
void page_cache_put(struct page_cache *cache, struct page *page);

/* Bring the remembered pages of envelope id up to `version`. claims[0..n) are its newest claims in
 * order; each made one version and the last made `version`. A page is advanced only if no claim
 * between its version and `version` is missing and the sums agree. Return true if one was. */
bool page_cache_learn(struct page_cache *cache, const struct id *id, int64_t version,
                      const struct claim *claims, size_t n);

/* Drop all pages of envelope id. */
void page_cache_forget(struct page_cache *cache, const struct id *id);

/* Return the page of `limit` claims after after_seq of envelope id, in `version` or a newer one,
 * held for the caller, which calls page_release. Return NULL if there is none. */
struct page *page_cache_get(struct page_cache *cache, const struct id *id, int64_t version,
                            int64_t after_seq, size_t limit);

#endif
