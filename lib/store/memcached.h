/* memcached through libmemcached, implementing cache.h: ASCII protocol, no replicas, no rehashing.
 * With memcached_link.c the only user of libmemcached. */
#ifndef HONGBAO_STORE_MEMCACHED_H
#define HONGBAO_STORE_MEMCACHED_H

#include "lib/base/server_state.h"
#include "lib/store/cache.h"

/* Return a cache on servers, comma-separated "/path/of.sock" or "host:port", with timeout_ms for
 * every round trip. The part of a key before its first '/' chooses the server, for ever: there is
 * no fail-over. Failures are reported to state, which may be NULL and must outlive the cache.
 * Connects at the first operation; create one per thread, after fork. Free it with its close
 * operation. Return NULL if servers is invalid, which is logged, or there is no memory.
 */
struct cache *memcached_cache_new(const char *servers, unsigned timeout_ms,
                                  struct server_state *state);

#endif
