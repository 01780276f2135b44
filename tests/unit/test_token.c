/* Tokens: forged, foreign and ill-formed ones first. Made here by hand, so that token_make does not
 * judge its own work. */
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include "lib/wire/token.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define NOW_S INT64_C(1771257600)
#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define EXP "\"exp\":1771257660"

static struct token_keys keys;
static enum token_reason last_reason; /* of verify */

static int setup(void **state)
{
    (void)state;
    for (int k = 0; k < TOKEN_KINDS; k++) {
        keys.kind[k].n = 2;
        memset(keys.kind[k].key[0], 0x10 + k, 32);
        memset(keys.kind[k].key[1], 0x20 + k, 32);
    }
    return crypto_init() == ERR_OK ? 0 : -1;
}

static void put_base64(struct buf *out, const void *bytes, size_t len)
{
    char text[16384];
    assert_true(base64url_encode(text, sizeof text, bytes, len));
    buf_puts(out, text);
}

/* A token of these very parts, signed by HMAC-SHA-256. */
static void forge(struct buf *out, const char *head, const char *claims, const uint8_t key[32])
{
    uint8_t mac[32];
    buf_init(out, 16384);
    put_base64(out, head, strlen(head));
    buf_putc(out, '.');
    put_base64(out, claims, strlen(claims));
    hash_hmac256(mac, key, out->data, out->len);
    buf_putc(out, '.');
    put_base64(out, mac, sizeof mac);
}

static enum err verify(const char *text, size_t len, int64_t now_s, struct who *who)
{
    struct token_verdict verdict;
    enum err err = token_verify(&keys, text, len, now_s, who, &verdict);
    last_reason = verdict.reason;
    return err;
}

static enum err verify_claims(const char *claims, enum token_kind kind, int64_t now_s,
                              struct who *who)
{
    struct buf token;
    forge(&token, HS256, claims, keys.kind[kind].key[0]);
    enum err err = verify(token.data, token.len, now_s, who);
    buf_free(&token);
    return err;
}

struct claims_case {
    enum token_reason reason;
    enum token_kind kind;
    const char *claims;
};

/* What concerns identity or trust refuses a token, and the reason is named. */
static void refuses_claims(void **state)
{
    static const struct claims_case cases[] = {
        {TOKEN_SUBJECT, TOKEN_USER, "{}"},
        {TOKEN_MALFORMED, TOKEN_USER, "[]"},
        {TOKEN_MALFORMED, TOKEN_USER, "\"x\""},
        {TOKEN_MALFORMED, TOKEN_USER, ""},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\"," EXP},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\"," EXP "}x"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"x\":\"\xff\"}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{" EXP "}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\"}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":\"\"," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":5," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":null," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":[\"alice\"]," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":\"a b\"," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":\"a\\n\"," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":\"a\\u0000\"," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":\"a\\u007f\"," EXP "}"},
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":\"\xe7\xa6\x8f\"," EXP "}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\",\"sub\":\"alice\"," EXP "}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\",\"\\u0073ub\":\"bob\"," EXP "}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\"," EXP "," EXP "}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\",\"exp\":\"1771257660\"}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\",\"exp\":null}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\",\"exp\":true}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\",\"exp\":[1771257660]}"},
        {TOKEN_NOT_YET, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":1771257631}"},
        {TOKEN_NOT_YET, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":1.771257631e9}"},
        {TOKEN_NOT_YET, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":1e300}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":\"0\"}"},
        {TOKEN_MALFORMED, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":null}"},
        /* what a key may not sign */
        {TOKEN_SUBJECT, TOKEN_USER, "{\"sub\":\"guest:x\"," EXP "}"},
        {TOKEN_SCOPE, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"scope\":\"wallet\"}"},
        {TOKEN_SCOPE, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"scope\":\"openid wallet\"}"},
        {TOKEN_SCOPE, TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"scope\":[\"wallet\"]}"},
        {TOKEN_SUBJECT, TOKEN_GUEST, "{\"sub\":\"alice\"," EXP "}"},
        {TOKEN_SCOPE, TOKEN_GUEST, "{\"sub\":\"guest:x\"," EXP ",\"scope\":\"wallet\"}"},
        {TOKEN_SCOPE, TOKEN_WALLET, "{\"sub\":\"alice\"," EXP "}"},
        {TOKEN_SCOPE, TOKEN_WALLET, "{\"sub\":\"bank\"," EXP ",\"scope\":\"Wallet\"}"},
        {TOKEN_SCOPE, TOKEN_WALLET, "{\"sub\":\"bank\"," EXP ",\"scope\":\"wallets my-wallet\"}"},
        {TOKEN_SCOPE, TOKEN_WALLET, "{\"sub\":\"bank\"," EXP ",\"scope\":[\"open wallet\"]}"},
        {TOKEN_SCOPE, TOKEN_WALLET, "{\"sub\":\"bank\"," EXP ",\"scope\":true}"},
        {TOKEN_SUBJECT, TOKEN_WALLET, "{\"sub\":\"guest:x\"," EXP ",\"scope\":\"wallet\"}"},
    };
    struct who who;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (verify_claims(cases[i].claims, cases[i].kind, NOW_S, &who) != ERR_UNAUTHORIZED ||
            last_reason != cases[i].reason)
            fail_msg("%s: %s", cases[i].claims, token_reason_name(last_reason));
}

