/* The connections of one thread to one memcached server. With memcached.c the only user of
 * libmemcached. */
#ifndef HONGBAO_STORE_MEMCACHED_LINK_H
#define HONGBAO_STORE_MEMCACHED_LINK_H

#include "lib/base/server_state.h"
#include <libmemcached/memcached.h>
#include <stdbool.h>
#include <stdint.h>

/* Each server has connections of its own, so that one server's failure does not affect the others.
 * After any failure the connection is closed, because the next bytes on it would answer an older
 * request. */
struct memcached_link {
    char name[128]; /* "/path/socket" or "host:port" */
    unsigned timeout_ms;
    struct server_state *state; /* to which failures are reported; NULL: none */
    memcached_st *link;         /* NULL: not connected */
    memcached_st *hints; /* a second connection, on which no reply is read; NULL: not connected */
    bool hints_given;    /* since the last flush */
    bool hints_failed;   /* since the last flush: drop the other hints */
    uint64_t epoch;      /* number of connections of link so far */
};

/* Return the connection of s, creating it if there is none; it connects with its first request.
 * Return NULL if there is no memory. */
memcached_st *link_connect(struct memcached_link *s);
/* Close the connection of s, if there is one. */
void link_drop(struct memcached_link *s);
/* Return the connection of s for hints, creating it if there is none. Return NULL if there is no
 * memory. */
memcached_st *link_hints(struct memcached_link *s);
/* Close the connection of s for hints, if there is one, and drop the hints until the next flush. */
void link_drop_hints(struct memcached_link *s);
/* Wait until the server has executed everything sent over the connection of s for hints, which
 * exists; close that connection on an error or a time-out. */
void link_wait_for_hints(struct memcached_link *s);

#endif
