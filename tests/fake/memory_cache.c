/* Connections to a fake memcached. They die and connect again by the rules of memcached.c: a token
 * of a dead connection is never sent, and only a get may be repeated. */
#include "tests/fake/memory_cache_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct connection {
    struct cache cache;
    struct memory_cache *server;
    bool connected;
    unsigned life; /* of the server that it is connected to */
    uint64_t epoch;
    struct memory_hints hints; /* not flushed yet */
};

enum fate { FATE_DONE, FATE_NOT_DONE, FATE_REPLY_LOST };

static struct connection *connection_of(struct cache *c)
{
    return (struct connection *)c;
}

static void connection_call_hook(struct memory_cache *m, enum memory_cache_op op, const char *key)
{
    if (m->hook == NULL || m->in_hook)
        return;
    m->in_hook = true;
    m->hook(m->context, op, key);
    m->in_hook = false;
}

/* Calls the hook, takes the lock of the server, and returns what becomes of this operation. */
static enum fate connection_enter(struct connection *c, enum memory_cache_op op, const char *key)
{
    struct memory_cache *m = c->server;
    connection_call_hook(m, op, key);
    pthread_mutex_lock(&m->lock);
    m->calls[op]++;
    if (m->away)
        return FATE_NOT_DONE;
    struct memory_fault *f = &m->faults[op];
    if (f->times == 0)
        return FATE_DONE;
    if (f->skip > 0) {
        f->skip--;
        return FATE_DONE;
    }
    f->times--;
    return f->fault == MEMORY_CACHE_LOST_REPLY ? FATE_REPLY_LOST : FATE_NOT_DONE;
}

static void connection_leave(struct connection *c)
{
    pthread_mutex_unlock(&c->server->lock);
}

/* Makes sure of a connection. False: it is dead, which shows only now. */
static bool connection_alive(struct connection *c)
{
    if (!c->connected) {
        c->connected = true;
        c->life = c->server->life;
        c->epoch++;
    }
    return c->life == c->server->life;
}

static enum cache_result connection_lost(struct connection *c)
{
    c->connected = false;
    return CACHE_UNKNOWN;
}

static void connection_read(struct connection *c, struct cache_item *out)
{
    const struct memory_item *item = memory_item_find(c->server, out->key);
    out->result = item != NULL ? CACHE_HIT : CACHE_MISS;
    out->len = 0;
    if (item != NULL) {
        out->cas = item->cas;
        out->epoch = c->epoch;
        out->len = item->len < out->value_cap ? item->len : 0;
        memcpy(out->value, item->value, out->len);
    }
    out->value[out->len] = '\0';
}

static void memory_get(struct cache *cache, struct cache_item *items, size_t n)
{
    struct connection *c = connection_of(cache);
    enum fate fate = connection_enter(c, MEMORY_CACHE_GET, n > 0 ? items[0].key : "");
    if (fate == FATE_DONE && !connection_alive(c)) {
        connection_lost(c);
        (void)connection_alive(c);
    }
    for (size_t i = 0; i < n; i++) {
        if (fate == FATE_DONE)
            connection_read(c, &items[i]);
        else
            items[i].result = connection_lost(c);
    }
    connection_leave(c);
}

static enum cache_result memory_add_locked(struct memory_cache *m, const char *key,
                                           const char *value, size_t len, uint32_t ttl_s)
{
    if (memory_item_find(m, key) != NULL)
        return CACHE_EXISTS;
    memory_item_store(m, key, value, len, ttl_s);
    return CACHE_STORED;
}

static enum cache_result memory_add(struct cache *cache, const char *key, const char *value,
                                    size_t len, uint32_t ttl_s)
{
    struct connection *c = connection_of(cache);
    enum fate fate = connection_enter(c, MEMORY_CACHE_ADD, key);
    enum cache_result result = CACHE_UNKNOWN;
    if (fate != FATE_NOT_DONE && connection_alive(c))
        result = memory_add_locked(c->server, key, value, len, ttl_s);
    if (fate != FATE_DONE || result == CACHE_UNKNOWN)
        result = connection_lost(c);
    connection_leave(c);
    return result;
}

