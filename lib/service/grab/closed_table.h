/* A bounded table of envelopes that the primary has confirmed to this process as durably closed, so
 * that it answers them without asking again. What only the cache states is not put here: an entry
 * is never corrected, only evicted. It is never wrong, since a final state is never taken back
 * within a generation. Thread-safe. */
#ifndef HONGBAO_SERVICE_GRAB_CLOSED_TABLE_H
#define HONGBAO_SERVICE_GRAB_CLOSED_TABLE_H

#include "lib/domain/envelope.h"

struct closed_table;

/* Create an empty table. Return NULL if out of memory. */
struct closed_table *closed_table_new(void);

/* Free c, which no thread may be using. c may be NULL. */
void closed_table_free(struct closed_table *c);

/* Remember that envelope id has durably closed with state, STATE_SOLD_OUT or STATE_EXPIRED.
 * restricted: it has recipients, and only they may be answered with its end. */
void closed_table_put(struct closed_table *c, const struct id *id, enum envelope_state state,
                      bool restricted);

/* Return the final state of envelope id and set *restricted; STATE_OPEN if it is not known to have
 * closed. */
enum envelope_state closed_table_get(struct closed_table *c, const struct id *id, bool *restricted);

#endif