/* Any JSON number is a time, rounded down. */
static void takes_any_number_as_a_time(void **state)
{
    static const struct {
        const char *exp;
        enum token_reason reason;
    } cases[] = {{"1771257660.0", TOKEN_GOOD},
                 {"1771257660.999", TOKEN_GOOD},
                 {"1.77125766e9", TOKEN_GOOD},
                 {"17712576600e-1", TOKEN_GOOD},
                 {"1.8e9", TOKEN_GOOD},
                 {"1771257570", TOKEN_GOOD},
                 {"1771257570.9", TOKEN_GOOD},
                 {"1771257569.9", TOKEN_EXPIRED},
                 {"1.5e9", TOKEN_EXPIRED},
                 {"0", TOKEN_EXPIRED},
                 {"-1", TOKEN_EXPIRED},
                 {"-1.5", TOKEN_EXPIRED},
                 {"-1e400", TOKEN_EXPIRED},
                 {"1e-400", TOKEN_EXPIRED},
                 {"253402300800", TOKEN_GOOD},
                 {"9223372036854775807", TOKEN_GOOD},
                 {"18446744073709551616", TOKEN_GOOD},
                 {"1e999999999999999999999", TOKEN_GOOD},
                 {"0e999999999999999999999", TOKEN_EXPIRED}};
    char claims[200];
    struct who who;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(claims, sizeof claims, "{\"sub\":\"alice\",\"exp\":%s}", cases[i].exp);
        enum err err = verify_claims(claims, TOKEN_USER, NOW_S, &who);
        if (last_reason != cases[i].reason)
            fail_msg("%s: %s", cases[i].exp, token_reason_name(last_reason));
        assert_int_equal(err, last_reason == TOKEN_GOOD ? ERR_OK : ERR_TOKEN_EXPIRED);
    }
    assert_int_equal(
        verify_claims("{\"sub\":\"alice\"," EXP ",\"nbf\":1771257630.9}", TOKEN_USER, NOW_S, &who),
        ERR_OK);
    assert_int_equal(
        verify_claims("{\"sub\":\"alice\"," EXP ",\"nbf\":-1.5e2}", TOKEN_USER, NOW_S, &who),
        ERR_OK);
}

