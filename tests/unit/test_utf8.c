/* Cleaning of names and greetings: what people write stays, what hides or reorders text goes. */
#include "lib/base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define ZWJ "\u200d"
#define ZWNJ "\u200c"
#define ENGLAND "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F"
#define FAMILY "\U0001F468" ZWJ "\U0001F469" ZWJ "\U0001F467"
#define TEN "1234567890"

static void cleans(void **state)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"Alice", "Alice"},
        {"恭喜发财，大吉大利", "恭喜发财，大吉大利"},
        {"  Alice  B  ", "Alice  B"},
        {"\u3000福\u00a0", "福"},
        /* nothing visible */
        {"", ""},
        {" ", ""},
        {ZWJ, ""},
        {ZWJ ZWNJ " " ZWJ, ""},
        {"\u3164", ""},
        {"\u2800\u2800", ""},
        {"\u115f\u1160\uffa0", ""},
        {"\u0301", ""},
        {" \u0301\u20dd", ""},
        {"\u200b\ufeff\u00ad", ""},
        {"\ufe0f", ""},
        {"\U000E0067\U000E007F", ""},
        {"\u034f", ""},
        /* removed */
        {"a\u202eb\u2066c\u2069", "abc"},
        {"\u200fעברית\u200f", "עברית"},
        {"co\u00adop", "coop"},
        {"a\nb\tc\x7f", "abc"},
        {"a\u2028b\u2029c", "abc"},
        {"a\ue000b\ufdd0c\uffff", "abc"},
        {"a\U000E0067b", "ab"},
        {"a" ZWJ, "a"},
        {ZWJ "a", "a"},
        {"a" ZWJ " b", "a b"},
        {"1" ZWJ "2", "12"},
        {"\u0301e\u0301", "e\u0301"},
        {"a\xff\xc0\xaf\xed\xa0\x80z", "az"},
        /* kept */
        {"می" ZWNJ "خواهم", "می" ZWNJ "خواهم"},
        {"ක්" ZWJ "ෂ", "ක්" ZWJ "ෂ"},
        {FAMILY, FAMILY},
        {"\U0001F3C3" ZWJ "\u27a1\ufe0f", "\U0001F3C3" ZWJ "\u27a1\ufe0f"},
        {"\U0001F642" ZWJ "\u2194\ufe0f", "\U0001F642" ZWJ "\u2194\ufe0f"},
        {"\U0001F469\U0001F3FD" ZWJ "\U0001F4BB", "\U0001F469\U0001F3FD" ZWJ "\U0001F4BB"},
        {"\u2764\ufe0f" ZWJ "\U0001F525", "\u2764\ufe0f" ZWJ "\U0001F525"},
        {ENGLAND, ENGLAND},
        {"1\ufe0f\u20e3", "1\ufe0f\u20e3"},
        {"\U0001FAE8", "\U0001FAE8"},   /* Unicode 15 */
        {"\U0001FADF!", "\U0001FADF!"}, /* Unicode 16 */
        {"\U0001FAFC", "\U0001FAFC"},   /* not assigned yet */
        {"\u06dd\u0661", "\u06dd\u0661"},
        {"a \u3164 b", "a \u3164 b"},
    };
    char out[256];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool cut = true;
        size_t len = utf8_clean(out, sizeof out, cases[i].text, strlen(cases[i].text), 50, &cut);
        if (len != strlen(cases[i].clean) || strcmp(out, cases[i].clean) != 0 || cut)
            fail_msg("case %zu: %s becomes %s", i, cases[i].text, out);
    }
    assert_int_equal(utf8_clean(out, sizeof out, "a\0b", 3, 50, NULL), 2);
}

static void cuts_between_graphemes(void **state)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {TEN TEN TEN "12", TEN TEN TEN "12"},
        {TEN TEN TEN "123", TEN TEN TEN "12"},
        {TEN TEN TEN "1e\u0301", TEN TEN TEN "1"},
        {TEN TEN TEN FAMILY, TEN TEN TEN},
        {TEN TEN TEN "1\U0001F1E8\U0001F1F3", TEN TEN TEN "1"},
        {TEN TEN "12345" ENGLAND, TEN TEN "12345" ENGLAND},
        {TEN TEN "123456" ENGLAND, TEN TEN "123456"},
        {TEN TEN TEN " 福x", TEN TEN TEN " 福"},
        {TEN TEN TEN " \u3164x", TEN TEN TEN},
    };
    char out[129], small[5];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool cut = false;
        utf8_clean(out, sizeof out, cases[i].text, strlen(cases[i].text), 32, &cut);
        if (strcmp(out, cases[i].clean) != 0)
            fail_msg("case %zu: %s becomes %s", i, cases[i].text, out);
        assert_int_equal(cut, utf8_length(cases[i].text, strlen(cases[i].text)) > 32);
    }
    assert_int_equal(utf8_clean(small, sizeof small, "福福", 6, 32, NULL), 3);
    assert_int_equal(utf8_clean(small, 1, "a", 1, 32, NULL), 0);
    assert_string_equal(small, "");
}

static void labels(void **state)
{
    static const char *const good[] = {"g", "/family", "authentik Admins", "全家福", "!room:host"};
    static const char *const bad[] = {
        "", "a\n", "\x7f", "\xff", "\xc0\xaf", "\xc2\x85", "12345678901234567"};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(utf8_is_label(good[i], strlen(good[i]), 16));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(utf8_is_label(bad[i], strlen(bad[i]), 16));
    assert_false(utf8_is_label("a\0b", 3, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleans),
        cmocka_unit_test(cuts_between_graphemes),
        cmocka_unit_test(labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
