/* Randomness, passed in so that tests can seed it, and the few primitives of libsodium that the
 * tree uses; crypto.c is the only user of libsodium. crypto_init must have succeeded once in the
 * process before any other function here is called; after that all are thread-safe. */
#ifndef HONGBAO_BASE_CRYPTO_H
#define HONGBAO_BASE_CRYPTO_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    /* Fill out with n random bytes. self is the member below. */
    void (*fill)(void *self, void *out, size_t n);
    void *self; /* state of a seeded source; NULL for rng_system */
};

/* The random source of the operating system, through libsodium. */
extern const struct rng rng_system;

/* Initialize libsodium. ERR_FAULT if the machine has no random source. */
MUST_USE enum err crypto_init(void);
/* Return a uniform number in 0..n-1, drawn from r by rejection; n > 0 (asserted). */
uint64_t rng_below(const struct rng *r, uint64_t n);

/* Write the SHA-256 of n bytes to out. */
void hash_sha256(uint8_t out[32], const void *bytes, size_t n);
struct hash_stream;
/* Return a SHA-256 over no bytes yet, to be freed with hash_stream_free, or NULL if there is no
 * memory. A stream is used by one thread at a time. */
struct hash_stream *hash_stream_new(void);
/* Add n bytes to the stream h. */
void hash_stream_add(struct hash_stream *h, const void *bytes, size_t n);
/* Write to out the SHA-256 of what was added to h and then n more bytes, which are not added. */
void hash_stream_with(const struct hash_stream *h, const void *bytes, size_t n, uint8_t out[32]);
/* Free h; it may be NULL. */
void hash_stream_free(struct hash_stream *h);
/* Write the HMAC-SHA-256 of n bytes under the 32-byte key to out. */
void hash_hmac256(uint8_t out[32], const uint8_t key[32], const void *bytes, size_t n);
#define SHORT_KEY_SIZE 16
/* Return the 64-bit SipHash-2-4 of n bytes under key, for tables indexed by what a client chooses:
 * without the key no collision can be constructed. */
uint64_t hash_short(const uint8_t key[SHORT_KEY_SIZE], const void *bytes, size_t n);
/* Return true if the n bytes at a and b are equal, in time that depends on n only. */
bool bytes_equal(const void *a, const void *b, size_t n);
/* Overwrite n bytes at p with zeros, even if the compiler sees no later read. */
void bytes_wipe(void *p, size_t n);

/* Write n bytes to out as base64url without padding, and a NUL (RFC 4648, section 5). Return false,
 * with out undefined, if the text does not fit in out_cap bytes. */
MUST_USE bool base64url_encode(char *out, size_t out_cap, const uint8_t *bytes, size_t n);
/* Decode text[0..len), base64url without padding, to out and set *out_len. Return false if the text
 * is not well formed or the bytes do not fit in out_cap; out is then undefined. */
MUST_USE bool base64url_decode(uint8_t *out, size_t out_cap, size_t *out_len, const char *text,
                               size_t len);

#endif
