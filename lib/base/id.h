/* 128-bit ids: UUIDv7 (RFC 9562). rand_a (12 bits) holds the set number. */
#ifndef HONGBAO_BASE_ID_H
#define HONGBAO_BASE_ID_H

#include "lib/base/crypto.h"

#define ID_SIZE 16
#define ID_TEXT_SIZE 37
#define ID_HEX_SIZE 33

struct id {
    uint8_t b[ID_SIZE]; /* network order: comparing bytes compares times */
};

/* A new id for the millisecond of wall_us, with set number 0..4095 and 62 random bits. */
struct id id_make(const struct rng *rng, int64_t wall_us, unsigned set);
/* The smallest possible id of the millisecond of wall_us: for ranges. */
struct id id_floor(int64_t wall_us);
/* The time in the id: whole milliseconds, as microseconds. */
int64_t id_time_us(const struct id *id);
/* The set number in the id. */
unsigned id_set(const struct id *id);
/* Spreads ids over 0..n-1. */
size_t id_slot(const struct id *id, size_t n);
int id_compare(const struct id *a, const struct id *b);
/* Canonical lower-case text with hyphens; out holds ID_TEXT_SIZE. */
void id_format(char *out, const struct id *id);
/* Accepts the canonical form (36 characters; lower case only), version 7, RFC variant. */
MUST_USE bool id_parse(struct id *out, const char *text, size_t len);

#endif
