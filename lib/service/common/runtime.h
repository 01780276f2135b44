/* What every service of a process shares. */
#ifndef HONGBAO_SERVICE_COMMON_RUNTIME_H
#define HONGBAO_SERVICE_COMMON_RUNTIME_H

#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/crypto.h"
#include "lib/base/metrics.h"
#include "lib/domain/who.h"
#include "lib/store/cache.h"
#include "lib/store/marker.h"
#include "lib/store/store.h"
#include "lib/wire/ticket.h"

struct replica;
struct user_rules;

/* Filled by the program before a service is created; must not change while services use it, but for
 * generation, which is set before the first one starts. */
struct runtime {
    const struct config *config;
    const struct clock *clock;
    const struct rng *rng;
    struct metrics *metrics;
    struct markers *markers;  /* NULL: no markers are wanted */
    struct user_rules *rules; /* NULL: none */
    struct replica *replica;  /* NULL: none */
    struct secret_pair ticket_keys;
    uint8_t generation[16]; /* read from the primary */
    /* Create a session. self is that of the runtime. Return NULL if out of memory; the caller
     * closes what it is given. The connection is made when it is first used. */
    struct store *(*store_open)(void *self);
    /* Create a cache connection. self is that of the runtime. Return NULL if out of memory; the
     * caller closes it. */
    struct cache *(*cache_open)(void *self);
    /* Create a session with the replica; self, result and owner as for store_open. NULL: no replica
     * is configured. */
    struct store *(*replica_open)(void *self);
    void *self;
};

#endif
