/* Shares of gates, taken by cas for the grabs that wait in a process: those of one envelope share
 * one cas, and those of many envelopes one round trip. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_SHARES_H
#define HONGBAO_SERVICE_GRAB_GRAB_SHARES_H

#include "lib/service/common/batch.h"
#include "lib/service/grab/grab_tickets.h"

/* The works at one envelope, while they are being decided. */
struct grab_group {
    struct gate_item *item;
    struct gate gate, next; /* as it was read, and as it shall be */
    char text[GATE_TEXT_SIZE];
    size_t won; /* how many shares next has less */
    size_t n_fresh;
    struct grab_work *fresh[BATCH_MAX]; /* who has no item yet, in order of arrival */
};

struct grab_shares {
    const struct runtime *runtime;
    struct cache *cache;
    const struct grab_tickets *tickets;
    struct gate_item rereads[BATCH_MAX];
    struct cache_item items[BATCH_MAX];
};

void grab_shares_init(struct grab_shares *s, const struct runtime *runtime, struct cache *cache,
                      const struct grab_tickets *tickets);
/* Gives every fresh work of groups[0..n), n <= BATCH_MAX, of gates that were read as open, an
 * outcome: a ticket, busy, the end, or something to ask the primary. Reorders groups. */
void grab_shares_take(struct grab_shares *s, struct grab_group **groups, size_t n);

#endif