/* What is only shown is cleaned or left out. */
static void cleans_what_is_shown(void **state)
{
    static const struct {
        const char *claims, *name;
        size_t n_groups;
    } cases[] = {
        {"\"name\":\"\"", "alice", 0},
        {"\"name\":null", "alice", 0},
        {"\"name\":7", "alice", 0},
        {"\"name\":{\"a\":[1]}", "alice", 0},
        {"\"name\":\" \\u200d\\u3164 \"", "alice", 0},
        {"\"name\":\"\",\"preferred_username\":\"al\"", "al", 0},
        {"\"name\":\"\\u200b\",\"preferred_username\":5", "alice", 0},
        {"\"preferred_username\":\"al\"", "al", 0},
        {"\"name\":\" Alice \",\"preferred_username\":\"al\"", "Alice", 0},
        {"\"name\":\"123456789012345678901234567890123\"", "12345678901234567890123456789012", 0},
        {"\"name\":\"a\\u202eb\\u200f\\u00ad\"", "ab", 0},
        {"\"name\":\"a\\u0007\\u0000b\"", "ab", 0},
        {"\"name\":\"a\\ud800b\"", "a?b", 0},
        {"\"name\":\"\\u0645\\u06cc\\u200c\\u062e\"", "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae", 0},
        {"\"groups\":\"g\"", "alice", 0},
        {"\"groups\":null", "alice", 0},
        {"\"groups\":{\"g\":1}", "alice", 0},
        {"\"groups\":[1,null,\"g\",[\"h\"],{\"i\":\"j\"},true,\"k\"]", "alice", 2},
        {"\"groups\":[\"\",\"a\\u0007\",\"a\\u0000\",\"a b\"]", "alice", 1},
        {"\"groups\":[\"/family\",\"authentik Admins\",\"\xe5\x85\xa8\xe5\xae\xb6\xe7\xa6\x8f\","
         "\"!room:host\"]",
         "alice", 4},
        {"\"groups\":[[[[[0]]]]]", "alice", 0},
        {"\"scope\":[\"openid\",5]", "alice", 0},
        {"\"scope\":null", "alice", 0},
        {"\"x\":\"\\u0000\\ud800\",\"x\":[[[[[[{}]]]]]]", "alice", 0},
        {"\"sub\\u0000\":\"bob\"", "alice", 0},
    };
    char claims[400];
    struct who who;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(claims, sizeof claims, "{\"sub\":\"alice\"," EXP ",%s}", cases[i].claims);
        if (verify_claims(claims, TOKEN_USER, NOW_S, &who) != ERR_OK ||
            strcmp(who.name, cases[i].name) != 0 || who.n_groups != cases[i].n_groups)
            fail_msg("%s: %s, %s, %zu groups", claims, token_reason_name(last_reason), who.name,
                     who.n_groups);
    }
}

static void counts_the_first_64_groups(void **state)
{
    struct buf claims;
    struct who who;
    (void)state;
    buf_init(&claims, 8192);
    buf_puts(&claims, "{\"sub\":\"alice\",\"groups\":[7,\"\"");
    for (int i = 0; i < 600; i++)
        buf_printf(&claims, ",\"g%d\"", i);
    buf_puts(&claims, "]," EXP "}");
    assert_int_equal(verify_claims(claims.data, TOKEN_USER, NOW_S, &who), ERR_OK);
    buf_free(&claims);
    assert_int_equal(who.n_groups, 64);
    assert_string_equal(who.groups[0], "g0");
    assert_string_equal(who.groups[63], "g63");
}

static void checks_audience_and_issuer(void **state)
{
    static const struct {
        enum token_reason reason;
        enum token_kind kind;
        const char *claims;
    } cases[] = {
        {TOKEN_GOOD, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":\"me\"}"},
        {TOKEN_GOOD, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":\"me\",\"aud\":\"us\"}"},
        {TOKEN_GOOD, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":\"me\",\"aud\":[\"x\",\"us\"]}"},
        {TOKEN_AUDIENCE, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":\"me\",\"aud\":\"us2\"}"},
        {TOKEN_AUDIENCE, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":\"me\",\"aud\":[]}"},
        {TOKEN_AUDIENCE, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":\"me\",\"aud\":null}"},
        {TOKEN_AUDIENCE, TOKEN_USER,
         "{\"sub\":\"a\"," EXP ",\"iss\":\"me\",\"aud\":\"us\\u0000\"}"},
        {TOKEN_ISSUER, TOKEN_USER, "{\"sub\":\"a\"," EXP "}"},
        {TOKEN_ISSUER, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":\"Me\"}"},
        {TOKEN_ISSUER, TOKEN_USER, "{\"sub\":\"a\"," EXP ",\"iss\":[\"me\"]}"},
        {TOKEN_ISSUER, TOKEN_WALLET, "{\"sub\":\"a\"," EXP ",\"scope\":\"wallet\"}"},
        {TOKEN_GOOD, TOKEN_GUEST, "{\"sub\":\"guest:x\"," EXP "}"},
    };
    struct who who, bank = {.user = "bank"};
    struct buf token;
    (void)state;
    keys.audience = "us";
    keys.issuer = "me";
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)verify_claims(cases[i].claims, cases[i].kind, NOW_S, &who);
        if (last_reason != cases[i].reason)
            fail_msg("%s: %s", cases[i].claims, token_reason_name(last_reason));
    }
    buf_init(&token, 8192);
    assert_int_equal(token_make(&keys, TOKEN_WALLET, &bank, NOW_S, 60, &token), ERR_OK);
    assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_OK);
    buf_free(&token);
    keys.audience = keys.issuer = "";
    assert_int_equal(
        verify_claims("{\"sub\":\"a\"," EXP ",\"iss\":5,\"aud\":\"x\"}", TOKEN_USER, NOW_S, &who),
        ERR_OK);
}

