#include "lib/service/views.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SETS 512
#define WAYS 4 /* about 12 KiB each, once used */

struct slot {
    int64_t after_seq, next_seq;
    size_t limit;
    uint64_t used;              /* rises; 0: never */
    struct envelope_view *view; /* NULL: empty; as long as its claims need */
};

/* A newcomer takes the place of whoever of his set was longest not asked for. */
struct set {
    pthread_mutex_t lock;
    uint64_t uses;
    struct slot slots[WAYS];
};

struct views {
    struct set sets[SETS];
};

struct views *views_new(void)
{
    struct views *v = calloc(1, sizeof *v);
    for (size_t i = 0; v != NULL && i < SETS; i++)
        pthread_mutex_init(&v->sets[i].lock, NULL);
    return v;
}

void views_free(struct views *v)
{
    for (size_t i = 0; v != NULL && i < SETS; i++) {
        pthread_mutex_destroy(&v->sets[i].lock);
        for (size_t k = 0; k < WAYS; k++)
            free(v->sets[i].slots[k].view);
    }
    free(v);
}

/* The page of that envelope, in whatever version; else the one to give up for it. */
static struct slot *slot_of(struct set *set, const struct id *id, int64_t after_seq, size_t limit)
{
    struct slot *oldest = &set->slots[0];
    for (size_t k = 0; k < WAYS; k++) {
        struct slot *slot = &set->slots[k];
        if (slot->view != NULL && id_compare(&slot->view->envelope.id, id) == 0 &&
            slot->after_seq == after_seq && slot->limit == limit)
            return slot;
        if (slot->used < oldest->used)
            oldest = slot;
    }
    return oldest;
}

static size_t view_size(const struct envelope_view *view)
{
    return offsetof(struct envelope_view, claims) + view->n_claims * sizeof view->claims[0];
}

void views_put(struct views *v, const struct envelope_view *view, int64_t after_seq, size_t limit)
{
    struct set *set = &v->sets[id_slot(&view->envelope.id, SETS)];
    struct envelope_view *copy = malloc(view_size(view));
    if (copy == NULL)
        return;
    memcpy(copy, view, view_size(view));
    copy->has_mine = false;
    pthread_mutex_lock(&set->lock);
    struct slot *slot = slot_of(set, &view->envelope.id, after_seq, limit);
    struct envelope_view *old = slot->view;
    *slot = (struct slot){.after_seq = after_seq,
                          .next_seq = view->next_seq,
                          .limit = limit,
                          .used = ++set->uses,
                          .view = copy};
    pthread_mutex_unlock(&set->lock);
    free(old);
}

bool views_get(struct views *v, const struct id *id, int64_t version, int64_t after_seq,
               size_t limit, struct envelope_view *out)
{
    struct set *set = &v->sets[id_slot(id, SETS)];
    pthread_mutex_lock(&set->lock);
    struct slot *slot = slot_of(set, id, after_seq, limit);
    const struct envelope_view *view = slot->view;
    bool found = view != NULL && id_compare(&view->envelope.id, id) == 0 &&
                 view->envelope.version == version && slot->after_seq == after_seq &&
                 slot->limit == limit;
    if (found) {
        memcpy(out, view, view_size(view));
        out->next_seq = slot->next_seq;
        slot->used = ++set->uses;
    }
    pthread_mutex_unlock(&set->lock);
    return found;
}
