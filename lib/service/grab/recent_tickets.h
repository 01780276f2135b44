/* A bounded table of the tickets that this process gave within the last second, when the user's
 * item may not be in the cache yet: another grab of his gets the same ticket and takes no second
 * share. It forgets, and then the item alone must do. Thread-safe. */
#ifndef HONGBAO_SERVICE_GRAB_RECENT_TICKETS_H
#define HONGBAO_SERVICE_GRAB_RECENT_TICKETS_H

#include "lib/base/id.h"
#include <stdint.h>

struct recent_tickets;
struct recent_tickets *recent_tickets_new(void); /* NULL: no memory */
void recent_tickets_free(struct recent_tickets *r);
/* user: at most USER_SIZE - 1 bytes. expires_s: the ticket's, > 0. mono_us: now. */
void recent_tickets_put(struct recent_tickets *r, const struct id *id, const char *user,
                        int64_t expires_s, int64_t mono_us);
/* The ticket's expiry, or 0: none is known. */
int64_t recent_tickets_get(struct recent_tickets *r, const struct id *id, const char *user,
                           int64_t mono_us);

#endif
