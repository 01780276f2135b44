/* Who holds a ticket, or has opened: what a user's own item in the cache says, and, for the moment
 * that it takes to get there, this process's table of the last tickets. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_TICKETS_H
#define HONGBAO_SERVICE_GRAB_GRAB_TICKETS_H

#include "lib/service/common/gate.h"
#include "lib/service/grab/grab_batch.h"

struct grab_tickets {
    const struct runtime *runtime;
    struct cache *cache;                   /* whose flush sends the items */
    struct recent_tickets *recent_tickets; /* shared by all of the process */
    int64_t now_us, mono_us;
};

/* Makes this state w's answer. */
void grab_answer(struct grab_work *w, enum grab_state state);
/* True: w is answered by what is known of its user, opened or a ticket that lives, or has a new
 * ticket in place of one that lapsed. False: he is new here. */
bool grab_known(const struct grab_tickets *t, struct grab_work *w, const struct gate_item *item);
/* Gives w a ticket. His item is a hint that is sent before he is told, and may be a moment on its
 * way. */
void grab_let_in(const struct grab_tickets *t, struct grab_work *w);

#endif
