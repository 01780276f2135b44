/* What memory_cache.c (the connections) and memory_cache_server.c (the table) share. */
#ifndef HONGBAO_TESTS_MEMORY_CACHE_INTERNAL_H
#define HONGBAO_TESTS_MEMORY_CACHE_INTERNAL_H

#include "tests/fake/memory_cache.h"
#include <pthread.h>

#define MEMORY_CACHE_ITEMS 4096

struct memory_item {
    char *key, *value; /* NULL: unused */
    size_t len;
    uint64_t cas;
    int64_t ends_us;
};

/* A hint on its way. */
struct memory_hint {
    enum cache_hint how;
    char *key, *value;
    size_t len;
    uint32_t ttl_s;
    struct memory_hint *next;
};
struct memory_hints {
    struct memory_hint *head, **tail;
};

struct memory_fault {
    enum memory_cache_fault fault;
    unsigned skip, times;
};

struct memory_cache {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct memory_item items[MEMORY_CACHE_ITEMS];
    uint64_t last_cas;
    unsigned life, connections; /* life: rises with every restart */
    bool away, in_hook;
    enum memory_cache_hints hints;
    struct memory_hints late;
    struct memory_fault faults[MEMORY_CACHE_OPS];
    unsigned calls[MEMORY_CACHE_OPS];
    void (*hook)(void *context, enum memory_cache_op op, const char *key);
    void *context;
};

/* All with m->lock held. */
/* Return the item of key that has not expired, or NULL. */
struct memory_item *memory_item_find(struct memory_cache *m, const char *key);
/* Store value under key, whatever is there, with a new cas id. Aborts if m is full or the contract
 * forbids the arguments. */
void memory_item_store(struct memory_cache *m, const char *key, const char *value, size_t len,
                       uint32_t ttl_s);
/* Apply the hints and free them. */
void memory_hints_apply(struct memory_cache *m, struct memory_hints *hints);
/* Free the hints. */
void memory_hints_drop(struct memory_hints *hints);
void memory_hints_init(struct memory_hints *hints);
/* Append a copy. */
void memory_hints_push(struct memory_hints *hints, enum cache_hint how, const char *key,
                       const char *value, size_t len, uint32_t ttl_s);
/* Move all of `from` behind those of `to`. */
void memory_hints_move(struct memory_hints *to, struct memory_hints *from);

#endif
