/* Every server has connections of its own and keys are distributed here, not by libmemcached, which
 * would mark a slow server dead and move its keys. Replies are matched with requests by key. */
#include "lib/store/memcached.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/store/memcached_link.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX 16
#define GET_MAX 256 /* keys of one get */
_Static_assert(CACHE_CAS_MAX <= GET_MAX, "cas_all reads its items with one get");

struct memcached {
    struct cache cache;
    size_t n;
    struct memcached_link servers[SERVERS_MAX];
};

/* The part of a key before its first '/' chooses the server; it is the same for all keys of an
 * envelope. */
static size_t server_index(const struct memcached *m, const char *key)
{
    return str_hash(key, strcspn(key, "/")) % m->n;
}

/* Report the outcome rc of a request to s, which failed if it is no outcome of the item. */
static void link_report(const struct memcached_link *s, memcached_return_t rc, bool failed)
{
    char text[192];
    if (!failed) {
        server_state_answered(s->state, true);
        return;
    }
    snprintf(text, sizeof text, "%s: %s", s->name, memcached_strerror(NULL, rc));
    server_state_failed(s->state, SERVER_UNREACHABLE, (unsigned)rc, text);
}

static void take_result(struct cache_item *item, const memcached_result_st *result, uint64_t epoch)
{
    size_t len = memcached_result_length(result);
    item->result = CACHE_HIT;
    item->cas = memcached_result_cas(result);
    item->epoch = epoch;
    item->len = 0;
    if (len < item->value_cap) {
        memcpy(item->value, memcached_result_value(result), len);
        item->len = len;
    }
    item->value[item->len] = '\0';
}

/* Read the replies to a get until its end. They come in the order of the keys, without the misses.
 * Unless this returns MEMCACHED_SUCCESS the connection is unusable and items not found are unknown.
 */
static memcached_return_t get_drain(struct memcached_link *s, struct cache_item **wanted, size_t n)
{
    memcached_result_st result;
    memcached_return_t rc = MEMCACHED_SUCCESS;
    size_t at = 0;
    if (memcached_result_create(s->link, &result) == NULL)
        return MEMCACHED_MEMORY_ALLOCATION_FAILURE;
    while (memcached_fetch_result(s->link, &result, &rc) != NULL) {
        const char *key = memcached_result_key_value(&result);
        size_t key_len = memcached_result_key_length(&result);
        while (at < n &&
               (strlen(wanted[at]->key) != key_len || memcmp(wanted[at]->key, key, key_len) != 0))
            at++;
        if (at == n) {
            rc = MEMCACHED_PROTOCOL_ERROR;
            break;
        }
        take_result(wanted[at++], &result, s->epoch);
    }
    memcached_result_free(&result);
    return rc == MEMCACHED_END || rc == MEMCACHED_NOTFOUND ? MEMCACHED_SUCCESS : rc;
}

static memcached_return_t get_once(struct memcached_link *s, struct cache_item **wanted, size_t n)
{
    const char *keys[GET_MAX];
    size_t lengths[GET_MAX];
    for (size_t i = 0; i < n; i++) {
        keys[i] = wanted[i]->key;
        lengths[i] = strlen(keys[i]);
        wanted[i]->result = CACHE_MISS;
        wanted[i]->len = 0;
        wanted[i]->value[0] = '\0';
    }
    memcached_st *link = link_connect(s);
    if (link == NULL)
        return MEMCACHED_MEMORY_ALLOCATION_FAILURE;
    memcached_return_t rc = memcached_mget(link, keys, lengths, n);
    return rc == MEMCACHED_SUCCESS ? get_drain(s, wanted, n) : rc;
}

/* Set the result of all items to unknown and close the connection. */
static void get_fail(struct memcached_link *s, struct cache_item **wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wanted[i]->result = CACHE_UNKNOWN;
    link_drop(s);
}

/* A connection may be dead because the server was restarted. A get changes nothing, so repeat it
 * once on a new connection; but not after a time-out, when the server itself is slow. */
static void get_from(struct memcached_link *s, struct cache_item **wanted, size_t n)
{
    bool old = s->link != NULL;
    memcached_return_t rc = get_once(s, wanted, n);
    if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_TIMEOUT && old) {
        link_drop(s);
        rc = get_once(s, wanted, n);
    }
    link_report(s, rc, rc != MEMCACHED_SUCCESS);
    if (rc != MEMCACHED_SUCCESS)
        get_fail(s, wanted, n);
}

static void memcached_get_items(struct cache *c, struct cache_item *items, size_t n)
{
    struct memcached *m = (struct memcached *)c;
    for (size_t start = 0; start < n; start += GET_MAX) {
        size_t end = n - start > GET_MAX ? start + GET_MAX : n;
        for (size_t s = 0; s < m->n; s++) {
            struct cache_item *wanted[GET_MAX];
            size_t count = 0;
            for (size_t i = start; i < end; i++)
                if (server_index(m, items[i].key) == s)
                    wanted[count++] = &items[i];
            if (count > 0)
                get_from(&m->servers[s], wanted, count);
        }
    }
}

static enum cache_result store_result(struct memcached_link *s, memcached_return_t rc)
{
    switch (rc) {
    case MEMCACHED_SUCCESS:
    case MEMCACHED_STORED:
        return CACHE_STORED;
    case MEMCACHED_NOTSTORED:
    case MEMCACHED_DATA_EXISTS:
        return CACHE_EXISTS;
    case MEMCACHED_NOTFOUND:
        return CACHE_MISS;
    default:
        link_report(s, rc, true);
        link_drop(s); /* the next bytes on it would answer this request */
        return CACHE_UNKNOWN;
    }
}

