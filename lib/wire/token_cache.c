/* A token is a bearer's secret, so the cache keeps only its digest. A place is chosen by the digest
 * and holds one token: a collision costs one more verification. */
#include "lib/base/crypto.h"
#include "lib/wire/token.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STRIPES 32

/* struct who without the groups that the user does not have. */
struct cached_who {
    char user[USER_SIZE];
    char name[NAME_SIZE];
    bool wallet;
    size_t n_groups;
    char groups[][GROUP_SIZE];
};

struct cached_token {
    uint8_t digest[32];
    int64_t expires_s;
    struct cached_who *who; /* NULL: empty */
};

struct token_cache {
    const struct token_keys *keys;
    size_t n;
    pthread_mutex_t locks[STRIPES]; /* lock i guards the places with index i modulo STRIPES */
    struct cached_token places[];
};

struct token_cache *token_cache_new(const struct token_keys *keys, size_t slots)
{
    struct token_cache *c = calloc(1, sizeof *c + slots * sizeof c->places[0]);
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
        free(c->places[i].who);
    free(c);
}

/* Return a copy of *who, to be freed, or NULL if there is no memory. */
static struct cached_who *who_pack(const struct who *who)
{
    struct cached_who *copy = malloc(sizeof *copy + who->n_groups * sizeof copy->groups[0]);
    if (copy == NULL)
        return NULL;
    memcpy(copy->user, who->user, sizeof copy->user);
    memcpy(copy->name, who->name, sizeof copy->name);
    copy->wallet = who->wallet;
    copy->n_groups = who->n_groups;
    memcpy(copy->groups, who->groups, who->n_groups * sizeof copy->groups[0]);
    return copy;
}

static void who_unpack(const struct cached_who *copy, struct who *who)
{
    memcpy(who->user, copy->user, sizeof who->user);
    memcpy(who->name, copy->name, sizeof who->name);
    who->wallet = copy->wallet;
    who->n_groups = copy->n_groups;
    memcpy(who->groups, copy->groups, copy->n_groups * sizeof who->groups[0]);
}

/* Store the token in its place; without memory, do not. */
static void token_remember(struct cached_token *place, pthread_mutex_t *lock,
                           const uint8_t digest[32], int64_t expires_s, const struct who *who)
{
    struct cached_who *copy = who_pack(who);
    if (copy == NULL)
        return;
    pthread_mutex_lock(lock);
    struct cached_who *old = place->who;
    memcpy(place->digest, digest, sizeof place->digest);
    place->expires_s = expires_s;
    place->who = copy;
    pthread_mutex_unlock(lock);
    free(old);
}

enum err token_cache_verify(struct token_cache *c, const char *text, size_t len, int64_t now_s,
                            struct who *who, enum token_reason *reason)
{
    uint8_t digest[32];
    uint64_t number;
    hash_sha256(digest, text, len);
    memcpy(&number, digest, sizeof number);
    size_t at = number % c->n;
    struct cached_token *place = &c->places[at];
    pthread_mutex_t *lock = &c->locks[at % STRIPES];

    pthread_mutex_lock(lock);
    bool known = place->who != NULL && memcmp(place->digest, digest, sizeof digest) == 0;
    bool lapsed = known && now_s > place->expires_s + TOKEN_LEEWAY_S;
    if (known && !lapsed)
        who_unpack(place->who, who);
    pthread_mutex_unlock(lock);
    *reason = lapsed ? TOKEN_EXPIRED : TOKEN_GOOD;
    if (known)
        return lapsed ? ERR_TOKEN_EXPIRED : ERR_OK;

    struct token_verdict verdict;
    enum err err = token_verify(c->keys, text, len, now_s, who, &verdict);
    *reason = verdict.reason;
    if (err == ERR_OK)
        token_remember(place, lock, digest, verdict.expires_s, who);
    return err;
}
