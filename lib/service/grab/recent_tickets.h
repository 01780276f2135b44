/* A bounded table of the tickets that this process issued within the last second, while the user's
 * item may not have reached the cache: another grab by the user is given the same ticket and takes
 * no second share. An entry may be evicted; then the item alone must do. Thread-safe. */
#ifndef HONGBAO_SERVICE_GRAB_RECENT_TICKETS_H
#define HONGBAO_SERVICE_GRAB_RECENT_TICKETS_H

#include "lib/base/crypto.h"
#include "lib/base/id.h"
#include <stdint.h>

struct recent_tickets;

/* Create an empty table; its secret key is drawn from rng. Return NULL if out of memory. */
struct recent_tickets *recent_tickets_new(const struct rng *rng);

/* Free r, which no thread may be using. r may be NULL. */
void recent_tickets_free(struct recent_tickets *r);

/* Remember a ticket of user, at most USER_SIZE - 1 bytes, for envelope id. expires_s, > 0, is the
 * ticket's (wall clock, seconds); mono_us is the time now (monotonic). */
void recent_tickets_put(struct recent_tickets *r, const struct id *id, const char *user,
                        int64_t expires_s, int64_t mono_us);

/* Return when the ticket of user for envelope id expires, as given to recent_tickets_put; 0 if none
 * is known at mono_us. */
int64_t recent_tickets_get(struct recent_tickets *r, const struct id *id, const char *user,
                           int64_t mono_us);

#endif
