/* 128-bit ids: UUIDv7 (RFC 9562, section 5.7). rand_a (12 bits) holds the set number of the
 * installation. */
#ifndef HONGBAO_BASE_ID_H
#define HONGBAO_BASE_ID_H

#include "lib/base/crypto.h"

#define ID_SIZE 16
#define ID_TEXT_SIZE 37
#define ID_HEX_SIZE 33

struct id {
    uint8_t b[ID_SIZE]; /* network order: comparing bytes compares times */
};

/* Return a new id for the millisecond of wall_us (>= 0), with the set number set (0..4095) and 62
 * random bits from rng. Both ranges are asserted. */
struct id id_make(const struct rng *rng, int64_t wall_us, unsigned set);
/* Return the smallest possible id of the millisecond of wall_us, for range queries. It is no valid
 * id itself. A negative wall_us counts as 0. */
struct id id_floor(int64_t wall_us);
/* Return the time in id: whole milliseconds, in microseconds since 1970. */
int64_t id_time_us(const struct id *id);
/* Return the set number in id, 0..4095. */
unsigned id_set(const struct id *id);
/* Return a number in 0..n-1 derived from the random bits of id, for hash tables; n > 0. */
size_t id_slot(const struct id *id, size_t n);
/* Compare a and b: negative, 0 or positive, as memcmp. Earlier ids are smaller. */
int id_compare(const struct id *a, const struct id *b);
/* Compare the struct id at a and b, as id_compare; the comparator for qsort and bsearch. */
int id_order(const void *a, const void *b);
/* Write id to out as canonical lower-case text with hyphens. out holds ID_TEXT_SIZE bytes. */
void id_format(char *out, const struct id *id);
/* Parse text[0..len) into *out. Return false, with *out unchanged, unless it is the canonical
 * lower-case form of 36 characters, version 7 and the RFC variant. */
MUST_USE bool id_parse(struct id *out, const char *text, size_t len);

#endif
