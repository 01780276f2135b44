/* Bearer tokens: JWT, HS256. The only user of libjwt. Three kinds of key: of ordinary tokens, of
 * guest tokens (user ids beginning "guest:", and no others), of wallet tokens (scope "wallet"). */
#ifndef HONGBAO_WIRE_TOKEN_H
#define HONGBAO_WIRE_TOKEN_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/domain/who.h"

enum token_kind { TOKEN_USER, TOKEN_GUEST, TOKEN_WALLET, TOKEN_KINDS };

/* A secret file: one or two lines of 64 hex digits, the current first, then the previous one. */
struct secret_pair {
    size_t n; /* 1 or 2 */
    uint8_t key[2][32];
};
/* ERR_FAULT with *message set: unreadable, malformed, or readable by others (mode & 007). */
MUST_USE enum err secret_load(struct secret_pair *pair, const char *path, struct buf *message);

struct token_keys {
    struct secret_pair kind[TOKEN_KINDS];
};
/* Verifies text[0..len): signature by the kind that the claims demand (a guest: id only with the
 * guest key, scope "wallet" only with the wallet key, all else only with the user key), alg HS256
 * exactly, exp required (integer), 30 s leeway on exp and nbf, sub, name and groups as in DESIGN;
 * unknown claims are ignored. ERR_UNAUTHORIZED, ERR_TOKEN_EXPIRED, ERR_OK. Thread-safe.
 * *expires_s gets exp. len over 8192 is refused. */
MUST_USE enum err token_verify(const struct token_keys *keys, const char *text, size_t len,
                               int64_t now_s, struct who *who, int64_t *expires_s);
/* A new token signed with the current key of its kind. */
MUST_USE enum err token_make(const struct token_keys *keys, enum token_kind kind,
                             const struct who *who, int64_t now_s, int64_t ttl_s, struct buf *out);

/* Verified tokens remembered by SHA-256 until they expire: a bounded table shared by the threads of
 * a process. Same results as token_verify. */
struct token_cache;
struct token_cache *token_cache_new(const struct token_keys *keys, size_t slots);
void token_cache_free(struct token_cache *c);
MUST_USE enum err token_cache_verify(struct token_cache *c, const char *text, size_t len,
                                     int64_t now_s, struct who *who);

#endif
