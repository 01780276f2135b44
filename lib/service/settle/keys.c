/* Deletes in batches, so that no statement holds many row locks. */
#include "lib/service/settle/keys.h"

#define EXPIRE_ROWS 1000

enum err keys_expire(const struct runtime *runtime, struct store *store, bool *again)
{
    size_t n = 0;
    int64_t before_us = runtime->clock->wall_us(runtime->clock->self) -
                        runtime->config->idempotency_days * S_PER_DAY * US_PER_S;
    enum err err = store->ops->idempotency_expire(store, before_us, EXPIRE_ROWS, &n);
    if (err != ERR_OK)
        store->ops->rollback(store);
    *again = err == ERR_OK && n == EXPIRE_ROWS;
    return err;
}
