#include "lib/service/record.h"
#include "lib/base/buf.h"
#include "lib/service/gate.h"
#include "lib/wire/record_value.h"
#include <string.h>

void record_hint(const struct env *env, struct cache *cache, const struct envelope *e)
{
    char key[RECORD_KEY_SIZE];
    struct buf text;
    buf_init(&text, RECORD_TEXT_SIZE - 1);
    record_key(key, env->generation, &e->id);
    record_write(&text, env->generation, e);
    if (!text.failed)
        cache->ops->hint(cache, CACHE_HINT_ADD, key, text.data, text.len,
                         gate_ttl_s(env, e->expires_us));
    buf_free(&text);
}

bool record_get(const struct env *env, struct cache *cache, const struct id *id, struct envelope *e)
{
    char text[RECORD_TEXT_SIZE] = "";
    struct cache_item item = {.value = text, .value_cap = sizeof text};
    record_key(item.key, env->generation, id);
    cache->ops->get(cache, &item, 1);
    return item.result == CACHE_HIT && strlen(text) == item.len &&
           record_read(e, text, env->generation, id);
}