static enum cache_result memcached_add_item(struct cache *c, const char *key, const char *value,
                                            size_t len, uint32_t ttl_s)
{
    struct memcached *m = (struct memcached *)c;
    struct memcached_link *s = &m->servers[server_index(m, key)];
    memcached_st *link = link_connect(s);
    if (link == NULL)
        return CACHE_UNKNOWN;
    return store_result(s, memcached_add(link, key, strlen(key), value, len, (time_t)ttl_s, 0));
}

static enum cache_result memcached_cas_item(struct cache *c, const struct cache_item *seen,
                                            const char *value, size_t len, uint32_t ttl_s)
{
    struct memcached *m = (struct memcached *)c;
    struct memcached_link *s = &m->servers[server_index(m, seen->key)];
    if (s->link == NULL || s->epoch != seen->epoch)
        return CACHE_UNKNOWN;
    return store_result(s, memcached_cas(s->link, seen->key, strlen(seen->key), value, len,
                                         (time_t)ttl_s, 0, seen->cas));
}

/* noreply: if the server reports an error anyway, the next read fails to parse and the connection
 * is closed. */
static bool send_cas(struct memcached_link *s, const struct cache_write *w)
{
    const struct cache_item *item = w->item;
    if (s->link == NULL || s->epoch != item->epoch)
        return false;
    memcached_behavior_set(s->link, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    memcached_return_t rc = memcached_cas(s->link, item->key, strlen(item->key), w->value, w->len,
                                          (time_t)w->ttl_s, 0, item->cas);
    memcached_behavior_set(s->link, MEMCACHED_BEHAVIOR_NOREPLY, 0);
    if (rc == MEMCACHED_SUCCESS || rc == MEMCACHED_STORED)
        return true;
    link_drop(s);
    return false;
}

/* The items are read again over the connection that carried the writes, without a retry on another
 * one: that could return values older than the writes. */
static void memcached_cas_all(struct cache *c, struct cache_write *writes, size_t n)
{
    struct memcached *m = (struct memcached *)c;
    for (size_t at = 0; at < m->n; at++) {
        struct memcached_link *s = &m->servers[at];
        struct cache_item *wanted[GET_MAX];
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            if (server_index(m, writes[i].item->key) != at)
                continue;
            writes[i].item->result = CACHE_UNKNOWN;
            if (count < GET_MAX && send_cas(s, &writes[i]))
                wanted[count++] = writes[i].item;
        }
        if (count > 0 && (s->link == NULL || get_once(s, wanted, count) != MEMCACHED_SUCCESS))
            get_fail(s, wanted, count);
    }
}

static void memcached_hint(struct cache *c, enum cache_hint how, const char *key, const char *value,
                           size_t len, uint32_t ttl_s)
{
    struct memcached *m = (struct memcached *)c;
    struct memcached_link *s = &m->servers[server_index(m, key)];
    memcached_st *link = s->hints_failed ? NULL : link_hints(s);
    if (link == NULL)
        return;
    memcached_return_t rc =
        how == CACHE_HINT_ADD ? memcached_add(link, key, strlen(key), value, len, (time_t)ttl_s, 0)
                              : memcached_set(link, key, strlen(key), value, len, (time_t)ttl_s, 0);
    s->hints_given = true;
    if (rc != MEMCACHED_BUFFERED && rc != MEMCACHED_SUCCESS)
        link_drop_hints(s);
}

static void memcached_flush_hints(struct cache *c, bool wait)
{
    struct memcached *m = (struct memcached *)c;
    for (size_t i = 0; i < m->n; i++) {
        struct memcached_link *s = &m->servers[i];
        if (s->hints != NULL && memcached_flush_buffers(s->hints) != MEMCACHED_SUCCESS)
            link_drop_hints(s);
        if (wait && s->hints != NULL && s->hints_given)
            link_wait_for_hints(s);
        s->hints_given = s->hints_failed = false;
    }
}

static void memcached_close(struct cache *c)
{
    struct memcached *m = (struct memcached *)c;
    for (size_t i = 0; i < m->n; i++) {
        link_drop(&m->servers[i]);
        link_drop_hints(&m->servers[i]);
    }
    free(m);
}

static const struct cache_ops memcached_ops = {
    .close = memcached_close,
    .get = memcached_get_items,
    .add = memcached_add_item,
    .cas = memcached_cas_item,
    .cas_all = memcached_cas_all,
    .hint = memcached_hint,
    .flush = memcached_flush_hints,
};

struct cache *memcached_cache_new(const char *servers, unsigned timeout_ms,
                                  struct server_state *state)
{
    struct memcached *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->cache.ops = &memcached_ops;
    const char *at = servers;
    for (struct memcached_link *s = m->servers;
         m->n < SERVERS_MAX && str_item(&at, s->name, sizeof s->name); s++, m->n++) {
        s->timeout_ms = timeout_ms;
        s->state = state;
    }
    if (m->n == 0) {
        log_event(LOG_LEVEL_ERROR, "cache_servers_invalid", "%s", servers);
        free(m);
        return NULL;
    }
    return &m->cache;
}
