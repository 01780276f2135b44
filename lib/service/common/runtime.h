/* What every service of a process shares. Filled by the program, never changed after. */
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

struct runtime {
    const struct config *config;
    const struct clock *clock;
    const struct rng *rng;
    struct metrics *metrics;
    struct markers *markers; /* NULL: none are wanted */
    struct secret_pair ticket_keys;
    uint8_t generation[16]; /* read from the primary when the program starts */
    /* How a service gets sessions of its own. Each call gives a new one; NULL: no memory. */
    struct store *(*store_open)(void *self);
    struct cache *(*cache_open)(void *self);
    struct store *(*replica_open)(void *self); /* NULL: no replica is configured */
    void *self;
};

#endif
