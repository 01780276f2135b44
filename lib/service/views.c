#include "lib/service/views.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 2048 /* about 12 KiB each, once used */

/* A newcomer takes the place of whoever was there. */
struct slot {
    pthread_mutex_t lock;
    int64_t after_seq, next_seq;
    size_t limit;
    struct envelope_view *view; /* NULL: empty; as long as its claims need */
};

struct views {
    struct slot slots[SLOTS];
};

struct views *views_new(void)
{
    struct views *v = calloc(1, sizeof *v);
    for (size_t i = 0; v != NULL && i < SLOTS; i++)
        pthread_mutex_init(&v->slots[i].lock, NULL);
    return v;
}

void views_free(struct views *v)
{
    for (size_t i = 0; v != NULL && i < SLOTS; i++) {
        pthread_mutex_destroy(&v->slots[i].lock);
        free(v->slots[i].view);
    }
    free(v);
}

static struct slot *slot_of(struct views *v, const struct id *id)
{
    uint32_t index; /* the last bytes of an id are random */
    memcpy(&index, id->b + ID_SIZE - sizeof index, sizeof index);
    return &v->slots[index % SLOTS];
}

static size_t view_size(const struct envelope_view *view)
{
    return offsetof(struct envelope_view, claims) + view->n_claims * sizeof view->claims[0];
}

void views_put(struct views *v, const struct envelope_view *view, int64_t after_seq, size_t limit)
{
    struct slot *slot = slot_of(v, &view->envelope.id);
    struct envelope_view *copy = malloc(view_size(view));
    if (copy == NULL)
        return;
    memcpy(copy, view, view_size(view));
    copy->has_mine = false;
    pthread_mutex_lock(&slot->lock);
    struct envelope_view *old = slot->view;
    slot->after_seq = after_seq;
    slot->next_seq = view->next_seq;
    slot->limit = limit;
    slot->view = copy;
    pthread_mutex_unlock(&slot->lock);
    free(old);
}

bool views_get(struct views *v, const struct id *id, int64_t version, int64_t after_seq,
               size_t limit, struct envelope_view *out)
{
    struct slot *slot = slot_of(v, id);
    pthread_mutex_lock(&slot->lock);
    const struct envelope_view *view = slot->view;
    bool found = view != NULL && id_compare(&view->envelope.id, id) == 0 &&
                 view->envelope.version == version && slot->after_seq == after_seq &&
                 slot->limit == limit;
    if (found) {
        memcpy(out, view, view_size(view));
        out->next_seq = slot->next_seq;
    }
    pthread_mutex_unlock(&slot->lock);
    return found;
}
