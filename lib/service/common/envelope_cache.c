/* The envelope item. It never holds anything that changes, so it needs no cas and no version, and a
 * copy that is missing is simply read from the primary. */
#include "lib/service/common/envelope_cache.h"
#include "lib/base/buf.h"
#include "lib/service/common/gate.h"
#include <string.h>

#define DROPPED_TTL_S 1

void envelope_cache_hint(const struct runtime *runtime, struct cache *cache,
                         const struct envelope *e)
{
    char key[ITEM_KEY_SIZE];
    struct buf text;
    buf_init(&text, ENVELOPE_VALUE_TEXT_SIZE - 1);
    item_key(key, ITEM_KEY_ENVELOPE, runtime->generation, &e->id);
    envelope_value_write(&text, runtime->generation, e);
    if (!text.failed)
        cache->ops->hint(cache, CACHE_HINT_ADD, key, text.data, text.len,
                         gate_ttl_s(runtime, e->expires_us));
    buf_free(&text);
}

void envelope_cache_drop(const struct runtime *runtime, struct cache *cache, const struct id *id)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_ENVELOPE, runtime->generation, id);
    cache->ops->hint(cache, CACHE_HINT_SET, key, "", 0, DROPPED_TTL_S);
    cache->ops->flush(cache, true);
}

void envelope_cache_prepare(const struct runtime *runtime, const struct id *id,
                            struct cache_item *item, char text[ENVELOPE_VALUE_TEXT_SIZE])
{
    text[0] = '\0';
    item->value = text;
    item->value_cap = ENVELOPE_VALUE_TEXT_SIZE;
    item_key(item->key, ITEM_KEY_ENVELOPE, runtime->generation, id);
}

bool envelope_cache_read(const struct runtime *runtime, const struct id *id,
                         const struct cache_item *item, struct envelope *e)
{
    return item->result == CACHE_HIT && strlen(item->value) == item->len &&
           envelope_value_read(e, item->value, runtime->generation, id);
}

bool envelope_cache_get(const struct runtime *runtime, struct cache *cache, const struct id *id,
                        struct envelope *e)
{
    char text[ENVELOPE_VALUE_TEXT_SIZE];
    struct cache_item item;
    envelope_cache_prepare(runtime, id, &item, text);
    cache->ops->get(cache, &item, 1);
    return envelope_cache_read(runtime, id, &item, e);
}
