/* The contract of the cache. It decides nothing about money: every answer may be wrong, old or
 * missing. A struct cache is one connection to each server, used by one thread at a time. No
 * function blocks for much longer than the time-out with which the cache was made. */
#ifndef HONGBAO_STORE_CACHE_H
#define HONGBAO_STORE_CACHE_H

#include "lib/base/batch_max.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_KEY_MAX 200       /* printable ASCII without space */
#define CACHE_CAS_MAX BATCH_MAX /* writes of one cas_all */

enum cache_result {
    CACHE_HIT,    /* get: value and cas are set */
    CACHE_MISS,   /* get: the server has no such item; cas: the item is gone */
    CACHE_STORED, /* add, cas */
    CACHE_EXISTS, /* add: there is an item; cas: it has changed since the get */
    CACHE_UNKNOWN /* time-out, error, lost connection: anything may have happened */
};

enum cache_hint { CACHE_HINT_ADD, CACHE_HINT_SET };

struct cache_item {
    char key[CACHE_KEY_MAX + 1]; /* in */
    char *value;                 /* in: buffer for the value, which is NUL-terminated */
    size_t value_cap; /* in: its size; a value that does not fit reads as CACHE_HIT with len 0 */
    enum cache_result result; /* out */
    uint64_t cas;             /* out: the version of the item, for cas */
    uint64_t epoch;           /* out: the connection that cas belongs to */
    size_t len;               /* out: bytes of value, without the NUL */
};

struct cache_write {         /* one write of cas_all */
    struct cache_item *item; /* in: as read; out: as read again after the writes */
    const char *value;       /* in: the new value, len bytes */
    size_t len;
    uint32_t ttl_s; /* in: 1..2592000 */
};

struct cache;
struct cache_ops {
    /* Close the connections and free c. Hints that were not flushed are lost. */
    void (*close)(struct cache *c);
    /* Read items[0..n) in one round trip per server; n is not limited. Each item gets its own
     * result: CACHE_HIT, CACHE_MISS or CACHE_UNKNOWN. */
    void (*get)(struct cache *c, struct cache_item *items, size_t n);
    /* Store value[0..len) under key unless the key exists. The item expires after ttl_s seconds,
     * 1..2592000. CACHE_STORED, CACHE_EXISTS or CACHE_UNKNOWN. */
    enum cache_result (*add)(struct cache *c, const char *key, const char *value, size_t len,
                             uint32_t ttl_s);
    /* Replace the item that get read as *seen by value[0..len) if it has not changed since. It
     * expires after ttl_s seconds, 1..2592000. CACHE_STORED, CACHE_EXISTS, CACHE_MISS or
     * CACHE_UNKNOWN; the last without a request to the server if the connection is not the one that
     * *seen was read over. */
    enum cache_result (*cas)(struct cache *c, const struct cache_item *seen, const char *value,
                             size_t len, uint32_t ttl_s);
    /* Perform writes[0..n), n <= CACHE_CAS_MAX, as cas without replies and then read all their
     * items again, in one round trip per server. Whether a write was stored shows in the value
     * read, so values must be unique. An item has the result of the get; CACHE_UNKNOWN also if its
     * connection is not the one that it was read over. */
    void (*cas_all)(struct cache *c, struct cache_write *writes, size_t n);
    /* Queue a write of value[0..len) under key, by add or set as selected by how; use set only for
     * items that no cas guards. It expires after ttl_s seconds, 1..2592000. The result is never
     * known. */
    void (*hint)(struct cache *c, enum cache_hint how, const char *key, const char *value,
                 size_t len, uint32_t ttl_s);
    /* Send the queued hints in their order. With wait, return only when the servers have executed
     * them or the time-out has passed, so that later readers find them. */
    void (*flush)(struct cache *c, bool wait);
};
struct cache {
    const struct cache_ops *ops;
};

#endif
