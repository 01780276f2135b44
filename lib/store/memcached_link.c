/* libmemcached is used for its protocol only: one handle per server and purpose, blocking, with
 * time-outs, without any of its distribution or fail-over. */
#include "lib/store/memcached_link.h"
#include <stdlib.h>
#include <string.h>

void link_drop(struct memcached_link *s)
{
    if (s->link != NULL)
        memcached_free(s->link);
    s->link = NULL;
}

static memcached_st *link_new(const struct memcached_link *s)
{
    memcached_st *m = memcached_create(NULL);
    if (m == NULL)
        return NULL;
    static const memcached_behavior_t on[] = {MEMCACHED_BEHAVIOR_SUPPORT_CAS,
                                              MEMCACHED_BEHAVIOR_TCP_NODELAY};
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
        memcached_behavior_set(m, on[i], 1);
    /* microseconds for send and receive, milliseconds for connect and poll */
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, s->timeout_ms);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, s->timeout_ms);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_SND_TIMEOUT, (uint64_t)s->timeout_ms * 1000);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_RCV_TIMEOUT, (uint64_t)s->timeout_ms * 1000);
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

memcached_st *link_connect(struct memcached_link *s)
{
    if (s->link == NULL && (s->link = link_new(s)) != NULL)
        s->epoch++;
    return s->link;
}

/* noreply: otherwise libmemcached reads replies in the middle of a later hint and aborts the
 * process if that fails (its io.cc). No value is read over this connection, because an error text
 * of the server could be taken for the reply. */
memcached_st *link_hints(struct memcached_link *s)
{
    if (s->hints == NULL && (s->hints = link_new(s)) != NULL) {
        memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 1);
        memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    }
    return s->hints;
}

void link_drop_hints(struct memcached_link *s)
{
    if (s->hints != NULL)
        memcached_free(s->hints);
    s->hints = NULL;
    s->hints_failed = true;
}

/* A server executes the commands of one connection in order, so the hints are done once a later get
 * has been answered, whatever the answer. */
void link_wait_for_hints(struct memcached_link *s)
{
    static const char key[] = "hints";
    size_t len;
    uint32_t flags;
    memcached_return_t rc;
    memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_NOREPLY, 0);
    free(memcached_get(s->hints, key, sizeof key - 1, &len, &flags, &rc));
    memcached_behavior_set(s->hints, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_NOTFOUND)
        link_drop_hints(s);
}
