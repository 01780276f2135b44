/* A set-associative table with a lock per set. A page that learns a claim is replaced by a new one:
 * readers still hold the old page. */
#include "lib/service/look/page_cache.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 512
#define WAYS 4

struct page_way {
    uint64_t used;     /* the set's count of uses at its last use */
    struct page *page; /* NULL: empty */
};

/* A new page replaces the least recently used one of its set. */
struct page_set {
    pthread_mutex_t lock;
    uint64_t uses;
    struct page_way ways[WAYS];
};

struct page_cache {
    struct page_set sets[SETS];
};

/* ---- pages ---- */

/* A page with room for n claims; n_claims is 0. */
static struct page *page_alloc(const struct envelope *e, int64_t after_seq, size_t limit, size_t n)
{
    struct page *page = malloc(sizeof *page + n * sizeof page->claims[0]);
    if (page == NULL)
        return NULL;
    atomic_init(&page->holders, 1);
    page->after_seq = after_seq;
    page->limit = limit;
    page->next_seq = 0;
    page->envelope = *e;
    page->n_claims = 0;
    return page;
}

struct page *page_new(const struct envelope *e, int64_t after_seq, size_t limit,
                      const struct claim *claims, size_t n)
{
    struct page *page = page_alloc(e, after_seq, limit, n);
    if (page == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        page->claims[page->n_claims++] = claims[i];
    if (n > 0 && n == limit && claims[n - 1].seq < e->opened_shares)
        page->next_seq = claims[n - 1].seq;
    return page;
}

void page_release(struct page *page)
{
    if (page != NULL && atomic_fetch_sub(&page->holders, 1) == 1)
        free(page);
}

static struct page *page_hold(struct page *page)
{
    atomic_fetch_add(&page->holders, 1);
    return page;
}

static bool page_is_of(const struct page *page, const struct id *id)
{
    return page != NULL && id_compare(&page->envelope.id, id) == 0;
}

/* Add the claim that follows those the envelope has. A page that is not full and has no successor
 * shows it; page has room for it. Return false if c is not the next claim. */
static bool page_append(struct page *page, const struct claim *c)
{
    if (!envelope_learn(&page->envelope, c))
        return false;
    if (page->next_seq != 0 || c->seq <= page->after_seq)
        return true;
    if (page->n_claims < page->limit)
        page->claims[page->n_claims++] = *c;
    else
        page->next_seq = page->claims[page->limit - 1].seq;
    return true;
}

/* Return page as it is after claims[0..n), or NULL if they do not follow or memory is exhausted. */
static struct page *page_after_claims(const struct page *page, const struct claim *claims, size_t n)
{
    struct page *next =
        page_alloc(&page->envelope, page->after_seq, page->limit, page->n_claims + n);
    if (next == NULL)
        return NULL;
    next->next_seq = page->next_seq;
    for (size_t i = 0; i < page->n_claims; i++)
        next->claims[next->n_claims++] = page->claims[i];
    for (size_t i = 0; i < n; i++)
        if (!page_append(next, &claims[i])) {
            page_release(next);
            return NULL;
        }
    return next;
}

/* ---- the table ---- */

struct page_cache *page_cache_new(void)
{
    struct page_cache *cache = calloc(1, sizeof *cache);
    for (size_t i = 0; cache != NULL && i < SETS; i++)
        pthread_mutex_init(&cache->sets[i].lock, NULL);
    return cache;
}

void page_cache_free(struct page_cache *cache)
{
    for (size_t i = 0; cache != NULL && i < SETS; i++) {
        pthread_mutex_destroy(&cache->sets[i].lock);
        for (size_t k = 0; k < WAYS; k++)
            page_release(cache->sets[i].ways[k].page);
    }
    free(cache);
}

static struct page_set *page_cache_lock(struct page_cache *cache, const struct id *id)
{
    struct page_set *set = &cache->sets[id_slot(id, SETS)];
    pthread_mutex_lock(&set->lock);
    return set;
}

/* Lock held. The page in whatever version, or NULL. */
static struct page_way *page_set_find(struct page_set *set, const struct id *id, int64_t after_seq,
                                      size_t limit)
{
    for (size_t k = 0; k < WAYS; k++) {
        const struct page *page = set->ways[k].page;
        if (page_is_of(page, id) && page->after_seq == after_seq && page->limit == limit)
            return &set->ways[k];
    }
    return NULL;
}

/* Lock held. */
static struct page_way *page_set_oldest(struct page_set *set)
{
    struct page_way *oldest = &set->ways[0];
    for (size_t k = 1; k < WAYS; k++)
        if (set->ways[k].used < oldest->used)
            oldest = &set->ways[k];
    return oldest;
}

void page_cache_put(struct page_cache *cache, struct page *page)
{
    const struct id *id = &page->envelope.id;
    struct page *replaced = NULL;
    struct page_set *set = page_cache_lock(cache, id);
    struct page_way *way = page_set_find(set, id, page->after_seq, page->limit);
    if (way == NULL || way->page->envelope.version <= page->envelope.version) {
        way = way != NULL ? way : page_set_oldest(set);
        replaced = way->page;
        *way = (struct page_way){.used = ++set->uses, .page = page_hold(page)};
    }
    pthread_mutex_unlock(&set->lock);
    page_release(replaced);
}

/* Lock held. */
static bool page_way_learn(struct page_way *way, int64_t version, const struct claim *claims,
                           size_t n)
{
    int64_t missing = version - way->page->envelope.version;
    if (missing < 1 || missing > (int64_t)n)
        return false;
    struct page *next =
        page_after_claims(way->page, claims + (n - (size_t)missing), (size_t)missing);
    if (next == NULL)
        return false;
    page_release(way->page);
    way->page = next;
    return true;
}

bool page_cache_learn(struct page_cache *cache, const struct id *id, int64_t version,
                      const struct claim *claims, size_t n)
{
    bool learned = false;
    struct page_set *set = page_cache_lock(cache, id);
    for (size_t k = 0; k < WAYS; k++)
        if (page_is_of(set->ways[k].page, id))
            learned |= page_way_learn(&set->ways[k], version, claims, n);
    pthread_mutex_unlock(&set->lock);
    return learned;
}

void page_cache_forget(struct page_cache *cache, const struct id *id)
{
    struct page_set *set = page_cache_lock(cache, id);
    for (size_t k = 0; k < WAYS; k++)
        if (page_is_of(set->ways[k].page, id)) {
            page_release(set->ways[k].page);
            set->ways[k] = (struct page_way){.page = NULL};
        }
    pthread_mutex_unlock(&set->lock);
}

struct page *page_cache_get(struct page_cache *cache, const struct id *id, int64_t version,
                            int64_t after_seq, size_t limit)
{
    struct page *page = NULL;
    struct page_set *set = page_cache_lock(cache, id);
    struct page_way *way = page_set_find(set, id, after_seq, limit);
    if (way != NULL && way->page->envelope.version >= version) {
        way->used = ++set->uses;
        page = page_hold(way->page);
    }
    pthread_mutex_unlock(&set->lock);
    return page;
}
