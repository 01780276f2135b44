/* The connections of one thread to one memcached server. With memcached.c the only user of
 * libmemcached. */
#ifndef HONGBAO_STORE_MEMCACHED_LINK_H
#define HONGBAO_STORE_MEMCACHED_LINK_H

#include <libmemcached/memcached.h>
#include <stdbool.h>
#include <stdint.h>

/* One server with a connection of its own, so that the trouble of one is not another's. After any
 * failure the connection is thrown away: what it would still deliver belongs to an older question.
 */
struct memcached_link {
    char name[128]; /* "/path/socket" or "host:port" */
    unsigned timeout_ms;
    memcached_st *link;  /* NULL: not connected */
    memcached_st *hints; /* another connection, whose answers nobody waits for */
    bool hints_given;    /* since the last flush */
    bool hints_failed;   /* since the last flush: the rest of them is let go */
    uint64_t epoch;      /* rises with every new connection of link */
};

/* NULL: no memory. Connects with the first question. */
memcached_st *link_connect(struct memcached_link *s);
void link_drop(struct memcached_link *s);
/* The connection for hints. NULL: no memory. */
memcached_st *link_hints(struct memcached_link *s);
void link_drop_hints(struct memcached_link *s);
/* Until what was given over the connection for hints has been done; an error drops it. */
void link_wait_for_hints(struct memcached_link *s);

#endif
