/* Threads of hongbao-settle: each goes round after round with sessions of its own. */
#ifndef HONGBAO_BIN_SETTLE_WORKER_H
#define HONGBAO_BIN_SETTLE_WORKER_H

#include "lib/service/common/session_pool.h"
#include "lib/service/settle/reconcile.h"

struct crew; /* all threads of the program */

struct worker {
    const char *name; /* of what it does, for the log */
    const struct runtime *runtime;
    struct session *session; /* the worker's own: */
    struct store *store;
    struct cache *cache;
    /* One round, bounded. *again: more waits, pause only for rest_ms. An error is a database that
     * is away. */
    enum err (*round)(struct worker *w, bool *again);
    int64_t first_ms; /* pause before the first round */
    int64_t rest_ms;  /* pause before the next round all the same, set by the round; 0: none */
    int64_t next_us;  /* monotonic; for a round that does something only now and then */
    struct reconcile reconcile; /* how far that has come */
    unsigned sweep_shard;       /* and how far the sweeping of markers */
    bool away;                  /* said once an outage */
    struct crew *crew;
};

struct crew *crew_new(const struct runtime *runtime); /* NULL: no memory */
/* Starts a thread, whose first round begins after first_ms. Returns ERR_FAULT if there is no memory
 * for it. */
MUST_USE enum err crew_add(struct crew *crew, const char *name, int64_t first_ms,
                           enum err (*round)(struct worker *w, bool *again));
/* Waits for every round in hand, ends the threads, frees all. */
void crew_stop(struct crew *crew);

#endif
