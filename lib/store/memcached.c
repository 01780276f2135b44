#include "lib/store/memcached.h"
#include "lib/base/log.h"
#include <libmemcached/memcached.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX 16
#define GET_MAX 256 /* keys of one get */

/* One server with a connection of its own, so that the trouble of one is not another's. After any
 * failure the connection is thrown away: what it would still deliver belongs to an older question.
 */
struct server {
    char name[128];
    memcached_st *link;  /* NULL: not connected */
    memcached_st *hints; /* another connection, whose answers nobody waits for */
    bool hints_given;    /* since the last flush */
    bool hints_failed;   /* since the last flush: the rest of them is let go */
    uint64_t epoch;      /* rises with every new connection of link */
};

struct memcached {
    struct cache cache;
    unsigned timeout_ms;
    size_t n;
    struct server servers[SERVERS_MAX];
};

static void server_drop(struct server *s)
{
    if (s->link != NULL)
        memcached_free(s->link);
    s->link = NULL;
}

/* NULL: no memory. Connects with the first question. */
static memcached_st *link_new(const struct server *s, unsigned timeout_ms)
{
    memcached_st *m = memcached_create(NULL);
    if (m == NULL)
        return NULL;
    static const memcached_behavior_t on[] = {MEMCACHED_BEHAVIOR_SUPPORT_CAS,
                                              MEMCACHED_BEHAVIOR_TCP_NODELAY};
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
        memcached_behavior_set(m, on[i], 1);
    /* microseconds for send and receive, milliseconds for connect and poll */
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, timeout_ms);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, timeout_ms);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_SND_TIMEOUT, (uint64_t)timeout_ms * 1000);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_RCV_TIMEOUT, (uint64_t)timeout_ms * 1000);
    memcached_return_t rc;
    const char *colon = strrchr(s->name, ':');
    if (s->name[0] == '/' || colon == NULL) {
        rc = memcached_server_add_unix_socket(m, s->name);
    } else {
        char host[sizeof s->name];
        size_t len = (size_t)(colon - s->name);
        memcpy(host, s->name, len);
        host[len] = '\0';
        rc = memcached_server_add(m, host, (in_port_t)strtoul(colon + 1, NULL, 10));
    }
    if (rc != MEMCACHED_SUCCESS) {
        memcached_free(m);
        return NULL;
    }
    return m;
}

static memcached_st *server_connect(struct server *s, unsigned timeout_ms)
{
    if (s->link == NULL && (s->link = link_new(s, timeout_ms)) != NULL)
        s->epoch++;
    return s->link;
}

/* Without replies: libmemcached would read them in the middle of a later hint, and aborts the
 * process if that fails (its io.cc). Nothing is asked over this connection for the sake of the
 * answer: an error text of the server could be taken for it. */
static memcached_st *server_hints(struct server *s, unsigned timeout_ms)
{
    if (s->hints == NULL && (s->hints = link_new(s, timeout_ms)) != NULL) {
        memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 1);
        memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    }
    return s->hints;
}

static void hints_drop(struct server *s)
{
    if (s->hints != NULL)
        memcached_free(s->hints);
    s->hints = NULL;
    s->hints_failed = true;
}

/* FNV-1a over the part before the first '/': keys of one envelope share a server. */
static size_t server_index(const struct memcached *m, const char *key)
{
    uint32_t hash = 2166136261u;
    for (const char *p = key; *p != '\0' && *p != '/'; p++)
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    return hash % m->n;
}

/* Drops the connection after an outcome that says nothing. */
static enum cache_result unknown(struct server *s)
{
    server_drop(s);
    return CACHE_UNKNOWN;
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

/* Reads the answers to a get until its end. Answers come in the order of the keys, misses left out.
 * Unless it is MEMCACHED_SUCCESS, the connection is of no further use, and whatever was not found
 * is unknown. */
static memcached_return_t drain(struct server *s, struct cache_item **asked, size_t n)
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
               (strlen(asked[at]->key) != key_len || memcmp(asked[at]->key, key, key_len) != 0))
            at++;
        if (at == n) {
            rc = MEMCACHED_PROTOCOL_ERROR;
            break;
        }
        take_result(asked[at++], &result, s->epoch);
    }
    memcached_result_free(&result);
    return rc == MEMCACHED_END || rc == MEMCACHED_NOTFOUND ? MEMCACHED_SUCCESS : rc;
}

static memcached_return_t ask(struct memcached *m, struct server *s, struct cache_item **asked,
                              size_t n)
{
    const char *keys[GET_MAX];
    size_t lengths[GET_MAX];
    for (size_t i = 0; i < n; i++) {
        keys[i] = asked[i]->key;
        lengths[i] = strlen(keys[i]);
        asked[i]->result = CACHE_MISS;
        asked[i]->len = 0;
        asked[i]->value[0] = '\0';
    }
    memcached_st *link = server_connect(s, m->timeout_ms);
    if (link == NULL)
        return MEMCACHED_MEMORY_ALLOCATION_FAILURE;
    memcached_return_t rc = memcached_mget(link, keys, lengths, n);
    return rc == MEMCACHED_SUCCESS ? drain(s, asked, n) : rc;
}

/* A connection that proves to be dead is from before the server started again: a question changes
 * nothing, so it is asked once more on a new one. A server that is silent is not asked again. */
