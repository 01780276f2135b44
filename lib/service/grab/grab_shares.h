/* Shares of gates, taken by cas: the grabs of a burst at one envelope share one cas, and those at
 * several envelopes one round trip. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_SHARES_H
#define HONGBAO_SERVICE_GRAB_GRAB_SHARES_H

#include "lib/service/grab/grab_tickets.h"

/* The jobs at one envelope that want a share. */
struct grab_group {
    struct cache_item *item; /* the gate's */
    struct gate gate, next;  /* as it was read, and as it shall be */
    char text[GATE_TEXT_SIZE];
    size_t won; /* how many shares next has less than gate */
    size_t n_fresh;
    struct grab_job *fresh[BATCH_MAX]; /* whose users have no item, in order of arrival */
};

struct grab_shares {
    const struct runtime *runtime;
    struct cache *cache; /* the caller flushes it */
    const struct grab_tickets *tickets;
    struct cache_item *scratch; /* room for the items of a group */
};

/* Give every fresh job of groups[0..n), n <= BATCH_MAX, of gates that were read as open, an
 * outcome: a ticket, busy, the end, or something to ask the primary. Reorder groups. */
void grab_shares_take(struct grab_shares *s, struct grab_group **groups, size_t n);

#endif
