/* The text of an envelope's record in the cache: what never changes after the send (never the
 * seed). Lines of text; what does not parse or names another envelope or generation is no value. */
#ifndef HONGBAO_WIRE_ENVELOPE_VALUE_H
#define HONGBAO_WIRE_ENVELOPE_VALUE_H

#include "lib/base/buf.h"
#include "lib/domain/envelope.h"

#define ENVELOPE_VALUE_KEY_SIZE 80
#define ENVELOPE_VALUE_TEXT_SIZE 8192

/* "<envelope hex>/r/<generation hex>"; out holds ENVELOPE_VALUE_KEY_SIZE. */
void envelope_value_key(char *out, const uint8_t generation[16], const struct id *id);
/* Appends the record of e. */
void envelope_value_write(struct buf *out, const uint8_t generation[16], const struct envelope *e);
/* Reads it back into *e, whose changing parts are zero. text is NUL-terminated. */
MUST_USE bool envelope_value_read(struct envelope *e, const char *text,
                                  const uint8_t generation[16], const struct id *id);

#endif
