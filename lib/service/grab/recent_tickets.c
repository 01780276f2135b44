/* The table of recent tickets. Users' items are hints, which are not waited for; without this table
 * a second tap within the same moment would take a second share. */
#include "lib/service/grab/recent_tickets.h"
#include "lib/domain/limits.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 2048
#define LIFE_US 1000000

struct recent_ticket {
    struct id id;
    char user[USER_SIZE];
    int64_t expires_s;
    int64_t until_us;
};

struct recent_tickets {
    uint8_t key[SHORT_KEY_SIZE]; /* random */
    pthread_mutex_t lock;
    struct recent_ticket entries[ENTRIES];
};

struct recent_tickets *recent_tickets_new(const struct rng *rng)
{
    struct recent_tickets *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    pthread_mutex_init(&r->lock, NULL);
    rng->fill(rng->self, r->key, sizeof r->key);
    return r;
}

void recent_tickets_free(struct recent_tickets *r)
{
    if (r != NULL)
        pthread_mutex_destroy(&r->lock);
    free(r);
}

/* Users may choose their ids: without a key one could evict another's entries. */
static struct recent_ticket *recent_ticket_of(struct recent_tickets *r, const struct id *id,
                                              const char *user)
{
    uint64_t hash = hash_short(r->key, user, strlen(user));
    return &r->entries[(id_slot(id, ENTRIES) + hash) % ENTRIES];
}

void recent_tickets_put(struct recent_tickets *r, const struct id *id, const char *user,
                        int64_t expires_s, int64_t mono_us)
{
    pthread_mutex_lock(&r->lock);
    struct recent_ticket *t = recent_ticket_of(r, id, user);
    t->id = *id;
    snprintf(t->user, sizeof t->user, "%s", user);
    t->expires_s = expires_s;
    t->until_us = mono_us + LIFE_US;
    pthread_mutex_unlock(&r->lock);
}

int64_t recent_tickets_get(struct recent_tickets *r, const struct id *id, const char *user,
                           int64_t mono_us)
{
    int64_t expires_s = 0;
    pthread_mutex_lock(&r->lock);
    const struct recent_ticket *t = recent_ticket_of(r, id, user);
    if (t->until_us > mono_us && id_compare(&t->id, id) == 0 && strcmp(t->user, user) == 0)
        expires_s = t->expires_s;
    pthread_mutex_unlock(&r->lock);
    return expires_s;
}
