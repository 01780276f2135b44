/* A bounded table of envelopes that this process knows to be durably closed: answers without a
 * round trip. Only envelopes to anyone belong here: their end is no secret. It forgets; it is never
 * wrong, since a final state is never taken back within a generation. Thread-safe. */
#ifndef HONGBAO_SERVICE_GRAB_CLOSED_TABLE_H
#define HONGBAO_SERVICE_GRAB_CLOSED_TABLE_H

#include "lib/domain/envelope.h"

struct closed_table;
struct closed_table *closed_table_new(void); /* NULL: no memory */
void closed_table_free(struct closed_table *c);
/* state: STATE_SOLD_OUT or STATE_EXPIRED, read from what is durably stored. */
void closed_table_put(struct closed_table *c, const struct id *id, enum envelope_state state);
/* The final state, or STATE_OPEN for "not known to be closed". */
enum envelope_state closed_table_get(struct closed_table *c, const struct id *id);

#endif
