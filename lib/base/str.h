/* Small text functions: bounded copies, strict numbers, hex. */
#ifndef HONGBAO_BASE_STR_H
#define HONGBAO_BASE_STR_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy src[0..len) and a NUL to dst, which holds cap (> 0) bytes. Return false, with dst empty, if
 * they do not fit or contain a NUL. */
bool str_set(char *dst, size_t cap, const char *src, size_t len);
/* Parse all of text[0..len) as `0|[1-9][0-9]*` into *out. Return false, with *out unchanged, if it
 * has another form or exceeds INT64_MAX. */
MUST_USE bool str_to_i64(const char *text, size_t len, int64_t *out);
/* Return the JSON number text[0..len) (RFC 8259, section 6, any exponent) rounded down, or -limit
 * or limit if it is beyond those; limit < INT64_MAX / 10. */
int64_t str_floor(const char *text, size_t len, int64_t limit);
/* Parse all of text[0..len) as `0|[1-9][0-9]*` into *out. Return false, with *out unchanged, if it
 * has another form or exceeds UINT64_MAX. */
MUST_USE bool str_to_u64(const char *text, size_t len, uint64_t *out);
/* Parse text[0..len) as 2*n hex digits of either case into n bytes at out. Return false if len is
 * not 2*n or a character is no hex digit; out is then undefined. */
MUST_USE bool str_from_hex(uint8_t *out, size_t n, const char *text, size_t len);
/* Write n bytes to out as 2*n lower-case hex digits and a NUL. out holds 2*n+1 bytes. */
void str_to_hex(char *out, const uint8_t *bytes, size_t n);
/* Copy the item of a list that begins at *at, without the blanks around it, to out, which holds cap
 * (> 0) bytes, and move *at behind it. Items are separated by commas, and empty ones skipped.
 * Return false at the end, and for an item that does not fit, with out empty. */
bool str_item(const char **at, char *out, size_t cap);
/* Return the 64-bit FNV-1a hash (Fowler, Noll, Vo) of text[0..len), for tables and for choosing a
 * server. It is not keyed: collisions can be constructed. */
uint64_t str_hash(const char *text, size_t len);

#endif
