/* The contract of lib/store/cache.h without a server: a table in memory, connections to it, and the
 * faults that memcached and its network have, at the moment the test chooses.
 *
 * Arguments that the contract forbids (a bad key, a life of more than 30 days) abort.
 * Connections may be used by several threads; faults and the hook are set before they start. */
#ifndef HONGBAO_TESTS_MEMORY_CACHE_H
#define HONGBAO_TESTS_MEMORY_CACHE_H

#include "lib/base/clock.h"
#include "lib/store/cache.h"

enum memory_cache_op {
    MEMORY_CACHE_GET,
    MEMORY_CACHE_ADD,
    MEMORY_CACHE_CAS,
    MEMORY_CACHE_CAS_ALL,
    MEMORY_CACHE_CAS_ALL_READ, /* its second half: for the hook alone */
    MEMORY_CACHE_FLUSH,
    MEMORY_CACHE_OPS
};
enum memory_cache_fault {
    MEMORY_CACHE_LOST_REQUEST, /* nothing is done, the result is CACHE_UNKNOWN */
    MEMORY_CACHE_LOST_REPLY    /* it is done, the result is CACHE_UNKNOWN */
};
enum memory_cache_hints {
    MEMORY_CACHE_HINTS_DONE,   /* by flush */
    MEMORY_CACHE_HINTS_LATE,   /* by memory_cache_deliver, or by a flush that waits */
    MEMORY_CACHE_HINTS_DROPPED /* never */
};

struct memory_cache;

/* Create an empty server whose items expire by clock's mono_us. Aborts without memory. */
struct memory_cache *memory_cache_new(const struct clock *clock);
/* Free m. Its connections must have been closed. */
void memory_cache_free(struct memory_cache *m);
/* Open a connection to m, as memcached_cache_new does; the caller closes it. */
struct cache *memory_cache_connect(struct memory_cache *m);

/* Stop and start m: its items are gone, cas ids begin at 1 again, and every connection is dead. As
 * with a real socket, a get connects again by itself; any other operation returns CACHE_UNKNOWN
 * once. */
void memory_cache_restart(struct memory_cache *m);
/* While away, every operation is CACHE_UNKNOWN and hints are lost. Items stay. */
void memory_cache_set_away(struct memory_cache *m, bool away);
/* Remove the item of key, if any, as a full server does. */
void memory_cache_evict(struct memory_cache *m, const char *key);
/* Store value under key, NUL-terminated, for a day: what another process, or an attacker, wrote. */
void memory_cache_put(struct memory_cache *m, const char *key, const char *value);
/* Return the value of key, NUL-terminated, until the next change of m; NULL if there is none. */
const char *memory_cache_look(struct memory_cache *m, const char *key);
/* Return the seconds that the item of key has still to live; 0 if there is none. */
int64_t memory_cache_life_s(struct memory_cache *m, const char *key);

/* After `skip` more operations op, let the following `times` fail with fault. Replaces what was set
 * for op before. */
void memory_cache_fail(struct memory_cache *m, enum memory_cache_op op,
                       enum memory_cache_fault fault, unsigned skip, unsigned times);
/* Set what becomes of hints from now on. */
void memory_cache_set_hints(struct memory_cache *m, enum memory_cache_hints what);
/* Apply the hints that came late, in their order. */
void memory_cache_deliver(struct memory_cache *m);
/* Call hook(context, op, key) before each operation, of op's first key ("" for a flush): where
 * another process gets in between. What the hook itself does calls no hook. NULL: none. */
void memory_cache_set_hook(struct memory_cache *m,
                           void (*hook)(void *context, enum memory_cache_op op, const char *key),
                           void *context);
/* Return how many operations op (round trips) there were since m was created. */
unsigned memory_cache_calls(const struct memory_cache *m, enum memory_cache_op op);

#endif
