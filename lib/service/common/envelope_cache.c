#include "lib/service/common/envelope_cache.h"
#include "lib/base/buf.h"
#include "lib/service/common/gate.h"
#include "lib/wire/envelope_value.h"
#include <string.h>

void envelope_cache_hint(const struct runtime *runtime, struct cache *cache,
                         const struct envelope *e)
{
    char key[ENVELOPE_VALUE_KEY_SIZE];
    struct buf text;
    buf_init(&text, ENVELOPE_VALUE_TEXT_SIZE - 1);
    envelope_value_key(key, runtime->generation, &e->id);
    envelope_value_write(&text, runtime->generation, e);
    if (!text.failed)
        cache->ops->hint(cache, CACHE_HINT_ADD, key, text.data, text.len,
                         gate_ttl_s(runtime, e->expires_us));
    buf_free(&text);
}

bool envelope_cache_get(const struct runtime *runtime, struct cache *cache, const struct id *id,
                        struct envelope *e)
{
    char text[ENVELOPE_VALUE_TEXT_SIZE] = "";
    struct cache_item item = {.value = text, .value_cap = sizeof text};
    envelope_value_key(item.key, runtime->generation, id);
    cache->ops->get(cache, &item, 1);
    return item.result == CACHE_HIT && strlen(text) == item.len &&
           envelope_value_read(e, text, runtime->generation, id);
}
