/* Envelopes with a page of their claims, as a process has lately shown them, so that a crowd that
 * watches one envelope asks the database but seldom. A bounded table; safe for threads. */
#ifndef HONGBAO_SERVICE_LOOK_PAGE_CACHE_H
#define HONGBAO_SERVICE_LOOK_PAGE_CACHE_H

#include "lib/domain/views.h"

struct page_cache;
struct page_cache *page_cache_new(void); /* NULL: no memory */
void page_cache_free(struct page_cache *v);
/* Remembers what everybody may see of view: all but the reader's own claim. The page is that of
 * limit claims after after_seq. Only versions that are durable; a newer one is kept. */
void page_cache_put(struct page_cache *v, const struct envelope_view *view, int64_t after_seq,
                    size_t limit);
/* The envelope is of that version now, and n claims made it, in order, each one version: whatever
 * is remembered of one of those before becomes it. False: of no page, or they do not add up. */
bool page_cache_learn(struct page_cache *v, const struct id *id, int64_t version,
                      const struct claim *claims, size_t n);
void page_cache_forget(struct page_cache *v, const struct id *id);
/* Fills out, without a claim of the reader's own, if that very page is remembered of that version
 * or a newer one. */
bool page_cache_get(struct page_cache *v, const struct id *id, int64_t version, int64_t after_seq,
                    size_t limit, struct envelope_view *out);

#endif
