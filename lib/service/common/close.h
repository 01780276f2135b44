/* Refund: closes envelopes past due under their lock and returns what is left, exactly once. */
#ifndef HONGBAO_SERVICE_COMMON_CLOSE_H
#define HONGBAO_SERVICE_COMMON_CLOSE_H

#include "lib/service/common/runtime.h"

struct close_due_result {
    size_t closed;
    int64_t late_us; /* how long ago the first of them was due */
};
/* Closes due envelopes, some hundreds; final states go to the nets (cache may be NULL). Fills done.
 */
MUST_USE enum err close_due(const struct runtime *runtime, struct store *store, struct cache *cache,
                            struct close_due_result *done);
/* Closes one envelope now, due or not (operator). *found; *envelope is its state after. */
MUST_USE enum err close_envelope(const struct runtime *runtime, struct store *store,
                                 struct cache *cache, const struct id *id, bool *found,
                                 struct envelope *envelope);

#endif
