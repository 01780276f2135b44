/* The version item. Its maker sets it and a reader only adds it, since a reader may be late; and it
 * lives for two seconds only, so that a lost write is not believed for long. */
#include "lib/service/common/newest_version.h"
#include <string.h>

#define LIFE_S 2

static void newest_version_hint(const struct runtime *runtime, struct cache *cache,
                                enum cache_hint how, const struct envelope *e,
                                const struct claim *newest, size_t n)
{
    char key[ITEM_KEY_SIZE], text[VERSION_TEXT_SIZE];
    struct version_value v = {
        .version = e->version, .guest = user_is_guest(e->sender), .n_claims = n};
    if (e->to_kind != TO_ANYONE)
        return;
    for (size_t i = 0; i < n; i++)
        v.claims[i] = newest[i];
    item_key(key, ITEM_KEY_VERSION, runtime->generation, &e->id);
    size_t len = version_value_write(text, &v, &e->id);
    cache->ops->hint(cache, how, key, text, len, LIFE_S);
}

void newest_version_hint_made(const struct runtime *runtime, struct cache *cache,
                              const struct envelope *e, const struct claim *newest, size_t n)
{
    newest_version_hint(runtime, cache, CACHE_HINT_SET, e, newest, n);
}

void newest_version_hint_read(const struct runtime *runtime, struct cache *cache,
                              const struct envelope *e)
{
    newest_version_hint(runtime, cache, CACHE_HINT_ADD, e, NULL, 0);
}

static void newest_version_read(const struct newest_version_query *a, const struct cache_item *item)
{
    struct version_value v;
    struct newest_version *out = a->out;
    out->known = item->result == CACHE_HIT &&
                 version_value_read(&v, item->value, item->len, a->id) &&
                 v.guest == user_is_guest(a->who->user);
    if (!out->known)
        return;
    out->version = v.version;
    out->n_claims = v.n_claims;
    for (size_t i = 0; i < v.n_claims; i++)
        out->claims[i] = v.claims[i];
}

static void newest_version_read_mine(const struct newest_version_query *a,
                                     const struct cache_item *item)
{
    struct user_value u;
    struct newest_version *out = a->out;
    out->has_mine = out->known && item->result == CACHE_HIT &&
                    user_value_read(&u, item->value, item->len, a->id) && u.opened;
    if (!out->has_mine)
        return;
    out->mine = (struct claim){
        .envelope = *a->id, .amount_fen = u.amount_fen, .seq = u.seq, .opened_us = u.opened_us};
    memcpy(out->mine.user, a->who->user, sizeof out->mine.user);
}

/* Return the first of asked[0..at] for the same envelope. A linear search: crowds watch few of
 * them.
 */
static size_t newest_version_first(const struct newest_version_query *asked, size_t at)
{
    size_t i = 0;
    while (id_compare(asked[i].id, asked[at].id) != 0)
        i++;
    return i;
}

void newest_versions_get(const struct runtime *runtime, struct cache *cache,
                         const struct newest_version_query *asked, size_t n)
{
    struct cache_item items[2 * NEWEST_VERSIONS_MAX]; /* users' items, then version items */
    char claims[NEWEST_VERSIONS_MAX][USER_TEXT_SIZE],
        versions[NEWEST_VERSIONS_MAX][VERSION_TEXT_SIZE];
    size_t version_at[NEWEST_VERSIONS_MAX], count = n;
    for (size_t i = 0; i < n; i++) {
        size_t first = newest_version_first(asked, i);
        items[i].value = claims[i];
        items[i].value_cap = sizeof claims[i];
        item_key_user(items[i].key, runtime->generation, asked[i].id, asked[i].who->user);
        version_at[i] = first < i ? version_at[first] : count++;
        if (first < i)
            continue;
        struct cache_item *version = &items[version_at[i]];
        version->value = versions[i];
        version->value_cap = sizeof versions[i];
        item_key(version->key, ITEM_KEY_VERSION, runtime->generation, asked[i].id);
    }
    cache->ops->get(cache, items, count);
    for (size_t i = 0; i < n; i++) {
        newest_version_read(&asked[i], &items[version_at[i]]);
        newest_version_read_mine(&asked[i], &items[i]);
    }
}
