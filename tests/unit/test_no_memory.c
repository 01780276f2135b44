/* Every allocation of the token and JSON code fails once: the result is a fault and never a
 * refusal, because a client that is refused throws its token away. */
#include "lib/base/crypto.h"
#include "lib/wire/api.h"
#include "lib/wire/json.h"
#include "lib/wire/token.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S INT64_C(1771257600)

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_FAIL 1

/* glibc's names for its own allocator, which stay when a program defines these functions. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);

static long countdown = -1; /* allocations until one fails; negative: none fails */
static bool failed;

static bool allocation_fails(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return allocation_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return allocation_fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return allocation_fails() ? NULL : __libc_realloc(p, size);
}
#else
static long countdown = -1;
static bool failed;
#endif

static struct token_keys keys;

static int setup(void **state)
{
    (void)state;
    for (int k = 0; k < TOKEN_KINDS; k++) {
        keys.kind[k].n = 1;
        memset(keys.kind[k].key[0], 1 + k, 32);
    }
    return crypto_init() == ERR_OK ? 0 : -1;
}

/* Run attempt with the first, second ... allocation failing until none fails any more. */
static void fail_each(bool (*attempt)(void))
{
#ifndef CAN_FAIL
    skip();
#endif
    long n = -1;
    do {
        failed = false;
        countdown = ++n;
        bool good = attempt();
        countdown = -1;
        if (!good)
            fail_msg("allocation %ld", n);
    } while (failed);
    assert_true(n > 0); /* something was allocated */
}

static struct buf token;

static bool verify(void)
{
    static struct who who;
    struct token_verdict verdict;
    enum err err = token_verify(&keys, token.data, token.len, NOW_S, &who, &verdict);
    return err == (failed ? ERR_FAULT : ERR_OK);
}

static bool verify_cached(void)
{
    static struct who who;
    enum token_reason reason;
    long armed = countdown;
    countdown = -1;
    struct token_cache *cache = token_cache_new(&keys, 1);
    countdown = armed;
    enum err err = token_cache_verify(cache, token.data, token.len, NOW_S, &who, &reason);
    countdown = -1;
    token_cache_free(cache);
    return err == ERR_OK || (failed && err == ERR_FAULT); /* it may go on without remembering */
}

static bool make(void)
{
    static const struct who who = {
        .user = "alice", .name = "Alice", .n_groups = 1, .groups = {"g"}};
    struct buf out;
    buf_init(&out, 8192);
    enum err err = token_make(&keys, TOKEN_USER, &who, NOW_S, 60, &out);
    buf_free(&out);
    return err == (failed ? ERR_FAULT : ERR_OK);
}

static bool decode(void)
{
    static const char body[] = "{\"name\":\"a\\u0062\"}";
    struct api_guest guest;
    struct problem p;
    enum err err = api_decode_guest(body, sizeof body - 1, &guest, &p);
    return err == (failed ? ERR_FAULT : ERR_OK);
}

static bool encode(void)
{
    struct http_response r;
    http_response_init(&r);
    api_encode_health(&r);
    bool good = r.body.failed == failed;
    http_response_free(&r);
    return good;
}

static void is_a_fault(void **state)
{
    static const struct who who = {
        .user = "alice", .name = "Alice", .n_groups = 1, .groups = {"g"}};
    (void)state;
    buf_init(&token, 8192);
    assert_int_equal(token_make(&keys, TOKEN_USER, &who, NOW_S, 60, &token), ERR_OK);
    fail_each(verify);
    fail_each(verify_cached);
    fail_each(make);
    fail_each(decode);
    fail_each(encode);
    buf_free(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_fault),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
