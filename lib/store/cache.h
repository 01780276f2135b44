/* The contract of the cache. It decides nothing about money: every answer may be wrong, old or
 * missing. A struct cache is one connection, used by one thread at a time. */
#ifndef HONGBAO_STORE_CACHE_H
#define HONGBAO_STORE_CACHE_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_KEY_MAX 200 /* printable ASCII without space */
#define CACHE_VALUE_MAX 8192
#define CACHE_CAS_MAX 64 /* writes of one cas_all */

enum cache_result {
    CACHE_HIT,    /* get: value and cas are set */
    CACHE_MISS,   /* get: the server said it has none; cas: NOT_FOUND */
    CACHE_STORED, /* add, cas */
    CACHE_EXISTS, /* add: there is one; cas: changed since */
    CACHE_UNKNOWN /* time-out, error, lost connection: anything may have happened */
};

enum cache_hint { CACHE_HINT_ADD, CACHE_HINT_SET };

struct cache_item {
    char key[CACHE_KEY_MAX + 1]; /* in */
    char *value;                 /* in: where to put the value; NUL-terminated */
    size_t value_cap; /* in: its size; a value that does not fit reads as CACHE_HIT with len 0 */
    enum cache_result result; /* out */
    uint64_t cas;             /* out */
    uint64_t epoch;           /* out: the connection that cas belongs to */
    size_t len;               /* out */
};

struct cache_write {         /* a cas of many */
    struct cache_item *item; /* in: as it was got; out: as it is got anew */
    const char *value;
    size_t len;
    uint32_t ttl_s;
};

struct cache;
struct cache_ops {
    void (*close)(struct cache *c);
    /* One round trip for all items[0..n); each gets its own result. */
    void (*get)(struct cache *c, struct cache_item *items, size_t n);
    /* ttl_s: relative, 1..2592000. A cas after a reconnect since the get returns CACHE_UNKNOWN
     * without asking. */
    enum cache_result (*add)(struct cache *c, const char *key, const char *value, size_t len,
                             uint32_t ttl_s);
    enum cache_result (*cas)(struct cache *c, const struct cache_item *seen, const char *value,
                             size_t len, uint32_t ttl_s);
    /* Up to CACHE_CAS_MAX cas in one round trip: none is answered, but all items are read again after the
     * last. Whether a cas was stored shows in the value, which has to tell. CACHE_UNKNOWN as ever.
     */
    void (*cas_all)(struct cache *c, struct cache_write *writes, size_t n);
    /* Hints spare a round trip each: flush sends all that were given since the last one, to be
     * stored by add or, where no cas guards the item, by set, in their order. What became of them
     * is never told. wait: until the server has done them, so that whoever is told of it afterwards
     * finds them; no longer than any question may take. */
    void (*hint)(struct cache *c, enum cache_hint how, const char *key, const char *value,
                 size_t len, uint32_t ttl_s);
    void (*flush)(struct cache *c, bool wait);
};
struct cache {
    const struct cache_ops *ops;
};

#endif
