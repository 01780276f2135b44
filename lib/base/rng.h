/* Randomness, passed in so that tests can seed it, and the few primitives of libsodium that the
 * tree uses. rng_init must have succeeded once per process before anything here. */
#ifndef HONGBAO_BASE_RNG_H
#define HONGBAO_BASE_RNG_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    void (*fill)(void *self, void *out, size_t n);
    void *self;
};

extern const struct rng rng_system; /* libsodium */

/* Prepares libsodium. ERR_FAULT if the machine has no randomness. */
MUST_USE enum err rng_init(void);
/* Uniform in 0..n-1 without bias; n > 0. */
uint64_t rng_below(const struct rng *r, uint64_t n);

void hash_sha256(uint8_t out[32], const void *bytes, size_t n);
/* HMAC-SHA-256 with a 32-byte key. */
void hash_hmac256(uint8_t out[32], const uint8_t key[32], const void *bytes, size_t n);
/* Constant time. */
bool bytes_equal(const void *a, const void *b, size_t n);
void bytes_wipe(void *p, size_t n);

#endif
