/* The JSON text of the answer to a grab. A marker holds it as a file, so it is built without an
 * HTTP response. */
#ifndef HONGBAO_WIRE_GRAB_JSON_H
#define HONGBAO_WIRE_GRAB_JSON_H

#include "lib/base/buf.h"
#include "lib/domain/views.h"

/* Append a as a JSON object to out: its state and the members that belong to that state. */
void grab_json(const struct grab_answer *a, struct buf *out);
/* Return the text of "state" for s; a static string. */
const char *grab_state_name(enum grab_state s);

#endif
