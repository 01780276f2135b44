/* The cache's item of an envelope's version and its newest claims. */
#include "lib/wire/version_value.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void versions(void **state)
{
    (void)state;
    struct id of = {{1, 2, 3}}, other = {{1, 2, 4}};
    struct version_value v = {.version = 77, .guest = true}, back;
    char text[VERSION_TEXT_SIZE];
    size_t len = version_value_write(text, &v, &of);
    assert_true(version_value_read(&back, text, len, &of));
    assert_true(back.version == 77 && back.guest);
    assert_false(version_value_read(&back, text, len, &other));
    for (size_t cut = 0; cut < len; cut++)
        assert_false(version_value_read(&back, text, cut, &of));
    text[len] = '0'; /* more than there may be */
    assert_false(version_value_read(&back, text, len + 1, &of));
}

static struct claim claim_sample(int64_t seq)
{
    struct claim c;
    memset(&c, 0, sizeof c);
    c.envelope = (struct id){{1, 2, 3}};
    memset(c.user, 'u', USER_MAX);
    for (size_t i = 0; seq % 2 == 0 && i < NAME_MAX_POINTS; i++) /* as long as can be, or none */
        memcpy(c.name + 4 * i, "\xf0\x9f\xa7\xa7", 4);
    c.amount_fen = AMOUNT_MAX_FEN - seq;
    c.seq = seq;
    c.opened_us = INT64_C(253402300799999999);
    return c;
}

static void version_with_claims(void **state)
{
    (void)state;
    struct id of = {{1, 2, 3}};
    struct version_value v = {.version = INT64_MAX, .n_claims = VERSION_CLAIMS_MAX}, back;
    char text[VERSION_TEXT_SIZE], worse[VERSION_TEXT_SIZE];
    for (size_t i = 0; i < VERSION_CLAIMS_MAX; i++)
        v.claims[i] = claim_sample(SHARES_LIMIT - VERSION_CLAIMS_MAX + 1 + (int64_t)i);
    size_t len = version_value_write(text, &v, &of);
    assert_true(len < sizeof text && len == strlen(text));
    assert_true(version_value_read(&back, text, len, &of));
    assert_int_equal(back.n_claims, VERSION_CLAIMS_MAX);
    assert_memory_equal(back.claims, v.claims, sizeof v.claims);
    for (size_t cut = 0; cut < len - 17; cut++) /* within the last number it is another number */
        assert_false(version_value_read(&back, text, cut, &of));
    for (size_t i = 0; i < len; i++) {
        memcpy(worse, text, len);
        worse[i] = '\x7f';
        assert_false(version_value_read(&back, worse, len, &of));
    }
}

static void names_of_claims_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff", "\xed\xa0\x80", "\xc0\x80",
                                      "123456789012345678901234567890123"};
    struct id of = {{1, 2, 3}};
    struct version_value v = {.version = 2, .n_claims = 1}, back;
    char text[VERSION_TEXT_SIZE];
    v.claims[0] = claim_sample(1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        strcpy(v.claims[0].name, "good");
        size_t len = version_value_write(text, &v, &of);
        assert_true(version_value_read(&back, text, len, &of));
        strcpy(v.claims[0].name, bad[i]);
        len = version_value_write(text, &v, &of);
        assert_false(version_value_read(&back, text, len, &of));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),
        cmocka_unit_test(version_with_claims),
        cmocka_unit_test(names_of_claims_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
