/* Text of an envelope item: the members of an envelope that never change after the send. The seed
 * is not among them. */
#ifndef HONGBAO_WIRE_ENVELOPE_VALUE_H
#define HONGBAO_WIRE_ENVELOPE_VALUE_H

#include "lib/base/buf.h"
#include "lib/domain/envelope.h"

#define ENVELOPE_VALUE_TEXT_SIZE 8192

/* Append the item of e in generation to out: lines of text, "r2", the generation in hex and then
 * the fixed members in the order of envelope_members. */
void envelope_value_write(struct buf *out, const uint8_t generation[16], const struct envelope *e);
/* Read the NUL-terminated text into *e, whose other members become zero. Return false, with *e
 * undefined, unless it is exactly one well-formed item of envelope id in generation. */
MUST_USE bool envelope_value_read(struct envelope *e, const char *text,
                                  const uint8_t generation[16], const struct id *id);

#endif
