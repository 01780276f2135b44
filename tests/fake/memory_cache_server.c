/* The table of a fake memcached, and what a test does to it from outside. A linear search: tests
 * have few items. */
#include "lib/wire/envelope_value.h"
#include "tests/fake/memory_cache_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MAX_S 2592000 /* memcached takes more for a point in time */
#define DAY_S 86400

static int64_t memory_now_us(const struct memory_cache *m)
{
    return m->clock->mono_us(m->clock->self);
}

static void memory_item_free(struct memory_item *item)
{
    free(item->key);
    free(item->value);
    *item = (struct memory_item){.key = NULL};
}

static char *memory_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    assert(copy != NULL);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

struct memory_item *memory_item_find(struct memory_cache *m, const char *key)
{
    for (size_t i = 0; i < MEMORY_CACHE_ITEMS; i++) {
        struct memory_item *item = &m->items[i];
        if (item->key == NULL || strcmp(item->key, key) != 0)
            continue;
        if (item->ends_us > memory_now_us(m))
            return item;
        memory_item_free(item);
    }
    return NULL;
}

static void memory_check_key(const char *key)
{
    size_t len = strlen(key);
    assert(len >= 1 && len <= CACHE_KEY_MAX);
    for (size_t i = 0; i < len; i++)
        assert(key[i] >= '!' && key[i] <= '~');
}

static struct memory_item *memory_item_unused(struct memory_cache *m)
{
    size_t i = 0;
    while (i < MEMORY_CACHE_ITEMS && m->items[i].key != NULL)
        i++;
    assert(i < MEMORY_CACHE_ITEMS);
    return &m->items[i];
}

void memory_item_store(struct memory_cache *m, const char *key, const char *value, size_t len,
                       uint32_t ttl_s)
{
    memory_check_key(key);
    assert(ttl_s >= 1 && ttl_s <= TTL_MAX_S);
    assert(len <= ENVELOPE_VALUE_TEXT_SIZE); /* no service writes a longer value */
    struct memory_item *item = memory_item_find(m, key);
    char *copy = memory_copy(value, len);
    if (item != NULL)
        memory_item_free(item);
    else
        item = memory_item_unused(m);
    *item = (struct memory_item){.key = memory_copy(key, strlen(key)),
                                 .value = copy,
                                 .len = len,
                                 .cas = ++m->last_cas,
                                 .ends_us = memory_now_us(m) + ttl_s * US_PER_S};
}

void memory_hints_init(struct memory_hints *hints)
{
    hints->head = NULL;
    hints->tail = &hints->head;
}

void memory_hints_push(struct memory_hints *hints, enum cache_hint how, const char *key,
                       const char *value, size_t len, uint32_t ttl_s)
{
    struct memory_hint *hint = malloc(sizeof *hint);
    assert(hint != NULL);
    *hint = (struct memory_hint){.how = how,
                                 .key = memory_copy(key, strlen(key)),
                                 .value = memory_copy(value, len),
                                 .len = len,
                                 .ttl_s = ttl_s};
    *hints->tail = hint;
    hints->tail = &hint->next;
}

void memory_hints_move(struct memory_hints *to, struct memory_hints *from)
{
    if (from->head == NULL)
        return;
    *to->tail = from->head;
    to->tail = from->tail;
    memory_hints_init(from);
}

void memory_hints_apply(struct memory_cache *m, struct memory_hints *hints)
{
    for (const struct memory_hint *h = hints->head; h != NULL; h = h->next)
        if (h->how == CACHE_HINT_SET || memory_item_find(m, h->key) == NULL)
            memory_item_store(m, h->key, h->value, h->len, h->ttl_s);
    memory_hints_drop(hints);
}

void memory_hints_drop(struct memory_hints *hints)
{
    while (hints->head != NULL) {
        struct memory_hint *hint = hints->head;
        hints->head = hint->next;
        free(hint->key);
        free(hint->value);
        free(hint);
    }
    memory_hints_init(hints);
}

struct memory_cache *memory_cache_new(const struct clock *clock)
{
    struct memory_cache *m = calloc(1, sizeof *m);
    assert(m != NULL);
    m->clock = clock;
    m->life = 1;
    memory_hints_init(&m->late);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

static void memory_cache_clear(struct memory_cache *m)
{
    for (size_t i = 0; i < MEMORY_CACHE_ITEMS; i++)
        memory_item_free(&m->items[i]);
    memory_hints_drop(&m->late);
}

void memory_cache_free(struct memory_cache *m)
{
    assert(m->connections == 0);
    memory_cache_clear(m);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void memory_cache_restart(struct memory_cache *m)
{
    pthread_mutex_lock(&m->lock);
    memory_cache_clear(m);
    m->last_cas = 0;
    m->life++;
    pthread_mutex_unlock(&m->lock);
}

void memory_cache_set_away(struct memory_cache *m, bool away)
{
    pthread_mutex_lock(&m->lock);
    m->away = away;
    pthread_mutex_unlock(&m->lock);
}

void memory_cache_evict(struct memory_cache *m, const char *key)
{
    pthread_mutex_lock(&m->lock);
    struct memory_item *item = memory_item_find(m, key);
    if (item != NULL)
        memory_item_free(item);
    pthread_mutex_unlock(&m->lock);
}

void memory_cache_put(struct memory_cache *m, const char *key, const char *value)
{
    pthread_mutex_lock(&m->lock);
    memory_item_store(m, key, value, strlen(value), DAY_S);
    pthread_mutex_unlock(&m->lock);
}

const char *memory_cache_look(struct memory_cache *m, const char *key)
{
    pthread_mutex_lock(&m->lock);
    const struct memory_item *item = memory_item_find(m, key);
    pthread_mutex_unlock(&m->lock);
    return item != NULL ? item->value : NULL;
}

int64_t memory_cache_life_s(struct memory_cache *m, const char *key)
{
    pthread_mutex_lock(&m->lock);
    const struct memory_item *item = memory_item_find(m, key);
    int64_t life_us = item != NULL ? item->ends_us - memory_now_us(m) : 0;
    pthread_mutex_unlock(&m->lock);
    return life_us / US_PER_S;
}

void memory_cache_fail(struct memory_cache *m, enum memory_cache_op op,
                       enum memory_cache_fault fault, unsigned skip, unsigned times)
{
    m->faults[op] = (struct memory_fault){.fault = fault, .skip = skip, .times = times};
}

void memory_cache_set_hints(struct memory_cache *m, enum memory_cache_hints what)
{
    m->hints = what;
}

void memory_cache_deliver(struct memory_cache *m)
{
    pthread_mutex_lock(&m->lock);
    memory_hints_apply(m, &m->late);
    pthread_mutex_unlock(&m->lock);
}

void memory_cache_set_hook(struct memory_cache *m,
                           void (*hook)(void *context, enum memory_cache_op op, const char *key),
                           void *context)
{
    m->hook = hook;
    m->context = context;
}

unsigned memory_cache_calls(const struct memory_cache *m, enum memory_cache_op op)
{
    return m->calls[op];
}