static enum cache_result memory_cas_locked(struct memory_cache *m, const struct cache_item *seen,
                                           const char *value, size_t len, uint32_t ttl_s)
{
    const struct memory_item *item = memory_item_find(m, seen->key);
    if (item == NULL)
        return CACHE_MISS;
    if (item->cas != seen->cas)
        return CACHE_EXISTS;
    memory_item_store(m, seen->key, value, len, ttl_s);
    return CACHE_STORED;
}

static enum cache_result memory_cas(struct cache *cache, const struct cache_item *seen,
                                    const char *value, size_t len, uint32_t ttl_s)
{
    struct connection *c = connection_of(cache);
    enum fate fate = connection_enter(c, MEMORY_CACHE_CAS, seen->key);
    enum cache_result result = CACHE_UNKNOWN;
    bool own = c->connected && c->epoch == seen->epoch;
    if (own && fate != FATE_NOT_DONE && connection_alive(c))
        result = memory_cas_locked(c->server, seen, value, len, ttl_s);
    if (own && (fate != FATE_DONE || result == CACHE_UNKNOWN))
        result = connection_lost(c);
    connection_leave(c);
    return result;
}

static void memory_cas_all(struct cache *cache, struct cache_write *writes, size_t n)
{
    struct connection *c = connection_of(cache);
    enum fate fate = connection_enter(c, MEMORY_CACHE_CAS_ALL, n > 0 ? writes[0].item->key : "");
    bool alive = c->connected && c->life == c->server->life;
    assert(n >= 1 && n <= 64);
    for (size_t i = 0; i < n; i++) {
        struct cache_write *w = &writes[i];
        bool sent = alive && fate != FATE_NOT_DONE && w->item->epoch == c->epoch;
        w->item->result = sent ? CACHE_HIT : CACHE_UNKNOWN;
        if (sent)
            (void)memory_cas_locked(c->server, w->item, w->value, w->len, w->ttl_s);
    }
    if (fate != FATE_DONE || !alive)
        connection_lost(c);
    pthread_mutex_unlock(&c->server->lock); /* memcached may serve others in between */
    connection_call_hook(c->server, MEMORY_CACHE_CAS_ALL_READ, writes[0].item->key);
    pthread_mutex_lock(&c->server->lock);
    for (size_t i = 0; i < n; i++) {
        if (writes[i].item->result == CACHE_HIT && c->connected)
            connection_read(c, writes[i].item);
        else
            writes[i].item->result = CACHE_UNKNOWN;
    }
    connection_leave(c);
}

static void memory_hint(struct cache *cache, enum cache_hint how, const char *key,
                        const char *value, size_t len, uint32_t ttl_s)
{
    memory_hints_push(&connection_of(cache)->hints, how, key, value, len, ttl_s);
}

static void memory_flush(struct cache *cache, bool wait)
{
    struct connection *c = connection_of(cache);
    struct memory_cache *m = c->server;
    if (connection_enter(c, MEMORY_CACHE_FLUSH, "") == FATE_NOT_DONE ||
        m->hints == MEMORY_CACHE_HINTS_DROPPED)
        memory_hints_drop(&c->hints);
    memory_hints_move(&m->late, &c->hints);
    if (wait || m->hints == MEMORY_CACHE_HINTS_DONE)
        memory_hints_apply(m, &m->late);
    connection_leave(c);
}

static void memory_close(struct cache *cache)
{
    struct connection *c = connection_of(cache);
    pthread_mutex_lock(&c->server->lock);
    c->server->connections--;
    pthread_mutex_unlock(&c->server->lock);
    memory_hints_drop(&c->hints);
    free(c);
}

static const struct cache_ops memory_ops = {.close = memory_close,
                                            .get = memory_get,
                                            .add = memory_add,
                                            .cas = memory_cas,
                                            .cas_all = memory_cas_all,
                                            .hint = memory_hint,
                                            .flush = memory_flush};

struct cache *memory_cache_connect(struct memory_cache *m)
{
    struct connection *c = calloc(1, sizeof *c);
    assert(c != NULL);
    c->cache.ops = &memory_ops;
    c->server = m;
    memory_hints_init(&c->hints);
    pthread_mutex_lock(&m->lock);
    m->connections++;
    pthread_mutex_unlock(&m->lock);
    return &c->cache;
}
