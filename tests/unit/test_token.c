/* Tokens: forged, foreign and ill-formed ones first. Made here by hand, so that libjwt does not
 * judge its own work. */
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include "lib/wire/token.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define NOW_S INT64_C(1771257600)
#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define EXP "\"exp\":1771257660"

static struct token_keys keys;

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
    int64_t expires_s;
    return token_verify(&keys, text, len, now_s, who, &expires_s);
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
    enum token_kind kind;
    const char *claims;
};

static void refuses_claims(void **state)
{
    static const struct claims_case cases[] = {
        {TOKEN_USER, "{}"},
        {TOKEN_USER, "[]"},
        {TOKEN_USER, "\"x\""},
        {TOKEN_USER, "{" EXP "}"},
        {TOKEN_USER, "{\"sub\":\"alice\"}"},
        {TOKEN_USER, "{\"sub\":\"\"," EXP "}"},
        {TOKEN_USER, "{\"sub\":5," EXP "}"},
        {TOKEN_USER, "{\"sub\":null," EXP "}"},
        {TOKEN_USER, "{\"sub\":\"a b\"," EXP "}"},
        {TOKEN_USER, "{\"sub\":\"a\\n\"," EXP "}"},
        {TOKEN_USER, "{\"sub\":\"\xe7\xa6\x8f\"," EXP "}"},
        {TOKEN_USER, "{\"sub\":\"*world\"," EXP "}"},
        {TOKEN_USER,
         "{\"sub\":\"1234567890123456789012345678901234567890123456789012345678901234x\"," EXP "}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":\"1771257660\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":1771257660.0}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":1.8e9}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":-1}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":null}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":true}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":253402300800}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":9223372036854775807}"},
        {TOKEN_USER, "{\"sub\":\"alice\",\"exp\":18446744073709551616}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":1771257631}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":\"0\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"nbf\":-1}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"name\":\"\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"name\":7}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"name\":\"123456789012345678901234567890123\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"name\":\"a\\u202eb\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"name\":\"a\\u0007\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"name\":\"a\\u0000b\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"groups\":\"g\"}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"groups\":{\"g\":1}}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"groups\":[1]}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"groups\":[\"\"]}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"groups\":[\"g\",\"a b\"]}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"groups\":[[\"g\"]]}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"groups\":[[[[[0]]]]]}"},
        /* what a key may not sign */
        {TOKEN_USER, "{\"sub\":\"guest:x\"," EXP "}"},
        {TOKEN_USER, "{\"sub\":\"alice\"," EXP ",\"scope\":\"wallet\"}"},
        {TOKEN_GUEST, "{\"sub\":\"alice\"," EXP "}"},
        {TOKEN_GUEST, "{\"sub\":\"guest:x\"," EXP ",\"scope\":\"wallet\"}"},
        {TOKEN_WALLET, "{\"sub\":\"alice\"," EXP "}"},
        {TOKEN_WALLET, "{\"sub\":\"bank\"," EXP ",\"scope\":\"Wallet\"}"},
        {TOKEN_WALLET, "{\"sub\":\"bank\"," EXP ",\"scope\":[\"wallet\"]}"},
        {TOKEN_WALLET, "{\"sub\":\"guest:x\"," EXP ",\"scope\":\"wallet\"}"},
    };
    struct who who;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (verify_claims(cases[i].claims, cases[i].kind, NOW_S, &who) != ERR_UNAUTHORIZED)
            fail_msg("taken: %s", cases[i].claims);
}

static void refuses_65_groups(void **state)
{
    struct buf claims;
    struct who who;
    (void)state;
    for (int n = 65; n >= 64; n--) {
        buf_init(&claims, 4096);
        buf_puts(&claims, "{\"sub\":\"alice\"," EXP ",\"groups\":[");
        for (int i = 0; i < n; i++)
            buf_printf(&claims, "%s\"g%d\"", i == 0 ? "" : ",", i);
        buf_puts(&claims, "]}");
        assert_int_equal(verify_claims(claims.data, TOKEN_USER, NOW_S, &who),
                         n == 64 ? ERR_OK : ERR_UNAUTHORIZED);
        buf_free(&claims);
    }
    assert_int_equal(who.n_groups, 64);
    assert_string_equal(who.groups[63], "g63");
}

/* Properly signed, but by another algorithm's name; or not signed at all. */
static void refuses_other_algorithms(void **state)
{
    static const char *const heads[] = {"{\"alg\":\"none\",\"typ\":\"JWT\"}",
                                        "{\"alg\":\"None\"}",
                                        "{\"alg\":\"HS384\",\"typ\":\"JWT\"}",
                                        "{\"alg\":\"HS512\"}",
                                        "{\"alg\":\"RS256\"}",
                                        "{\"alg\":\"ES256\"}",
                                        "{\"alg\":\"\"}",
                                        "{\"alg\":256}",
                                        "{\"typ\":\"JWT\"}",
                                        "{}",
                                        "[]",
                                        "x",
                                        "{\"alg\":\"HS256\",\"typ\":\"JWE\"}"};
    static const char claims[] = "{\"sub\":\"alice\"," EXP "}";
    struct who who;
    struct buf token;
    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        forge(&token, heads[i], claims, keys.kind[TOKEN_USER].key[0]);
        if (verify(token.data, token.len, NOW_S, &who) != ERR_UNAUTHORIZED)
            fail_msg("taken: %s", heads[i]);
        char *tail = strrchr(token.data, '.'); /* the same without a signature */
        assert_int_equal(verify(token.data, (size_t)(tail - token.data), NOW_S, &who),
                         ERR_UNAUTHORIZED);
        assert_int_equal(verify(token.data, (size_t)(tail + 1 - token.data), NOW_S, &who),
                         ERR_UNAUTHORIZED);
        buf_free(&token);
    }
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
    /* no name and a long id: the name is what fits one */
    assert_int_equal(
        verify_claims(
            "{\"sub\":\"1234567890123456789012345678901234567890123456789012345678901234\"," EXP
            "}",
            TOKEN_USER, NOW_S, &who),
        ERR_OK);
    assert_string_equal(who.name, "12345678901234567890123456789012");
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
                       .groups = {"g", "h:1"}},
               who;
    int64_t expires_s = 0;
    struct buf token;
    (void)state;
    buf_init(&token, 8192);
    assert_int_equal(token_make(&keys, TOKEN_GUEST, &made, NOW_S, 60, &token), ERR_OK);
    assert_int_equal(token_verify(&keys, token.data, token.len, NOW_S, &who, &expires_s), ERR_OK);
    assert_int_equal(expires_s, NOW_S + 60);
    assert_string_equal(who.user, made.user);
    assert_string_equal(who.name, made.name);
    assert_int_equal(who.n_groups, 2);
    assert_string_equal(who.groups[1], "h:1");
    buf_reset(&token);
    struct who bank = {.user = "bank"};
    assert_int_equal(token_make(&keys, TOKEN_WALLET, &bank, NOW_S, 60, &token), ERR_OK);
    assert_int_equal(token_verify(&keys, token.data, token.len, NOW_S, &who, &expires_s), ERR_OK);
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
        cmocka_unit_test(refuses_65_groups),
        cmocka_unit_test(refuses_other_algorithms),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(keeps_time),
        cmocka_unit_test(takes),
        cmocka_unit_test(ignores_unknown_claims),
        cmocka_unit_test(keys_rotate),
        cmocka_unit_test(takes_what_it_made),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