/* Properly signed, but with a header that is not ours; or not signed at all. */
static void refuses_other_headers(void **state)
{
    static const struct {
        enum token_reason reason;
        const char *head;
    } cases[] = {
        {TOKEN_ALGORITHM, "{\"alg\":\"none\",\"typ\":\"JWT\"}"},
        {TOKEN_ALGORITHM, "{\"alg\":\"None\"}"},
        {TOKEN_ALGORITHM, "{\"alg\":\"HS384\",\"typ\":\"JWT\"}"},
        {TOKEN_ALGORITHM, "{\"alg\":\"hs256\"}"},
        {TOKEN_ALGORITHM, "{\"alg\":\"HS256\\u0000\"}"},
        {TOKEN_ALGORITHM, "{\"alg\":[\"HS256\"]}"},
        {TOKEN_ALGORITHM, "{\"alg\":\"RS256\"}"},
        {TOKEN_ALGORITHM, "{\"alg\":\"\"}"},
        {TOKEN_ALGORITHM, "{\"alg\":256}"},
        {TOKEN_ALGORITHM, "{\"typ\":\"JWT\"}"},
        {TOKEN_ALGORITHM, "{}"},
        {TOKEN_MALFORMED, "{\"alg\":\"HS256\",\"alg\":\"HS256\"}"},
        {TOKEN_MALFORMED, "{\"alg\":\"none\",\"alg\":\"HS256\"}"},
        {TOKEN_MALFORMED, "[]"},
        {TOKEN_MALFORMED, "x"},
        {TOKEN_MALFORMED, ""},
        {TOKEN_MALFORMED, "{\"alg\":\"HS256\",\"typ\":\"JWE\"}"},
        {TOKEN_MALFORMED, "{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}"},
        {TOKEN_MALFORMED, "{\"alg\":\"HS256\",\"typ\":5}"},
        {TOKEN_CRITICAL, "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}"},
        {TOKEN_CRITICAL, "{\"alg\":\"HS256\",\"crit\":[]}"},
        {TOKEN_CRITICAL, "{\"alg\":\"HS256\",\"crit\":null}"},
        {TOKEN_CRITICAL, "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}"},
        {TOKEN_CRITICAL, "{\"alg\":\"HS256\",\"b64\":false}"},
        {TOKEN_GOOD, "{\"alg\":\"HS256\"}"},
        {TOKEN_GOOD, "{\"alg\":\"HS256\",\"typ\":\"jwt\"}"},
        {TOKEN_GOOD, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}"},
        {TOKEN_GOOD, "{\"alg\":\"HS256\",\"typ\":\"application/at+JWT\"}"},
        {TOKEN_GOOD,
         " {\"typ\":\"JWT\", \"kid\":{\"a\":[[[[[1]]]]]}, \"alg\":\"HS\\u0032\\u00356\"}"}};
    static const char claims[] = "{\"sub\":\"alice\"," EXP "}";
    struct who who;
    struct buf token;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        forge(&token, cases[i].head, claims, keys.kind[TOKEN_USER].key[0]);
        (void)verify(token.data, token.len, NOW_S, &who);
        if (last_reason != cases[i].reason)
            fail_msg("%s: %s", cases[i].head, token_reason_name(last_reason));
        char *tail = strrchr(token.data, '.'); /* the same without a signature */
        assert_int_equal(verify(token.data, (size_t)(tail - token.data), NOW_S, &who),
                         ERR_UNAUTHORIZED);
        assert_int_equal(verify(token.data, (size_t)(tail + 1 - token.data), NOW_S, &who),
                         ERR_UNAUTHORIZED);
        buf_free(&token);
    }
}

