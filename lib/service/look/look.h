/* Look at an envelope: its state, the reader's own claim and a page of the claims. Most looks are
 * repeats by watchers and are answered from the newest version in the cache and the pages that this
 * process remembers; the rest read the database. Nothing is shown before it is durable. */
#ifndef HONGBAO_SERVICE_LOOK_LOOK_H
#define HONGBAO_SERVICE_LOOK_LOOK_H

#include "lib/service/common/newest_version.h"
#include "lib/service/common/session_pool.h"
#include "lib/service/look/page_cache.h"

struct look_service;

/* Create the service of one process. runtime and sessions must outlive it. Return NULL if out of
 * memory. */
struct look_service *look_service_new(const struct runtime *runtime, struct session_pool *sessions);

/* Free s; no look may be under way. s may be NULL. */
void look_service_free(struct look_service *s);

/* One look. The caller fills the first part, zeroes the rest, and calls look_end after the answer
 * has been used. */
struct look_request {
    const struct who *who; /* the reader; NULL: not signed in, shown the envelope without claims */
    const struct id *id;
    int64_t after_seq; /* the page of up to `limit` (1..PAGE_MAX) claims after this one */
    size_t limit;
    /* Return true if the reader already has this page in that version with that claim of its own
     * (mine_seq 0: none), so that the page need not be made. */
    bool (*is_current)(void *context, int64_t version, int64_t mine_seq);
    void *context;

    struct newest_version newest; /* the service's own: what the cache knows of the version */

    /* ERR_OK, ERR_NOT_FOUND, ERR_NOT_RECIPIENT (neither sender nor a recipient), ERR_UNAUTHORIZED
     * (not signed in, and the envelope is restricted), ERR_UNAVAILABLE, ERR_FAULT. */
    enum err err;
    int64_t version, mine_seq; /* if ERR_OK */
    struct page *page;         /* NULL: the reader has it already */
    bool has_mine;
    struct claim mine; /* if has_mine; without a name if it comes from the cache */
};

/* Answer those of requests[0..n), 1 <= n <= NEWEST_VERSIONS_MAX, that the cache and this process
 * can answer, in one round trip to the cache. Set deferred[i] of the others, for look_wait; it is
 * false on entry. Thread-safe. */
void look_now(struct look_service *s, struct look_request **requests, size_t n, bool *deferred);

/* Answer r, which look_now deferred, by deadline_us (monotonic, microseconds). May
 * read the database and wait for a barrier. Thread-safe. */
void look_wait(struct look_service *s, struct look_request *r, int64_t deadline_us);

/* Release what the answer of r holds. r may be unanswered. */
void look_end(struct look_request *r);

#endif
