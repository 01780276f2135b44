/* Refund: closes envelopes past due under their lock and returns what is left, exactly once. */
#ifndef HONGBAO_SERVICE_REFUND_H
#define HONGBAO_SERVICE_REFUND_H

#include "lib/service/env.h"

/* Closes due envelopes, up to a thousand; final states go to the nets (cache may be NULL). *closed
 * says how many, *next_due_us when the next one is due (0: none). */
MUST_USE enum err refund_run(const struct env *env, struct store *store, struct cache *cache,
                             size_t *closed, int64_t *next_due_us);
/* Closes one envelope now, due or not (operator). *found; *envelope is its state after. */
MUST_USE enum err refund_close(const struct env *env, struct store *store, struct cache *cache,
                               const struct id *id, bool *found, struct envelope *envelope);

#endif
