/* Bearer tokens: JWT (RFC 7519) signed with HS256 (RFC 7515). Three kinds of key: for ordinary
 * tokens, for guest tokens (user ids that begin with "guest:", and no others), and for wallet
 * tokens (scope "wallet"). */
#ifndef HONGBAO_WIRE_TOKEN_H
#define HONGBAO_WIRE_TOKEN_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/domain/who.h"
#include "lib/wire/secret.h"

/* Clocks of the service and of the issuer may differ by this much. */
#define TOKEN_LEEWAY_S 30

enum token_kind { TOKEN_USER, TOKEN_GUEST, TOKEN_WALLET, TOKEN_KINDS };

/* Why a token is refused. */
enum token_reason {
    TOKEN_GOOD,
    TOKEN_MALFORMED, /* not three parts, not JSON, a known member of the wrong type or given twice
                      */
    TOKEN_SIGNATURE, /* no key of ours signed it */
    TOKEN_ALGORITHM, /* alg is not exactly HS256 */
    TOKEN_CRITICAL,  /* has crit, or b64 (RFC 7797) */
    TOKEN_SUBJECT,   /* sub is no user id, or not of the kind that the key signs */
    TOKEN_SCOPE,     /* scope is not of the kind that the key signs */
    TOKEN_AUDIENCE,  /* aud is present and does not contain ours */
    TOKEN_ISSUER,    /* iss is not ours */
    TOKEN_NOT_YET,   /* nbf is in the future */
    TOKEN_EXPIRED    /* exp is in the past */
};

/* What a token must agree with. */
struct token_keys {
    struct secret_pair kind[TOKEN_KINDS]; /* n = 0: no token of that kind is accepted */
    const char *audience, *issuer;        /* NULL or "": any. Guest tokens are not checked. */
};

/* What is known of a token besides the user. */
struct token_verdict {
    enum token_reason reason;
    enum token_kind kind; /* of the key that signed it, unless reason is malformed or signature */
    int64_t expires_s;    /* exp, rounded down; set if reason is TOKEN_GOOD or TOKEN_EXPIRED */
};
/* Return the name of reason for logs ("not_yet"); "" for TOKEN_GOOD. A static string. */
const char *token_reason_name(enum token_reason reason);
/* Verify text[0..len) at now_s (UTC seconds) and fill *who and *verdict. The signature is checked
 * first, against every key; nothing is parsed before. The key that signed the token must be of the
 * kind that sub and scope require; exp is required, and exp and nbf have a leeway of
 * TOKEN_LEEWAY_S. The name is cleaned and never a reason to refuse; groups that are no valid group
 * names are left out; unknown members are ignored. ERR_TOKEN_EXPIRED, ERR_UNAUTHORIZED for every
 * other reason, or ERR_FAULT if there is no memory; *who is then undefined. Thread-safe. */
MUST_USE enum err token_verify(const struct token_keys *keys, const char *text, size_t len,
                               int64_t now_s, struct who *who, struct token_verdict *verdict);
/* Append a token of that kind for *who to out, issued at now_s (UTC seconds), valid for ttl_s
 * seconds, signed with the current key of keys and with their audience and issuer. ERR_FAULT if
 * it would be longer than a valid token, or there is no memory. Thread-safe. */
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
/* Verify text[0..len) at now_s and fill *who and *reason, with the results of token_verify.
 * Thread-safe. */
MUST_USE enum err token_cache_verify(struct token_cache *c, const char *text, size_t len,
                                     int64_t now_s, struct who *who, enum token_reason *reason);

#endif
