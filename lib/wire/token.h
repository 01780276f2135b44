/* Bearer tokens: JWT (RFC 7519) with HS256; token.c is the only user of libjwt. Three kinds of key:
 * for ordinary tokens, for guest tokens (user ids that begin with "guest:", and no others), and for
 * wallet tokens (scope "wallet"). */
#ifndef HONGBAO_WIRE_TOKEN_H
#define HONGBAO_WIRE_TOKEN_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/domain/who.h"

/* Clocks of the service and of the issuer may differ by this much. */
#define TOKEN_LEEWAY_S 30

enum token_kind { TOKEN_USER, TOKEN_GUEST, TOKEN_WALLET, TOKEN_KINDS };

/* The keys of a secret file: one or two lines of 64 hex digits, the current key first, then the
 * previous one. */
struct secret_pair {
    size_t n; /* 1 or 2 */
    uint8_t key[2][32];
};
/* Load the keys of the file path into *pair. ERR_FAULT, with the reason appended to *message, if
 * the file is unreadable, malformed, or accessible by others (mode & 007). */
MUST_USE enum err secret_load(struct secret_pair *pair, const char *path, struct buf *message);

struct token_keys {
    struct secret_pair kind[TOKEN_KINDS];
};
/* Verify text[0..len) at now_s (UTC seconds) and fill *who and *expires_s (its exp). The key that
 * signed it must be of the kind that its members require; alg must be HS256; exp is required, and
 * exp and nbf have a leeway of TOKEN_LEEWAY_S; unknown members are ignored. ERR_UNAUTHORIZED, also
 * if len is over 8192; ERR_TOKEN_EXPIRED; ERR_FAULT if there is no memory. Thread-safe. */
MUST_USE enum err token_verify(const struct token_keys *keys, const char *text, size_t len,
                               int64_t now_s, struct who *who, int64_t *expires_s);
/* Append a token of that kind for *who to out, issued at now_s (UTC seconds), valid for ttl_s
 * seconds, and signed with the current key. ERR_FAULT if there is no memory. Thread-safe. */
MUST_USE enum err token_make(const struct token_keys *keys, enum token_kind kind,
                             const struct who *who, int64_t now_s, int64_t ttl_s, struct buf *out);

/* Verified tokens by their SHA-256 until they expire: a bounded table that the threads of a process
 * share. A full place is overwritten. */
struct token_cache;
/* Return an empty cache with slots places for tokens of keys, which must outlive it, or NULL if
 * there is no memory. Free it with token_cache_free. */
struct token_cache *token_cache_new(const struct token_keys *keys, size_t slots);
/* Free c, which may be NULL. */
void token_cache_free(struct token_cache *c);
/* Verify text[0..len) at now_s and fill *who, with the results of token_verify. Thread-safe. */
MUST_USE enum err token_cache_verify(struct token_cache *c, const char *text, size_t len,
                                     int64_t now_s, struct who *who);

#endif
