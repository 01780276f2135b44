#include "lib/service/version.h"
#include "lib/service/gate.h"
#include "lib/wire/gate_value.h"
#include <string.h>

#define LIFE_S 2

void version_hint(const struct env *env, struct cache *cache, enum cache_hint how,
                  const struct envelope *e)
{
    char key[GATE_KEY_SIZE], text[GATE_TEXT_SIZE];
    struct gate_version v = {.version = e->version, .guest = user_is_guest(e->sender)};
    if (e->to_kind != TO_ANYONE)
        return;
    gate_key(key, GATE_KEY_VERSION, env->generation, &e->id);
    size_t len = gate_version_write(text, &v, &e->id);
    cache->ops->hint(cache, how, key, text, len, LIFE_S);
}

bool version_get(const struct env *env, struct cache *cache, const struct who *who,
                 const struct id *id, struct version *out)
{
    enum { NEWEST, MINE };
    char texts[2][GATE_TEXT_SIZE];
    struct cache_item items[2];
    struct gate_version v;
    struct gate_user u;
    for (int i = 0; i < 2; i++)
        items[i] = (struct cache_item){.value = texts[i], .value_cap = sizeof texts[i]};
    gate_key(items[NEWEST].key, GATE_KEY_VERSION, env->generation, id);
    gate_user_key(items[MINE].key, env->generation, id, who->user);
    cache->ops->get(cache, items, 2);
    if (items[NEWEST].result != CACHE_HIT ||
        !gate_version_read(&v, texts[NEWEST], items[NEWEST].len, id) ||
        v.guest != user_is_guest(who->user))
        return false;
    *out = (struct version){.version = v.version};
    out->has_mine = items[MINE].result == CACHE_HIT &&
                    gate_user_read(&u, texts[MINE], items[MINE].len, id) && u.opened;
    if (!out->has_mine)
        return true;
    out->mine = (struct claim){
        .envelope = *id, .amount_fen = u.amount_fen, .seq = u.seq, .opened_us = u.opened_us};
    memcpy(out->mine.user, who->user, sizeof out->mine.user);
    return true;
}
