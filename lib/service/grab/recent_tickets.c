#include "lib/service/grab/recent_tickets.h"
#include "lib/base/str.h"
#include "lib/domain/limits.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 2048
#define LIFE_US 1000000

struct slot {
    struct id id;
    char user[USER_SIZE];
    int64_t expires_s;
    int64_t until_us;
};

struct recent_tickets {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
};

struct recent_tickets *recent_tickets_new(void)
{
    struct recent_tickets *r = calloc(1, sizeof *r);
    if (r != NULL)
        pthread_mutex_init(&r->lock, NULL);
    return r;
}

void recent_tickets_free(struct recent_tickets *r)
{
    if (r != NULL)
        pthread_mutex_destroy(&r->lock);
    free(r);
}

/* Whoever aims at a collision only makes a slot forget. */
static size_t slot_index(const struct id *id, const char *user)
{
    return (id_slot(id, SLOTS) + str_hash(user, strlen(user))) % SLOTS;
}

void recent_tickets_put(struct recent_tickets *r, const struct id *id, const char *user,
                        int64_t expires_s, int64_t mono_us)
{
    pthread_mutex_lock(&r->lock);
    struct slot *s = &r->slots[slot_index(id, user)];
    s->id = *id;
    snprintf(s->user, sizeof s->user, "%s", user);
    s->expires_s = expires_s;
    s->until_us = mono_us + LIFE_US;
    pthread_mutex_unlock(&r->lock);
}

int64_t recent_tickets_get(struct recent_tickets *r, const struct id *id, const char *user,
                           int64_t mono_us)
{
    int64_t expires_s = 0;
    pthread_mutex_lock(&r->lock);
    const struct slot *s = &r->slots[slot_index(id, user)];
    if (s->until_us > mono_us && id_compare(&s->id, id) == 0 && strcmp(s->user, user) == 0)
        expires_s = s->expires_s;
    pthread_mutex_unlock(&r->lock);
    return expires_s;
}
