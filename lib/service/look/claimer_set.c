/* A set-associative table with a lock per set. Claims are added only in the order of seq, so a
 * count determines which of them are known. */
#include "lib/service/look/claimer_set.h"
#include "lib/base/str.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 512
#define WAYS 4
#define ROOM_MIN 32

struct claimers {
    struct id id;
    uint64_t used; /* the set's count of uses at its last use; 0: never */
    size_t n, room;
    uint64_t *users; /* hashes, by seq */
};

/* A new envelope replaces the least recently used one of its set. */
struct claimer_ways {
    pthread_mutex_t lock;
    uint64_t uses;
    struct claimers ways[WAYS];
};

struct claimer_set {
    struct claimer_ways sets[SETS];
};

struct claimer_set *claimer_set_new(void)
{
    struct claimer_set *c = calloc(1, sizeof *c);
    for (size_t i = 0; c != NULL && i < SETS; i++)
        pthread_mutex_init(&c->sets[i].lock, NULL);
    return c;
}

void claimer_set_free(struct claimer_set *c)
{
    for (size_t i = 0; c != NULL && i < SETS; i++) {
        pthread_mutex_destroy(&c->sets[i].lock);
        for (size_t k = 0; k < WAYS; k++)
            free(c->sets[i].ways[k].users);
    }
    free(c);
}

/* A deliberate collision only makes another user's look reach the database. */
static uint64_t user_hash(const char *user)
{
    return str_hash(user, strlen(user));
}

static struct claimer_ways *claimer_set_lock(struct claimer_set *c, const struct id *id)
{
    struct claimer_ways *set = &c->sets[id_slot(id, SETS)];
    pthread_mutex_lock(&set->lock);
    set->uses++;
    return set;
}

/* Lock held. Return NULL if nothing is known of id. */
static struct claimers *claimers_find(struct claimer_ways *set, const struct id *id)
{
    for (size_t k = 0; k < WAYS; k++) {
        struct claimers *known = &set->ways[k];
        if (known->n == 0 || id_compare(&known->id, id) != 0)
            continue;
        known->used = set->uses;
        return known;
    }
    return NULL;
}

/* Lock held. Give the least recently used place to id. */
static struct claimers *claimers_replace(struct claimer_ways *set, const struct id *id)
{
    struct claimers *oldest = &set->ways[0];
    for (size_t k = 1; k < WAYS; k++)
        if (set->ways[k].used < oldest->used)
            oldest = &set->ways[k];
    oldest->id = *id;
    oldest->used = set->uses;
    oldest->n = 0;
    return oldest;
}

static bool claimers_grow(struct claimers *known)
{
    if (known->n < known->room)
        return true;
    size_t room = known->room > 0 ? 2 * known->room : ROOM_MIN;
    uint64_t *users = realloc(known->users, room * sizeof *users);
    if (users == NULL)
        return false;
    known->users = users;
    known->room = room;
    return true;
}

int64_t claimer_set_known(struct claimer_set *c, const struct id *id)
{
    struct claimer_ways *set = claimer_set_lock(c, id);
    const struct claimers *known = claimers_find(set, id);
    int64_t n = known != NULL ? (int64_t)known->n : 0;
    pthread_mutex_unlock(&set->lock);
    return n;
}

void claimer_set_add(struct claimer_set *c, const struct id *id, const struct claim *claims,
                     size_t n)
{
    struct claimer_ways *set = claimer_set_lock(c, id);
    struct claimers *known = claimers_find(set, id);
    if (known == NULL && n > 0 && claims[0].seq == 1)
        known = claimers_replace(set, id);
    for (size_t i = 0; known != NULL && i < n; i++)
        if (claims[i].seq == (int64_t)known->n + 1 && known->n < CLAIMER_SET_MAX &&
            claimers_grow(known))
            known->users[known->n++] = user_hash(claims[i].user);
    pthread_mutex_unlock(&set->lock);
}

void claimer_set_forget(struct claimer_set *c, const struct id *id)
{
    struct claimer_ways *set = claimer_set_lock(c, id);
    struct claimers *known = claimers_find(set, id);
    if (known != NULL)
        known->n = 0;
    pthread_mutex_unlock(&set->lock);
}

bool claimer_set_without(struct claimer_set *c, const struct id *id, int64_t opened,
                         const char *user)
{
    uint64_t hash = user_hash(user);
    if (opened == 0)
        return true;
    struct claimer_ways *set = claimer_set_lock(c, id);
    const struct claimers *known = claimers_find(set, id);
    bool without = known != NULL && (int64_t)known->n >= opened;
    for (size_t i = 0; without && i < known->n; i++)
        without = known->users[i] != hash;
    pthread_mutex_unlock(&set->lock);
    return without;
}
