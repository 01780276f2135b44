/* The sessions of a process: a bounded number of connections to the primary, the replica and the
 * cache, each used by one thread at a time. A session is taken under the stall detector, so that a
 * primary that has stopped answering cannot hold every thread of the process. Sessions are made
 * when first needed and connect when first used. Thread-safe. */
#ifndef HONGBAO_SERVICE_COMMON_SESSION_POOL_H
#define HONGBAO_SERVICE_COMMON_SESSION_POOL_H

#include "lib/service/common/runtime.h"
#include "lib/service/common/stall.h"

struct session {
    struct store *store;
    struct store *replica; /* the same as store where the runtime has no replica */
    struct cache *cache;
    unsigned slot; /* of the stall detector */
};

struct session_pool_settings {
    unsigned leaders; /* batch leaders, each with a session of its own; 0..4 */
    unsigned threads; /* threads that take sessions; three quarters of them may hold one */
    /* No statement begins later than this before a request's deadline, so that its time-out still
     * ends before the deadline. Microseconds. */
    int64_t reserve_us;
};

struct session_pool;

/* Create a pool of the size in settings, with sessions from runtime, which must outlive it. Return
 * NULL if out of memory. */
struct session_pool *session_pool_new(const struct runtime *runtime,
                                      const struct session_pool_settings *settings);

/* Close all sessions and free p. Every session and cache must have been given back. p may be NULL.
 */
void session_pool_free(struct session_pool *p);

/* Take a session for a request with the deadline deadline_us (monotonic, microseconds). Its store
 * and replica begin no statement later than reserve_us before the deadline. Return NULL if the
 * primary has stalled or no memory is left: answer ERR_UNAVAILABLE, and do not call
 * session_pool_give. May wait up to STALL_US while all sessions are taken. */
struct session *session_pool_take(struct session_pool *p, int64_t deadline_us);

/* Give session back. err is how the operation ended and shows the stall detector whether the
 * primary answered; ERR_OK if only the cache was used. No transaction may be open. */
void session_pool_give(struct session_pool *p, struct session *session, enum err err);

/* Take a connection to the cache alone, whatever state the primary is in. Return NULL if out of
 * memory. */
struct cache *session_pool_take_cache(struct session_pool *p);

/* Give back a connection from session_pool_take_cache. cache may be NULL. */
void session_pool_give_cache(struct session_pool *p, struct cache *cache);

/* Return the session of batch leader `leader`, or NULL if out of memory. The leader occupies its
 * slot of the detector (stall_enter_leader) while it uses the session; the deadline is the
 * leader's to set. Calls for one leader must not overlap. The session belongs to the pool. */
struct session *session_pool_leader(struct session_pool *p, unsigned leader);

/* Return the detector of p, for the batch. */
struct stall *session_pool_stall(struct session_pool *p);

#endif
