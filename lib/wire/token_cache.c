/* Verified tokens, remembered by their SHA-256: a token is a bearer's secret, so its digest is all
 * that is kept. */
#include "lib/base/crypto.h"
#include "lib/wire/token.h"
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define STRIPES 32
#define LEEWAY_S 30

struct slot {
    uint8_t digest[32];
    int64_t expires_s;
    struct who *who; /* NULL: empty; as long as his groups need */
};

struct token_cache {
    const struct token_keys *keys;
    size_t n;
    pthread_mutex_t locks[STRIPES];
    struct slot slots[];
};

struct token_cache *token_cache_new(const struct token_keys *keys, size_t slots)
{
    struct token_cache *c = calloc(1, sizeof *c + slots * sizeof c->slots[0]);
    if (c == NULL)
        return NULL;
    c->keys = keys;
    c->n = slots;
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&c->locks[i], NULL);
    return c;
}

void token_cache_free(struct token_cache *c)
{
    for (size_t i = 0; c != NULL && i < STRIPES; i++)
        pthread_mutex_destroy(&c->locks[i]);
    for (size_t i = 0; c != NULL && i < c->n; i++)
        free(c->slots[i].who);
    free(c);
}

/* Only what is there of his groups is copied, and room is needed only for that. */
static size_t who_size(const struct who *who)
{
    return offsetof(struct who, groups) + who->n_groups * sizeof who->groups[0];
}

/* Remembers the token in place of whoever was there; without memory, not. */
static void remember(struct slot *slot, pthread_mutex_t *lock, const uint8_t digest[32],
                     int64_t expires_s, const struct who *who)
{
    struct who *copy = malloc(who_size(who));
    if (copy == NULL)
        return;
    memcpy(copy, who, who_size(who));
    pthread_mutex_lock(lock);
    struct who *old = slot->who;
    memcpy(slot->digest, digest, sizeof slot->digest);
    slot->expires_s = expires_s;
    slot->who = copy;
    pthread_mutex_unlock(lock);
    free(old);
}

enum err token_cache_verify(struct token_cache *c, const char *text, size_t len, int64_t now_s,
                            struct who *who)
{
    uint8_t digest[32];
    uint64_t number;
    hash_sha256(digest, text, len);
    memcpy(&number, digest, sizeof number);
    size_t at = number % c->n;
    struct slot *slot = &c->slots[at];
    pthread_mutex_t *lock = &c->locks[at % STRIPES];

    pthread_mutex_lock(lock);
    bool known = slot->who != NULL && memcmp(slot->digest, digest, sizeof digest) == 0;
    bool lapsed = known && now_s > slot->expires_s + LEEWAY_S;
    if (known && !lapsed)
        memcpy(who, slot->who, who_size(slot->who));
    pthread_mutex_unlock(lock);
    if (known)
        return lapsed ? ERR_TOKEN_EXPIRED : ERR_OK;

    int64_t expires_s;
    enum err err = token_verify(c->keys, text, len, now_s, who, &expires_s);
    if (err == ERR_OK)
        remember(slot, lock, digest, expires_s, who);
    return err;
}
