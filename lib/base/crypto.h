/* Randomness, passed in so that tests can seed it, and the few primitives of libsodium that the
 * tree uses. crypto_init must have succeeded once per process before anything here. */
#ifndef HONGBAO_BASE_CRYPTO_H
#define HONGBAO_BASE_CRYPTO_H

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
MUST_USE enum err crypto_init(void);
/* Uniform in 0..n-1 without bias; n > 0. */
uint64_t rng_below(const struct rng *r, uint64_t n);

void hash_sha256(uint8_t out[32], const void *bytes, size_t n);
/* HMAC-SHA-256 with a 32-byte key. */
void hash_hmac256(uint8_t out[32], const uint8_t key[32], const void *bytes, size_t n);
/* Constant time. */
bool bytes_equal(const void *a, const void *b, size_t n);
void bytes_wipe(void *p, size_t n);

/* base64url without padding. out_cap must hold the result and, for encode, a NUL. False if not. */
MUST_USE bool base64url_encode(char *out, size_t out_cap, const uint8_t *bytes, size_t n);
MUST_USE bool base64url_decode(uint8_t *out, size_t out_cap, size_t *out_len, const char *text,
                               size_t len);

#endif