static void get_from(struct memcached *m, struct server *s, struct cache_item **asked, size_t n)
{
    bool old = s->link != NULL;
    memcached_return_t rc = ask(m, s, asked, n);
    if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_TIMEOUT && old) {
        server_drop(s);
        rc = ask(m, s, asked, n);
    }
    if (rc == MEMCACHED_SUCCESS)
        return;
    for (size_t i = 0; i < n; i++)
        asked[i]->result = CACHE_UNKNOWN;
    server_drop(s);
}

static void memcached_get_items(struct cache *c, struct cache_item *items, size_t n)
{
    struct memcached *m = (struct memcached *)c;
    for (size_t start = 0; start < n; start += GET_MAX) {
        size_t end = n - start > GET_MAX ? start + GET_MAX : n;
        for (size_t s = 0; s < m->n; s++) {
            struct cache_item *asked[GET_MAX];
            size_t count = 0;
            for (size_t i = start; i < end; i++)
                if (server_index(m, items[i].key) == s)
                    asked[count++] = &items[i];
            if (count > 0)
                get_from(m, &m->servers[s], asked, count);
        }
    }
}

static enum cache_result store_result(struct server *s, memcached_return_t rc)
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
        return unknown(s);
    }
}

static enum cache_result memcached_add_item(struct cache *c, const char *key, const char *value,
                                            size_t len, uint32_t ttl_s)
{
    struct memcached *m = (struct memcached *)c;
    struct server *s = &m->servers[server_index(m, key)];
    memcached_st *link = server_connect(s, m->timeout_ms);
    if (link == NULL)
        return CACHE_UNKNOWN;
    return store_result(s, memcached_add(link, key, strlen(key), value, len, (time_t)ttl_s, 0));
}

static enum cache_result memcached_cas_item(struct cache *c, const struct cache_item *seen,
                                            const char *value, size_t len, uint32_t ttl_s)
{
    struct memcached *m = (struct memcached *)c;
    struct server *s = &m->servers[server_index(m, seen->key)];
    if (s->link == NULL || s->epoch != seen->epoch)
        return CACHE_UNKNOWN;
    return store_result(s, memcached_cas(s->link, seen->key, strlen(seen->key), value, len,
                                         (time_t)ttl_s, 0, seen->cas));
}

static void memcached_hint(struct cache *c, enum cache_hint how, const char *key, const char *value,
                           size_t len, uint32_t ttl_s)
{
    struct memcached *m = (struct memcached *)c;
    struct server *s = &m->servers[server_index(m, key)];
    memcached_st *link = s->hints_failed ? NULL : server_hints(s, m->timeout_ms);
    if (link == NULL)
        return;
    memcached_return_t rc =
        how == CACHE_HINT_ADD ? memcached_add(link, key, strlen(key), value, len, (time_t)ttl_s, 0)
                              : memcached_set(link, key, strlen(key), value, len, (time_t)ttl_s, 0);
    s->hints_given = true;
    if (rc != MEMCACHED_BUFFERED && rc != MEMCACHED_SUCCESS)
        hints_drop(s);
}

/* Commands of one connection are done in their order: once a question that came after the hints
 * has been answered, whatever the answer, they are done. */
static void wait_for_hints(struct server *s)
{
    static const char key[] = "hints";
    size_t len;
    uint32_t flags;
    memcached_return_t rc;
    memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_NOREPLY, 0);
    free(memcached_get(s->hints, key, sizeof key - 1, &len, &flags, &rc));
    memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_NOTFOUND)
        hints_drop(s);
}

static void memcached_flush_hints(struct cache *c, bool wait)
{
    struct memcached *m = (struct memcached *)c;
    for (size_t i = 0; i < m->n; i++) {
        struct server *s = &m->servers[i];
        if (s->hints != NULL && memcached_flush_buffers(s->hints) != MEMCACHED_SUCCESS)
            hints_drop(s);
        if (wait && s->hints != NULL && s->hints_given)
            wait_for_hints(s);
        s->hints_given = s->hints_failed = false;
    }
}

static void memcached_close(struct cache *c)
{
    struct memcached *m = (struct memcached *)c;
    for (size_t i = 0; i < m->n; i++) {
        server_drop(&m->servers[i]);
        hints_drop(&m->servers[i]);
    }
    free(m);
}

static const struct cache_ops memcached_ops = {
    .close = memcached_close,
    .get = memcached_get_items,
    .add = memcached_add_item,
    .cas = memcached_cas_item,
    .hint = memcached_hint,
    .flush = memcached_flush_hints,
};

struct cache *memcached_cache_new(const char *servers, unsigned timeout_ms)
{
    struct memcached *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->cache.ops = &memcached_ops;
    m->timeout_ms = timeout_ms;
    for (const char *p = servers; *p != '\0' && m->n < SERVERS_MAX;) {
        size_t len = strcspn(p, ",");
        struct server *s = &m->servers[m->n];
        if (len == 0 || len >= sizeof s->name)
            break;
        memcpy(s->name, p, len);
        m->n++;
        p += len;
        p += *p == ',' ? 1 : 0;
    }
    if (m->n == 0) {
        log_event(LOG_LEVEL_ERROR, "cache_servers_invalid", "%s", servers);
        free(m);
        return NULL;
    }
    return &m->cache;
}
