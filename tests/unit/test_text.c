/* Bounded copies, numbers, hex, ids and keys at their edges: one byte less fits, one more does not.
 */
#include "lib/base/crypto.h"
#include "lib/base/id.h"
#include "lib/base/str.h"
#include "lib/domain/limits.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void test_copy_leaves_room_for_its_nul(void **state)
{
    char room[5] = "wxyz";
    (void)state;
    assert_true(str_set(room, 4, "abc", 3));
    assert_string_equal(room, "abc");
    room[4] = '!';
    assert_false(str_set(room, 4, "abcd", 4));
    assert_string_equal(room, "");
    assert_int_equal(room[4], '!');
    assert_false(str_set(room, 4, "a\0b", 3));
    assert_string_equal(room, "");
}

static void test_items_of_a_list(void **state)
{
    (void)state;
    char out[8];
    const char *at = " one,, two words ,three ,toolong8,x";
    assert_true(str_item(&at, out, sizeof out) && strcmp(out, "one") == 0);
    assert_false(str_item(&at, out, sizeof out)); /* "two words" does not fit */
    assert_string_equal(out, "");
    assert_true(str_item(&at, out, sizeof out) && strcmp(out, "three") == 0);
    assert_false(str_item(&at, out, sizeof out));
    assert_true(str_item(&at, out, sizeof out) && strcmp(out, "x") == 0);
    assert_false(str_item(&at, out, sizeof out));
    assert_int_equal(*at, '\0');
    at = " , ,";
    assert_false(str_item(&at, out, sizeof out));
    assert_int_equal(*at, '\0');
}

static void test_unsigned_numbers_end_at_their_largest(void **state)
{
    uint64_t n = 5;
    (void)state;
    assert_true(str_to_u64("18446744073709551615", 20, &n));
    assert_true(n == UINT64_MAX);
    assert_false(str_to_u64("18446744073709551616", 20, &n));
    assert_false(str_to_u64("184467440737095516150", 21, &n));
    assert_false(str_to_u64("", 0, &n));
    assert_false(str_to_u64("00", 2, &n));
}

static void test_hex_has_exactly_two_digits_a_byte(void **state)
{
    uint8_t out[2] = {0};
    (void)state;
    assert_true(str_from_hex(out, 2, "aBcD", 4));
    assert_int_equal(out[0], 0xab);
    assert_int_equal(out[1], 0xcd);
    assert_false(str_from_hex(out, 2, "aBcD0", 5));
    assert_false(str_from_hex(out, 2, "aBc", 3));
    assert_false(str_from_hex(out, 2, "aBcg", 4));
    assert_false(str_from_hex(out, 2, "0x12", 4));
}

static void test_ids_have_one_form(void **state)
{
    static const char good[] = "01a20d63-04ab-7000-b431-b856e67a7b86";
    static const char *const bad[] = {
        "01a20d63-04ab-4000-b431-b856e67a7b86", "01a20d63-04ab-7000-f431-b856e67a7b86",
        "01A20d63-04ab-7000-b431-b856e67a7b86", "01a20d63004ab-7000-b431-b856e67a7b86",
        "01a20d6--04ab-7000-b431-b856e67a7b86", "01a20d63-04ab-7000-b431-b856e67a7b8g"};
    struct id id;
    char text[ID_TEXT_SIZE];
    (void)state;
    assert_true(id_parse(&id, good, 36));
    id_format(text, &id);
    assert_string_equal(text, good);
    assert_false(id_parse(&id, good, 35));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(id_parse(&id, bad[i], 36));
}

static void test_users_are_words_of_bounded_length(void **state)
{
    char longest[USER_MAX + 2];
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_true(user_valid(longest, USER_MAX));
    assert_false(user_valid(longest, USER_MAX + 1));
    assert_false(user_valid("", 0));
    assert_false(user_valid("a\0b", 3));
    assert_false(user_valid("a b", 3));
    assert_true(user_valid("a.b_c:d@e-f", 11));
    assert_true(user_valid("auth0|1", 7));
    assert_true(user_valid("@a+b=c/d:host", 13));
    assert_true(user_valid("!'\"\\~", 5));
    assert_false(user_valid("a\x7f", 2));
    assert_false(user_valid("\xc3\xa9", 2));
    assert_true(user_is_guest("guest:1"));
    assert_false(user_is_guest("guest"));
    assert_false(user_is_guest("gustav"));
}

static void test_keys_are_printable_without_space(void **state)
{
    (void)state;
    assert_true(key_valid("!~", 2, 2));
    assert_false(key_valid("!~x", 3, 2));
    assert_false(key_valid("", 0, 2));
    assert_false(key_valid("a b", 3, 9));
    assert_false(key_valid("a\x7f", 2, 9));
    assert_false(key_valid("\xc3\xa9", 2, 9));
}

static void test_base64url_ends_where_the_text_ends(void **state)
{
    uint8_t out[4];
    size_t n = 0;
    (void)state;
    assert_true(base64url_decode(out, sizeof out, &n, "AQID", 4));
    assert_int_equal(n, 3);
    assert_false(base64url_decode(out, sizeof out, &n, "AQID=", 5));
    assert_false(base64url_decode(out, sizeof out, &n, "AQID.", 5));
    assert_false(base64url_decode(out, sizeof out, &n, "AQIDBAU", 7));
}

static void test_all_bytes_are_compared(void **state)
{
    uint8_t a[24] = {0}, b[24] = {0};
    (void)state;
    assert_true(bytes_equal(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 1;
        assert_false(bytes_equal(a, b, sizeof a));
        b[i] = 0;
    }
}

/* Yield the words that a test sets, in their order. */
static void fill_words(void *self, void *out, size_t n)
{
    const uint64_t **next = self;
    memcpy(out, (*next)++, n);
}

static void test_numbers_above_the_last_multiple_are_drawn_again(void **state)
{
    /* 2^64 mod 3 = 1: the largest word alone is rejected */
    static const uint64_t words[] = {UINT64_MAX, UINT64_MAX - 1};
    const uint64_t *next = words;
    const struct rng rng = {.fill = fill_words, .self = &next};
    (void)state;
    assert_int_equal(rng_below(&rng, 3), (UINT64_MAX - 1) % 3);
    assert_ptr_equal(next, words + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_of_a_list),
        cmocka_unit_test(test_copy_leaves_room_for_its_nul),
        cmocka_unit_test(test_unsigned_numbers_end_at_their_largest),
        cmocka_unit_test(test_hex_has_exactly_two_digits_a_byte),
        cmocka_unit_test(test_ids_have_one_form),
        cmocka_unit_test(test_users_are_words_of_bounded_length),
        cmocka_unit_test(test_keys_are_printable_without_space),
        cmocka_unit_test(test_base64url_ends_where_the_text_ends),
        cmocka_unit_test(test_all_bytes_are_compared),
        cmocka_unit_test(test_numbers_above_the_last_multiple_are_drawn_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
