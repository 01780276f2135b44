/* Remembered tokens give the same answers as verified ones. */
#include "lib/base/crypto.h"
#include "lib/wire/token.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define NOW_S INT64_C(1771257600)

static struct token_keys keys;

static int setup(void **state)
{
    (void)state;
    keys.kind[TOKEN_USER].n = 1;
    memset(keys.kind[TOKEN_USER].key[0], 0x10, 32);
    return crypto_init() == ERR_OK ? 0 : -1;
}

/* A token for 60 s of a member of group g. */
static void make(struct buf *out, const struct token_keys *signer, const char *user)
{
    struct who who = {.n_groups = 1, .groups = {"g"}};
    snprintf(who.user, sizeof who.user, "%s", user);
    snprintf(who.name, sizeof who.name, "%s", user);
    buf_init(out, 8192);
    assert_int_equal(token_make(signer, TOKEN_USER, &who, NOW_S, 60, out), ERR_OK);
}

static void cache_answers_alike(void **state)
{
    struct token_keys strange = {.kind = {{.n = 1}}};
    struct buf good, bad;
    struct who who;
    enum token_reason reason;
    (void)state;
    struct token_cache *cache = token_cache_new(&keys, 1); /* every token fights for one place */
    assert_non_null(cache);
    make(&good, &keys, "alice");
    make(&bad, &strange, "alice");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(token_cache_verify(cache, bad.data, bad.len, NOW_S, &who, &reason),
                         ERR_UNAUTHORIZED);
        memset(&who, 'x', sizeof who);
        assert_int_equal(token_cache_verify(cache, good.data, good.len, NOW_S, &who, &reason),
                         ERR_OK);
        assert_string_equal(who.user, "alice");
        assert_string_equal(who.name, "alice");
        assert_int_equal(who.n_groups, 1);
        assert_string_equal(who.groups[0], "g");
        assert_false(who.wallet);
    }
    /* remembered or not, it expires */
    assert_int_equal(token_cache_verify(cache, good.data, good.len, NOW_S + 60 + 29, &who, &reason),
                     ERR_OK);
    assert_int_equal(token_cache_verify(cache, good.data, good.len, NOW_S + 60 + 31, &who, &reason),
                     ERR_TOKEN_EXPIRED);
    assert_int_equal(token_cache_verify(cache, good.data, good.len - 1, NOW_S, &who, &reason),
                     ERR_UNAUTHORIZED);
    buf_free(&good);
    buf_free(&bad);
    token_cache_free(cache);
    token_cache_free(NULL);
}

struct crowd {
    struct token_cache *cache;
    struct buf *tokens;
};
#define USERS 8

static void *verify_many(void *arg)
{
    struct crowd *c = arg;
    struct who who;
    enum token_reason reason;
    char name[8];
    for (size_t i = 0; i < 400; i++) {
        struct buf *token = &c->tokens[i % USERS];
        snprintf(name, sizeof name, "u%zu", i % USERS);
        if (token_cache_verify(c->cache, token->data, token->len, NOW_S, &who, &reason) != ERR_OK ||
            strcmp(who.user, name) != 0)
            return c;
    }
    return NULL;
}

static void cache_is_for_threads(void **state)
{
    struct buf tokens[USERS];
    char name[8];
    pthread_t threads[4];
    (void)state;
    struct crowd c = {token_cache_new(&keys, 4), tokens};
    for (size_t i = 0; i < USERS; i++) {
        snprintf(name, sizeof name, "u%zu", i);
        make(&tokens[i], &keys, name);
    }
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &c), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failed = &c;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    for (size_t i = 0; i < USERS; i++)
        buf_free(&tokens[i]);
    token_cache_free(c.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_answers_alike),
        cmocka_unit_test(cache_is_for_threads),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
