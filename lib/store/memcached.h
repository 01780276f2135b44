/* memcached through libmemcached (its only user): fulfils cache.h. ASCII protocol, no replicas, no
 * re-hashing: one fixed server per key; keys of one envelope go to one server. */
#ifndef HONGBAO_STORE_MEMCACHED_H
#define HONGBAO_STORE_MEMCACHED_H

#include "lib/store/cache.h"

/* servers: comma-separated "/path/of.sock" or "host:port". The part of a key before its first '/'
 * chooses the server (libmemcached's group key). NULL: bad servers or no memory. Make it after
 * fork, one per thread. */
struct cache *memcached_cache_new(const char *servers, unsigned timeout_ms);

#endif
