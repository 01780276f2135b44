/* A bounded table of envelopes that this process knows to be durably closed: answers without a
 * round trip. Only envelopes to anyone belong here: their end is no secret. It forgets; it is never
 * wrong, since a final state is never taken back within a generation. Thread-safe. */
#ifndef HONGBAO_SERVICE_CLOSED_H
#define HONGBAO_SERVICE_CLOSED_H

#include "lib/domain/envelope.h"

struct closed;
struct closed *closed_new(void); /* NULL: no memory */
void closed_free(struct closed *c);
/* state: STATE_SOLD_OUT or STATE_EXPIRED, read from what is durably stored. */
void closed_put(struct closed *c, const struct id *id, enum envelope_state state);
/* The final state, or STATE_OPEN for "not known to be closed". */
enum envelope_state closed_get(struct closed *c, const struct id *id);

#endif
