/* Which users have a ticket or have opened: the user's item in the cache, and, until that
 * item has got there, this process's table of the last tickets. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_TICKETS_H
#define HONGBAO_SERVICE_GRAB_GRAB_TICKETS_H

#include "lib/service/common/gate.h"
#include "lib/service/grab/grab_batch.h"

/* What issuing a ticket needs, for one burst. */
struct grab_tickets {
    const struct runtime *runtime;
    struct cache *cache;                   /* the caller flushes it */
    struct recent_tickets *recent_tickets; /* shared by all threads of the process */
    int64_t now_us, mono_us;               /* when the burst began */
};

/* Make state the answer of job. */
void grab_answer(struct grab_job *job, enum grab_state state);

/* Make the final state `end` the answer of job. */
void grab_answer_end(struct grab_job *job, enum envelope_state end);

/* Answer job from what is known of its user, and return true: opened, a ticket that lives, or a new
 * ticket in place of one that lapsed. item is the user's item, as it was read. Return false if
 * nothing is known of the user. */
bool grab_known(const struct grab_tickets *t, struct grab_job *job, const struct cache_item *item);

/* Issue a ticket to the user of job: outcome GRAB_WON, a hint for the user's item unless job is a
 * claim, and an entry in the table, since the hint takes a moment. */
void grab_issue(const struct grab_tickets *t, struct grab_job *job);

#endif