/* Nothing is parsed before the signature is known. */
static void checks_the_signature_first(void **state)
{
    uint8_t strange[32] = {7};
    struct who who;
    struct buf token;
    (void)state;
    forge(&token, "{", "{\"sub\":", strange);
    assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_UNAUTHORIZED);
    assert_int_equal(last_reason, TOKEN_SIGNATURE);
    buf_free(&token);
}

static void refuses_other_texts(void **state)
{
    static const char *const cases[] = {"",  ".",           "..",    "...",           "a.b.c",
                                        "x", "e30.e30.e30", "=.=.=", "\xff.\xff.\xff"};
    struct who who;
    struct buf token;
    uint8_t strange[32] = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(verify(cases[i], strlen(cases[i]), NOW_S, &who), ERR_UNAUTHORIZED);
    forge(&token, HS256, "{\"sub\":\"alice\"," EXP "}", strange);
    assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_UNAUTHORIZED);
    buf_free(&token);
    forge(&token, HS256, "{\"sub\":\"alice\"," EXP "}", keys.kind[TOKEN_USER].key[0]);
    assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_OK);
    for (size_t len = 0; len < token.len; len++)
        assert_int_equal(verify(token.data, len, NOW_S, &who), ERR_UNAUTHORIZED);
    for (size_t i = 0; i < token.len; i += 3) {
        token.data[i] ^= 1;
        assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_UNAUTHORIZED);
        token.data[i] ^= 1;
    }
    assert_int_equal(verify(token.data, token.len + 1, NOW_S, &who), ERR_UNAUTHORIZED); /* a NUL */
    buf_puts(&token, ".x");
    assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_UNAUTHORIZED);
    buf_free(&token);
    char *huge = malloc(8193);
    assert_non_null(huge);
    memset(huge, 'a', 8193);
    assert_int_equal(verify(huge, 8193, NOW_S, &who), ERR_UNAUTHORIZED);
    assert_int_equal(verify(huge, 8192, NOW_S, &who), ERR_UNAUTHORIZED);
    free(huge);
}

/* 30 s leeway on both ends. */
static void keeps_time(void **state)
{
    static const char claims[] = "{\"sub\":\"alice\"," EXP ",\"nbf\":1771257600}";
    struct who who;
    (void)state;
    assert_int_equal(verify_claims(claims, TOKEN_USER, NOW_S - 31, &who), ERR_UNAUTHORIZED);
    assert_int_equal(verify_claims(claims, TOKEN_USER, NOW_S - 30, &who), ERR_OK);
    assert_int_equal(verify_claims(claims, TOKEN_USER, NOW_S + 60 + 29, &who), ERR_OK);
    assert_int_equal(verify_claims(claims, TOKEN_USER, NOW_S + 60 + 31, &who), ERR_TOKEN_EXPIRED);
    assert_int_equal(verify_claims("{\"sub\":\"alice\",\"exp\":0}", TOKEN_USER, NOW_S, &who),
                     ERR_TOKEN_EXPIRED);
}

static void takes(void **state)
{
    struct who who;
    (void)state;
    memset(&who, 'x', sizeof who);
    assert_int_equal(verify_claims("{\"sub\":\"alice\"," EXP "}", TOKEN_USER, NOW_S, &who), ERR_OK);
    assert_string_equal(who.user, "alice");
    assert_string_equal(who.name, "alice");
    assert_false(who.wallet);
    assert_int_equal(who.n_groups, 0);
    assert_int_equal(verify_claims("{\"sub\":\"a.B_1:x@y-z\"," EXP
                                   ",\"name\":\"\xe7\xa6\x8f\",\"groups\":[\"g\",\"h\"]}",
                                   TOKEN_USER, NOW_S, &who),
                     ERR_OK);
    assert_string_equal(who.name, "\xe7\xa6\x8f");
    assert_int_equal(who.n_groups, 2);
    assert_string_equal(who.groups[1], "h");
    assert_int_equal(verify_claims("{\"sub\":\"guest:x\"," EXP "}", TOKEN_GUEST, NOW_S, &who),
                     ERR_OK);
    assert_false(who.wallet);
    assert_int_equal(
        verify_claims("{\"sub\":\"bank\"," EXP ",\"scope\":\"wallet\"}", TOKEN_WALLET, NOW_S, &who),
        ERR_OK);
    assert_true(who.wallet);
    assert_int_equal(verify_claims("{\"sub\":\"alice\"," EXP ",\"scope\":\"openid profile\"}",
                                   TOKEN_USER, NOW_S, &who),
                     ERR_OK);
}

