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

static void read_version(const struct version_asked *a, const struct cache_item *newest,
                         const struct cache_item *mine)
{
    struct gate_version v;
    struct gate_user u;
    struct version *out = a->out;
    out->known = newest->result == CACHE_HIT &&
                 gate_version_read(&v, newest->value, newest->len, a->id) &&
                 v.guest == user_is_guest(a->who->user);
    out->has_mine = false;
    if (!out->known)
        return;
    out->version = v.version;
    out->has_mine =
        mine->result == CACHE_HIT && gate_user_read(&u, mine->value, mine->len, a->id) && u.opened;
    if (!out->has_mine)
        return;
    out->mine = (struct claim){
        .envelope = *a->id, .amount_fen = u.amount_fen, .seq = u.seq, .opened_us = u.opened_us};
    memcpy(out->mine.user, a->who->user, sizeof out->mine.user);
}

void versions_get(const struct env *env, struct cache *cache, const struct version_asked *asked,
                  size_t n)
{
    struct cache_item items[2 * VERSION_ASKED_MAX]; /* of each its version and his claim */
    char texts[2 * VERSION_ASKED_MAX][GATE_TEXT_SIZE];
    for (size_t i = 0; i < 2 * n; i++) {
        items[i].value = texts[i];
        items[i].value_cap = sizeof texts[i];
    }
    for (size_t i = 0; i < n; i++) {
        gate_key(items[2 * i].key, GATE_KEY_VERSION, env->generation, asked[i].id);
        gate_user_key(items[2 * i + 1].key, env->generation, asked[i].id, asked[i].who->user);
    }
    cache->ops->get(cache, items, 2 * n);
    for (size_t i = 0; i < n; i++)
        read_version(&asked[i], &items[2 * i], &items[2 * i + 1]);
}
