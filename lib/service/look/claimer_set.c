#include "lib/service/look/claimer_set.h"
#include "lib/base/str.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 512
#define WAYS 4
#define ROOM_MIN 32

struct slot {
    struct id id;
    uint64_t used; /* rises; 0: never */
    size_t n, room;
    uint64_t *users; /* their hashes, by seq */
};

/* A newcomer takes the place of whoever of his set was longest not asked for. */
struct set {
    pthread_mutex_t lock;
    uint64_t uses;
    struct slot slots[WAYS];
};

struct claimer_set {
    struct set sets[SETS];
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
            free(c->sets[i].slots[k].users);
    }
    free(c);
}

/* Whoever aims at a collision only makes others ask. */
static uint64_t user_hash(const char *user)
{
    return str_hash(user, strlen(user));
}

static struct set *enter(struct claimer_set *c, const struct id *id)
{
    struct set *set = &c->sets[id_slot(id, SETS)];
    pthread_mutex_lock(&set->lock);
    set->uses++;
    return set;
}

static void leave(struct set *set)
{
    pthread_mutex_unlock(&set->lock);
}

/* NULL: nothing is known of it. */
static struct slot *find(struct set *set, const struct id *id)
{
    for (size_t k = 0; k < WAYS; k++) {
        struct slot *slot = &set->slots[k];
        if (slot->n == 0 || id_compare(&slot->id, id) != 0)
            continue;
        slot->used = set->uses;
        return slot;
    }
    return NULL;
}

/* The slot of the longest not asked for, emptied. */
static struct slot *take(struct set *set, const struct id *id)
{
    struct slot *slot = &set->slots[0];
    for (size_t k = 1; k < WAYS; k++)
        if (set->slots[k].used < slot->used)
            slot = &set->slots[k];
    slot->id = *id;
    slot->used = set->uses;
    slot->n = 0;
    return slot;
}

static bool make_room(struct slot *slot)
{
    if (slot->n < slot->room)
        return true;
    size_t room = slot->room > 0 ? 2 * slot->room : ROOM_MIN;
    uint64_t *users = realloc(slot->users, room * sizeof *users);
    if (users == NULL)
        return false;
    slot->users = users;
    slot->room = room;
    return true;
}

int64_t claimer_set_known(struct claimer_set *c, const struct id *id)
{
    struct set *set = enter(c, id);
    const struct slot *slot = find(set, id);
    int64_t known = slot != NULL ? (int64_t)slot->n : 0;
    leave(set);
    return known;
}

void claimer_set_add(struct claimer_set *c, const struct id *id, const struct claim *claims,
                     size_t n)
{
    struct set *set = enter(c, id);
    struct slot *slot = find(set, id);
    if (slot == NULL && n > 0 && claims[0].seq == 1)
        slot = take(set, id);
    for (size_t i = 0; slot != NULL && i < n; i++)
        if (claims[i].seq == (int64_t)slot->n + 1 && slot->n < CLAIMER_SET_MAX && make_room(slot))
            slot->users[slot->n++] = user_hash(claims[i].user);
    leave(set);
}

void claimer_set_forget(struct claimer_set *c, const struct id *id)
{
    struct set *set = enter(c, id);
    struct slot *slot = find(set, id);
    if (slot != NULL)
        slot->n = 0;
    leave(set);
}

bool claimer_set_without(struct claimer_set *c, const struct id *id, int64_t opened,
                         const char *user)
{
    uint64_t hash = user_hash(user);
    if (opened == 0)
        return true;
    struct set *set = enter(c, id);
    const struct slot *slot = find(set, id);
    bool without = slot != NULL && (int64_t)slot->n >= opened;
    for (size_t i = 0; without && i < slot->n; i++)
        without = slot->users[i] != hash;
    leave(set);
    return without;
}
