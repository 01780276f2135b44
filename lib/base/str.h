/* Small text helpers: bounded copies, strict numbers, hex. */
#ifndef HONGBAO_BASE_STR_H
#define HONGBAO_BASE_STR_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies len bytes of src and a NUL into dst of size cap. False, and dst = "", if they do not fit
 * or contain a NUL. */
bool str_set(char *dst, size_t cap, const char *src, size_t len);
/* Parses exactly `0|[1-9][0-9]*` over the whole of text[0..len). False if it is anything else or
 * exceeds INT64_MAX; *out is then untouched. */
MUST_USE bool str_to_i64(const char *text, size_t len, int64_t *out);
MUST_USE bool str_to_u64(const char *text, size_t len, uint64_t *out);
/* Reads exactly 2*n hex digits (either case) of text[0..len). False if len != 2*n or not hex. */
MUST_USE bool str_from_hex(uint8_t *out, size_t n, const char *text, size_t len);
/* Writes 2*n lower-case digits and a NUL; out holds 2*n+1. */
void str_to_hex(char *out, const uint8_t *bytes, size_t n);
/* FNV-1a, 64 bits, as by Fowler, Noll and Vo: for tables and for choosing a server. Whoever wants
 * to can make texts that collide. */
uint64_t str_hash(const char *text, size_t len);

#endif
