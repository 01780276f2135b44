/* The table of closed envelopes. Most grabs of a popular envelope come after its end; this is where
 * a process answers them if the web server's marker did not. */
#include "lib/service/grab/closed_table.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define ENTRIES 16384
#define STRIPES 64

struct closed_entry {
    struct id id;
    enum envelope_state state;
    bool restricted;
};

struct closed_table {
    pthread_mutex_t locks[STRIPES]; /* lock i: of the entries i, i + STRIPES, ... */
    struct closed_entry entries[ENTRIES];
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

void closed_table_put(struct closed_table *c, const struct id *id, enum envelope_state state,
                      bool restricted)
{
    assert(state != STATE_OPEN);
    size_t i = id_slot(id, ENTRIES);
    pthread_mutex_lock(&c->locks[i % STRIPES]);
    c->entries[i] = (struct closed_entry){.id = *id, .state = state, .restricted = restricted};
    pthread_mutex_unlock(&c->locks[i % STRIPES]);
}

enum envelope_state closed_table_get(struct closed_table *c, const struct id *id, bool *restricted)
{
    size_t i = id_slot(id, ENTRIES);
    enum envelope_state state = STATE_OPEN;
    *restricted = false;
    pthread_mutex_lock(&c->locks[i % STRIPES]);
    if (id_compare(&c->entries[i].id, id) == 0) {
        state = c->entries[i].state;
        *restricted = c->entries[i].restricted;
    }
    pthread_mutex_unlock(&c->locks[i % STRIPES]);
    return state;
}
