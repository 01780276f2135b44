/* Thin wrappers around libsodium, so that the rest of the tree has no other source of randomness
 * and no other hash, and tests can replace the random source. */
#include "lib/base/crypto.h"
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

static void fill_system(void *self, void *out, size_t n)
{
    (void)self;
    randombytes_buf(out, n);
}

const struct rng rng_system = {.fill = fill_system};

enum err crypto_init(void)
{
    return sodium_init() < 0 ? ERR_FAULT : ERR_OK;
}

uint64_t rng_below(const struct rng *r, uint64_t n)
{
    assert(n > 0);
    /* 2^64 mod n words are rejected: they would make the lowest results more likely */
    uint64_t excess = (UINT64_MAX % n + 1) % n, word;
    do
        r->fill(r->self, &word, sizeof word);
    while (excess != 0 && word >= UINT64_MAX - excess + 1);
    return word % n;
}

void hash_sha256(uint8_t out[32], const void *bytes, size_t n)
{
    crypto_hash_sha256(out, bytes, n);
}

struct hash_stream {
    crypto_hash_sha256_state state;
};

struct hash_stream *hash_stream_new(void)
{
    struct hash_stream *h = malloc(sizeof *h);
    if (h != NULL)
        crypto_hash_sha256_init(&h->state);
    return h;
}

void hash_stream_add(struct hash_stream *h, const void *bytes, size_t n)
{
    crypto_hash_sha256_update(&h->state, bytes, n);
}

void hash_stream_with(const struct hash_stream *h, const void *bytes, size_t n, uint8_t out[32])
{
    crypto_hash_sha256_state state = h->state;
    crypto_hash_sha256_update(&state, bytes, n);
    crypto_hash_sha256_final(&state, out);
}

void hash_stream_free(struct hash_stream *h)
{
    free(h);
}

void hash_hmac256(uint8_t out[32], const uint8_t key[32], const void *bytes, size_t n)
{
    crypto_auth_hmacsha256(out, bytes, n, key);
}

uint64_t hash_short(const uint8_t key[SHORT_KEY_SIZE], const void *bytes, size_t n)
{
    _Static_assert(SHORT_KEY_SIZE == crypto_shorthash_KEYBYTES, "the size of SipHash's key");
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "the size of SipHash's result");
    crypto_shorthash((unsigned char *)&hash, bytes, n, key);
    return hash;
}

bool bytes_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void bytes_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

bool base64url_encode(char *out, size_t out_cap, const uint8_t *bytes, size_t n)
{
    if (out_cap < sodium_base64_ENCODED_LEN(n, VARIANT))
        return false;
    return sodium_bin2base64(out, out_cap, bytes, n, VARIANT) != NULL;
}

bool base64url_decode(uint8_t *out, size_t out_cap, size_t *out_len, const char *text, size_t len)
{
    const char *end;
    return sodium_base642bin(out, out_cap, text, len, NULL, out_len, &end, VARIANT) == 0 &&
           end == text + len;
}
