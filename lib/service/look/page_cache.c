#include "lib/service/look/page_cache.h"
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

struct page_cache {
    struct set sets[SETS];
};

struct page_cache *page_cache_new(void)
{
    struct page_cache *v = calloc(1, sizeof *v);
    for (size_t i = 0; v != NULL && i < SETS; i++)
        pthread_mutex_init(&v->sets[i].lock, NULL);
    return v;
}

void page_cache_free(struct page_cache *v)
{
    for (size_t i = 0; v != NULL && i < SETS; i++) {
        pthread_mutex_destroy(&v->sets[i].lock);
        for (size_t k = 0; k < WAYS; k++)
            free(v->sets[i].slots[k].view);
    }
    free(v);
}

/* The page of that envelope, in whatever version; NULL: it is not remembered. */
static struct slot *find(struct set *set, const struct id *id, int64_t after_seq, size_t limit)
{
    for (size_t k = 0; k < WAYS; k++) {
        struct slot *slot = &set->slots[k];
        if (slot->view != NULL && id_compare(&slot->view->envelope.id, id) == 0 &&
            slot->after_seq == after_seq && slot->limit == limit)
            return slot;
    }
    return NULL;
}

/* The one that was longest not asked for. */
static struct slot *oldest(struct set *set)
{
    struct slot *slot = &set->slots[0];
    for (size_t k = 1; k < WAYS; k++)
        if (set->slots[k].used < slot->used)
            slot = &set->slots[k];
    return slot;
}

static size_t view_size(const struct envelope_view *view)
{
    return offsetof(struct envelope_view, claims) + view->n_claims * sizeof view->claims[0];
}

void page_cache_put(struct page_cache *v, const struct envelope_view *view, int64_t after_seq,
                    size_t limit)
{
    struct set *set = &v->sets[id_slot(&view->envelope.id, SETS)];
    struct envelope_view *copy = malloc(view_size(view));
    if (copy == NULL)
        return;
    memcpy(copy, view, view_size(view));
    copy->has_mine = false;
    pthread_mutex_lock(&set->lock);
    struct slot *slot = find(set, &view->envelope.id, after_seq, limit);
    struct envelope_view *old = copy;
    if (slot == NULL || slot->view->envelope.version <= view->envelope.version) {
        slot = slot != NULL ? slot : oldest(set);
        old = slot->view;
        *slot = (struct slot){.after_seq = after_seq,
                              .next_seq = view->next_seq,
                              .limit = limit,
                              .used = ++set->uses,
                              .view = copy};
    }
    pthread_mutex_unlock(&set->lock);
    free(old);
}

/* The page of view with one claim more, the next one after those that the envelope has. A page that
 * is not full had all of them. False: the view is as it was. */
static bool learn_claim(struct slot *slot, const struct claim *c)
{
    struct envelope_view *view = slot->view;
    bool had_all = slot->next_seq == 0 && c->seq > slot->after_seq;
    if (had_all && view->n_claims < slot->limit) {
        view = realloc(slot->view, view_size(view) + sizeof view->claims[0]);
        if (view == NULL)
            return false;
        slot->view = view;
    }
    if (!envelope_learn(&view->envelope, c))
        return false;
    if (had_all && view->n_claims < slot->limit)
        view->claims[view->n_claims++] = *c;
    else if (had_all)
        slot->next_seq = view->claims[slot->limit - 1].seq;
    return true;
}

static bool learn_claims(struct slot *slot, int64_t version, const struct claim *claims, size_t n)
{
    int64_t missing = version - slot->view->envelope.version;
    if (missing < 1 || missing > (int64_t)n)
        return false;
    for (size_t i = n - (size_t)missing; i < n; i++)
        if (!learn_claim(slot, &claims[i]))
            return false;
    return true;
}

bool page_cache_learn(struct page_cache *v, const struct id *id, int64_t version,
                      const struct claim *claims, size_t n)
{
    struct set *set = &v->sets[id_slot(id, SETS)];
    bool learned = false;
    pthread_mutex_lock(&set->lock);
    for (size_t k = 0; k < WAYS; k++) {
        struct slot *slot = &set->slots[k];
        if (slot->view != NULL && id_compare(&slot->view->envelope.id, id) == 0)
            learned |= learn_claims(slot, version, claims, n);
    }
    pthread_mutex_unlock(&set->lock);
    return learned;
}

void page_cache_forget(struct page_cache *v, const struct id *id)
{
    struct set *set = &v->sets[id_slot(id, SETS)];
    pthread_mutex_lock(&set->lock);
    for (size_t k = 0; k < WAYS; k++) {
        struct slot *slot = &set->slots[k];
        if (slot->view == NULL || id_compare(&slot->view->envelope.id, id) != 0)
            continue;
        free(slot->view);
        *slot = (struct slot){.view = NULL};
    }
    pthread_mutex_unlock(&set->lock);
}

bool page_cache_get(struct page_cache *v, const struct id *id, int64_t version, int64_t after_seq,
                    size_t limit, struct envelope_view *out)
{
    struct set *set = &v->sets[id_slot(id, SETS)];
    pthread_mutex_lock(&set->lock);
    struct slot *slot = find(set, id, after_seq, limit);
    bool found = slot != NULL && slot->view->envelope.version >= version;
    if (found) {
        memcpy(out, slot->view, view_size(slot->view));
        out->next_seq = slot->next_seq;
        slot->used = ++set->uses;
    }
    pthread_mutex_unlock(&set->lock);
    return found;
}
