#include "lib/service/grab/closed_table.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16384
#define STRIPES 64

struct slot {
    struct id id;
    enum envelope_state state;
};

struct closed_table {
    pthread_mutex_t locks[STRIPES];
    struct slot slots[SLOTS];
};

struct closed_table *closed_table_new(void)
{
    struct closed_table *c = calloc(1, sizeof *c);
    for (size_t i = 0; c != NULL && i < STRIPES; i++)
        pthread_mutex_init(&c->locks[i], NULL);
    return c;
}

void closed_table_free(struct closed_table *c)
{
    for (size_t i = 0; c != NULL && i < STRIPES; i++)
        pthread_mutex_destroy(&c->locks[i]);
    free(c);
}

void closed_table_put(struct closed_table *c, const struct id *id, enum envelope_state state)
{
    assert(state != STATE_OPEN);
    size_t i = id_slot(id, SLOTS);
    pthread_mutex_lock(&c->locks[i % STRIPES]);
    c->slots[i] = (struct slot){.id = *id, .state = state};
    pthread_mutex_unlock(&c->locks[i % STRIPES]);
}

enum envelope_state closed_table_get(struct closed_table *c, const struct id *id)
{
    size_t i = id_slot(id, SLOTS);
    enum envelope_state state = STATE_OPEN;
    pthread_mutex_lock(&c->locks[i % STRIPES]);
    if (id_compare(&c->slots[i].id, id) == 0)
        state = c->slots[i].state;
    pthread_mutex_unlock(&c->locks[i % STRIPES]);
    return state;
}
