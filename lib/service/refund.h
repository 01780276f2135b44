/* Refund: closes envelopes past due under their lock and returns what is left, exactly once. */
#ifndef HONGBAO_SERVICE_REFUND_H
#define HONGBAO_SERVICE_REFUND_H

#include "lib/service/env.h"

struct refunds {
    size_t closed;
    int64_t late_us; /* how long ago the first of them was due */
};
/* Closes due envelopes, some hundreds; final states go to the nets (cache may be NULL). Fills done.
 */
MUST_USE enum err refund_run(const struct env *env, struct store *store, struct cache *cache,
                             struct refunds *done);
/* Closes one envelope now, due or not (operator). *found; *envelope is its state after. */
MUST_USE enum err refund_close(const struct env *env, struct store *store, struct cache *cache,
                               const struct id *id, bool *found, struct envelope *envelope);

#endif
