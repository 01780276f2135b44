/* The signature is checked first: what an attacker writes is never parsed. It also decides which
 * kind of token it is; the members that depend on the kind are checked against the key that signed,
 * so that no key can make a token of another kind. */
#include "lib/wire/token.h"
#include "lib/base/crypto.h"
#include "lib/wire/json.h"
#include "lib/wire/token_members.h"
#include <string.h>

#define TOKEN_MAX 8192
#define MAC_BYTES 32

const char *token_reason_name(enum token_reason reason)
{
    static const char *const names[] = {"",         "malformed", "signature", "algorithm",
                                        "critical", "subject",   "scope",     "audience",
                                        "issuer",   "not_yet",   "expired"};
    return names[reason];
}

/* Set *kind to that of the key whose MAC of text[0..len) is mac. Return false if there is none. */
static bool find_signer(const struct token_keys *keys, const char *text, size_t len,
                        const uint8_t mac[MAC_BYTES], enum token_kind *kind)
{
    uint8_t own[MAC_BYTES];
    for (int k = 0; k < TOKEN_KINDS; k++)
        for (size_t i = 0; i < keys->kind[k].n; i++) {
            hash_hmac256(own, keys->kind[k].key[i], text, len);
            *kind = (enum token_kind)k;
            if (bytes_equal(own, mac, sizeof own))
                return true;
        }
    return false;
}

/* Verify the token head "." payload "." signature, whose dots are at these positions. */
static enum err verify_parts(const struct token_keys *keys, const char *text, size_t len,
                             const char *dots[2], int64_t now_s, struct who *who,
                             struct token_verdict *verdict)
{
    uint8_t mac[MAC_BYTES], json[TOKEN_MAX];
    size_t head_len = (size_t)(dots[0] - text), signed_len = (size_t)(dots[1] - text), n = 0;
    verdict->reason = TOKEN_SIGNATURE;
    if (!base64url_decode(mac, sizeof mac, &n, dots[1] + 1, len - signed_len - 1) ||
        n != sizeof mac || !find_signer(keys, text, signed_len, mac, &verdict->kind))
        return ERR_OK;
    verdict->reason = TOKEN_MALFORMED;
    if (!base64url_decode(json, sizeof json, &n, text, head_len))
        return ERR_OK;
    enum err err = token_read_header((const char *)json, n, &verdict->reason);
    if (err != ERR_OK || verdict->reason != TOKEN_GOOD)
        return err;
    verdict->reason = TOKEN_MALFORMED;
    if (!base64url_decode(json, sizeof json, &n, dots[0] + 1, signed_len - head_len - 1))
        return ERR_OK;
    return token_read_payload(keys, (const char *)json, n, now_s, who, verdict);
}

enum err token_verify(const struct token_keys *keys, const char *text, size_t len, int64_t now_s,
                      struct who *who, struct token_verdict *verdict)
{
    const char *dots[2] = {NULL, NULL};
    verdict->reason = TOKEN_MALFORMED;
    if (len > TOKEN_MAX)
        return ERR_UNAUTHORIZED;
    dots[0] = memchr(text, '.', len);
    if (dots[0] != NULL)
        dots[1] = memchr(dots[0] + 1, '.', len - (size_t)(dots[0] + 1 - text));
    if (dots[1] == NULL)
        return ERR_UNAUTHORIZED;
    enum err err = verify_parts(keys, text, len, dots, now_s, who, verdict);
    if (err != ERR_OK || verdict->reason == TOKEN_GOOD)
        return err;
    return verdict->reason == TOKEN_EXPIRED ? ERR_TOKEN_EXPIRED : ERR_UNAUTHORIZED;
}

static void put_optional(struct json_writer *w, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_put_string(w, key, text);
}

static void write_payload(const struct token_keys *keys, enum token_kind kind,
                          const struct who *who, int64_t now_s, int64_t ttl_s, struct buf *out)
{
    struct json_writer *w = json_writer_new(out);
    if (w == NULL) {
        out->failed = true;
        return;
    }
    json_open_object(w, NULL);
    json_put_string(w, "sub", who->user);
    put_optional(w, "name", who->name);
    if (kind == TOKEN_WALLET)
        json_put_string(w, "scope", "wallet");
    put_optional(w, "aud", keys->audience);
    put_optional(w, "iss", keys->issuer);
    json_put_int(w, "iat", now_s);
    json_put_int(w, "exp", now_s + ttl_s);
    if (who->n_groups > 0) {
        json_open_array(w, "groups");
        for (size_t i = 0; i < who->n_groups; i++)
            json_put_string(w, NULL, who->groups[i]);
        json_close_array(w);
    }
    json_close_object(w);
    json_writer_free(w);
}

static void put_base64(struct buf *out, const void *bytes, size_t n)
{
    char text[2 * TOKEN_MAX];
    if (base64url_encode(text, sizeof text, bytes, n))
        buf_puts(out, text);
    else
        out->failed = true;
}

enum err token_make(const struct token_keys *keys, enum token_kind kind, const struct who *who,
                    int64_t now_s, int64_t ttl_s, struct buf *out)
{
    static const char head[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    uint8_t mac[MAC_BYTES];
    struct buf payload, token;
    buf_init(&payload, TOKEN_MAX);
    buf_init(&token, TOKEN_MAX);
    write_payload(keys, kind, who, now_s, ttl_s, &payload);
    put_base64(&token, head, sizeof head - 1);
    buf_putc(&token, '.');
    if (!payload.failed)
        put_base64(&token, payload.data, payload.len);
    bool ok = !payload.failed && !token.failed;
    if (ok) {
        hash_hmac256(mac, keys->kind[kind].key[0], token.data, token.len);
        buf_putc(&token, '.');
        put_base64(&token, mac, sizeof mac);
        ok = !token.failed;
    }
    if (ok)
        buf_append(out, token.data, token.len);
    buf_free(&payload);
    buf_free(&token);
    return ok && !out->failed ? ERR_OK : ERR_FAULT;
}