/* A back end's other claims are its own business, whatever they hold. */
static void ignores_unknown_claims(void **state)
{
    struct buf claims;
    struct who who;
    (void)state;
    assert_int_equal(verify_claims("{\"sub\":\"alice\"," EXP
                                   ",\"iat\":-5,\"iss\":null,\"jti\":1.5}",
                                   TOKEN_USER, NOW_S, &who),
                     ERR_OK);
    assert_int_equal(verify_claims("{\"sub\":\"alice\"," EXP
                                   ",\"x\":{\"a\":{\"b\":{\"c\":{\"d\":[[[1]]]}}}}}",
                                   TOKEN_USER, NOW_S, &who),
                     ERR_OK);
    buf_init(&claims, 8192);
    buf_puts(&claims, "{\"sub\":\"alice\"," EXP ",\"roles\":[0");
    for (int i = 0; i < 400; i++)
        buf_puts(&claims, ",1");
    buf_puts(&claims, "]}");
    assert_int_equal(verify_claims(claims.data, TOKEN_USER, NOW_S, &who), ERR_OK);
    assert_string_equal(who.user, "alice");
    buf_free(&claims);
}

static void keys_rotate(void **state)
{
    struct who who;
    struct buf token;
    (void)state;
    forge(&token, HS256, "{\"sub\":\"alice\"," EXP "}", keys.kind[TOKEN_USER].key[1]);
    assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_OK);
    keys.kind[TOKEN_USER].n = 1;
    assert_int_equal(verify(token.data, token.len, NOW_S, &who), ERR_UNAUTHORIZED);
    keys.kind[TOKEN_USER].n = 2;
    buf_free(&token);
}

static void takes_what_it_made(void **state)
{
    struct who made = {.user = "guest:x",
                       .name = "\"\\\xe7\xa6\x8f",
                       .n_groups = 2,
                       .groups = {"g", "h \"1"}},
               who;
    struct token_verdict verdict;
    struct buf token;
    (void)state;
    buf_init(&token, 8192);
    assert_int_equal(token_make(&keys, TOKEN_GUEST, &made, NOW_S, 60, &token), ERR_OK);
    assert_int_equal(token_verify(&keys, token.data, token.len, NOW_S, &who, &verdict), ERR_OK);
    assert_int_equal(verdict.expires_s, NOW_S + 60);
    assert_int_equal(verdict.kind, TOKEN_GUEST);
    assert_string_equal(who.user, made.user);
    assert_string_equal(who.name, made.name);
    assert_int_equal(who.n_groups, 2);
    assert_string_equal(who.groups[1], "h \"1");
    buf_reset(&token);
    struct who bank = {.user = "bank"};
    assert_int_equal(token_make(&keys, TOKEN_WALLET, &bank, NOW_S, 60, &token), ERR_OK);
    assert_int_equal(token_verify(&keys, token.data, token.len, NOW_S, &who, &verdict), ERR_OK);
    assert_true(who.wallet);
    buf_free(&token);
    buf_init(&token, 10);
    assert_int_equal(token_make(&keys, TOKEN_WALLET, &bank, NOW_S, 60, &token), ERR_FAULT);
    buf_free(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_claims),
        cmocka_unit_test(takes_any_number_as_a_time),
        cmocka_unit_test(cleans_what_is_shown),
        cmocka_unit_test(counts_the_first_64_groups),
        cmocka_unit_test(checks_audience_and_issuer),
        cmocka_unit_test(refuses_other_headers),
        cmocka_unit_test(checks_the_signature_first),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(keeps_time),
        cmocka_unit_test(takes),
        cmocka_unit_test(ignores_unknown_claims),
        cmocka_unit_test(keys_rotate),
        cmocka_unit_test(takes_what_it_made),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
