/* Deletes in batches, so that no statement holds many row locks. Keys have the primary's time, and
 * are aged by its trusted course: this machine's clock and a step of the primary's do not count. */
#include "lib/service/settle/keys.h"

#define EXPIRE_ROWS 1000

enum err keys_expire(const struct runtime *runtime, struct store *store,
                     const struct clock_guard *guard, bool *again)
{
    size_t n = 0;
    int64_t now_us;
    *again = false;
    if (!clock_guard_keys_now(guard, &now_us))
        return ERR_OK;
    int64_t before_us = now_us - runtime->config->idempotency_days * S_PER_DAY * US_PER_S;
    enum err err = store->ops->idempotency_expire(store, before_us, EXPIRE_ROWS, &n);
    if (err != ERR_OK)
        store->ops->rollback(store);
    *again = err == ERR_OK && n == EXPIRE_ROWS;
    return err;
}
