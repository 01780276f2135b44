/* Zeros are no generation, so that a host of which a part follows counts as one that beats and has
 * not followed. */
#include "lib/service/settle/host.h"

enum err host_step(const struct runtime *runtime, struct store *store, const char *name,
                   bool *restored)
{
    static const uint8_t none[16];
    uint8_t now[16];
    *restored = false;
    enum err err = store->ops->generation(store, now);
    if (err != ERR_OK) {
        store->ops->rollback(store);
        return err;
    }
    *restored = !bytes_equal(now, runtime->generation, sizeof now);
    if (*restored)
        return ERR_OK;
    bool others = metrics_other_generation(runtime->metrics, metrics_generation(now),
                                           runtime->clock->mono_us(runtime->clock->self));
    err = store->ops->host_beat(store, name, others ? none : now);
    if (err != ERR_OK)
        store->ops->rollback(store);
    return err;
}
