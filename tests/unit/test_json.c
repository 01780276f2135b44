/* JSON in: first all that is refused, then what is read. */
#include "lib/wire/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static struct json_doc *parse(const char *text, size_t len, enum err *error, char member[64])
{
    struct json_doc *doc = json_parse(text, len, error, member, 64);
    assert_true((doc == NULL) == (*error != ERR_OK));
    return doc;
}

struct bad {
    const char *text;
    size_t len; /* 0: up to the NUL */
};

static void refuses_what_is_no_json(void **state)
{
    static const struct bad cases[] = {
        {"", 0},
        {" ", 0},
        {"\n\t", 0},
        {"{", 0},
        {"}", 0},
        {"[", 0},
        {"[1", 0},
        {"[1,", 0},
        {"[1,]", 0},
        {"nul", 0},
        {"nulll", 0},
        {"tru", 0},
        {"NaN", 0},
        {"{]", 0},
        {"{\"a\"}", 0},
        {"{\"a\":}", 0},
        {"{\"a\":1,}", 0},
        {"{a:1}", 0},
        {"{'a':1}", 0},
        {"{1:1}", 0},
        {"{} x", 0},
        {"{}{}", 0},
        {"1 2", 0},
        {"{},", 0},
        {"/* c */{}", 0},
        {"{} // c\n", 0},
        {"{/**/}", 0},
        {"[1,//\n2]", 0},
        {"01", 0},
        {"+1", 0},
        {"-", 0},
        {".5", 0},
        {"1.", 0},
        {"1e", 0},
        {"1e+", 0},
        {"0x10", 0},
        {"-a", 0},
        {"\"", 0},
        {"\"a", 0},
        {"\"\n\"", 0},
        {"\"\t\"", 0},
        {"\"\\x41\"", 0},
        {"\"\\u12\"", 0},
        {"\"\\u12g4\"", 0},
        {"\"\\\"", 0},
        {"\\u0041", 0},
        {"\xef\xbb\xbf{}", 0},
        {"{}\0", 3},
        {"\0", 1},
        {"\"a\0b\"", 5},
        {"{}\0{}", 5},
        /* bytes that are no UTF-8: in a string, in a name, outside */
        {"\"\xff\"", 0},
        {"\"\xc0\xaf\"", 0},
        {"\"\xe0\x80\xaf\"", 0},
        {"\"\xf0\x80\x80\xaf\"", 0},
        {"\"\xed\xa0\x80\"", 0},
        {"\"\xed\xbf\xbf\"", 0},
        {"\"\xf4\x90\x80\x80\"", 0},
        {"\"\xe7\xa6\"", 0},
        {"\"\x80\"", 0},
        {"{\"\xc1\x81\":1}", 0},
        {"{}\xff", 0},
        /* NUL and lone surrogates as escapes */
        {"\"\\u0000\"", 0},
        {"{\"a\\u0000\":1}", 0},
        {"\"\\ud800\"", 0},
        {"\"\\uD800x\"", 0},
        {"\"\\uDBFF\\n\"", 0},
        {"\"\\udc00\"", 0},
        {"\"\\udfff\\ud800\"", 0},
        {"\"\\ud800\\ud800\"", 0},
        {"\"\\ud800\\u0041\"", 0},
        {"\"\\\\\\ud800\"", 0},
        {"{\"\\ud83d\":1}", 0},
        {"\"\\ud83d\\ude00\\ude00\"", 0},
        {"\"\\ud83d\\\\ude00\"", 0},
        {"\"\\ud83d\\ude0\"", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err error = ERR_OK;
        char member[64];
        size_t len = cases[i].len != 0 ? cases[i].len : strlen(cases[i].text);
        if (parse(cases[i].text, len, &error, member) != NULL || error != ERR_INVALID_JSON)
            fail_msg("case %zu: %s gives %s", i, cases[i].text, err_name(error));
        assert_string_equal(member, "");
    }
}

static void refuses_duplicates_and_names_them(void **state)
{
    static const char *const cases[][2] = {
        {"{\"a\":1,\"a\":1}", "a"},
        {"{\"a\":1,\"b\":2,\"c\":3,\"b\":4}", "b"},
        {"{\"a\":1,\"\\u0061\":2}", "a"},
        {"{\"x\":{\"in\":1,\"in\":null}}", "in"},
        {"[{\"k\":[],\"k\":[]}]", "k"},
        {"{\"\":1,\"\":2}", ""},
        {"{\"\xe7\xa6\x8f\":1,\"\\u798f\":2}", "\xe7\xa6\x8f"},
        {"{\"a\":1,\"a\":", "a"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err error;
        char member[64];
        assert_null(parse(cases[i][0], strlen(cases[i][0]), &error, member));
        assert_int_equal(error, ERR_INVALID_REQUEST);
        assert_string_equal(member, cases[i][1]);
    }
}

/* A name too long for the caller's room is not given in part. */
static void leaves_out_a_name_without_room(void **state)
{
    char text[400], name[101], member[64];
    enum err error;
    (void)state;
    memset(name, 'n', 100);
    name[100] = '\0';
    snprintf(text, sizeof text, "{\"%s\":1,\"%s\":1}", name, name);
    assert_null(parse(text, strlen(text), &error, member));
    assert_int_equal(error, ERR_INVALID_REQUEST);
    assert_string_equal(member, "");
}

static void refuses_what_is_too_deep_or_too_much(void **state)
{
    char text[20000], member[64];
    enum err error;
    (void)state;
    static const char *const deep[] = {"[[[[[]]]]]", "{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}",
                                       "[[[[{\"a\":1}]]]]"};
    for (size_t i = 0; i < COUNT(deep); i++) {
        assert_null(parse(deep[i], strlen(deep[i]), &error, member));
        assert_int_equal(error, ERR_INVALID_REQUEST);
    }
    memset(text, '[', sizeof text); /* must not recurse */
    assert_null(parse(text, sizeof text, &error, member));
    assert_int_equal(error, ERR_INVALID_REQUEST);
    for (size_t n = JSON_NODES_MAX - 1; n <= JSON_NODES_MAX; n++) { /* the array is a value too */
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            text[len++] = i == 0 ? '[' : ',';
            text[len++] = '1';
        }
        text[len++] = ']';
        struct json_doc *doc = parse(text, len, &error, member);
        assert_int_equal(error, n < JSON_NODES_MAX ? ERR_OK : ERR_INVALID_REQUEST);
        json_free(doc);
    }
}

static void reads_every_kind(void **state)
{
    static const char text[] =
        " {\"s\":\"a\\\"\\\\\\/"
        "\\n\\u00e9\\ud83d\\ude00\\uD83D\\uDE00\\\\ud800\",\"n\":-1.50e+2,\"t\":true,"
        "\"f\":false,\"z\":null,\"o\":{\"p\":{}},\"a\":[1,[],\"\"]} \n";
    enum err error;
    char member[64];
    (void)state;
    struct json_doc *doc = parse(text, sizeof text - 1, &error, member);
    assert_non_null(doc);
    const struct json_value *top = json_top(doc);
    assert_int_equal(top->type, JSON_OBJECT);
    assert_int_equal(top->count, 7);
    assert_null(top->key);
    const struct json_value *s = json_member(top, "s");
    assert_string_equal(s->text, "a\"\\/\n\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80\\ud800");
    assert_int_equal(s->len, strlen(s->text));
    assert_int_equal(json_member(top, "n")->type, JSON_NUMBER);
    assert_string_equal(json_member(top, "n")->text, "-1.50e+2");
    assert_string_equal(json_member(top, "t")->text, "true");
    assert_string_equal(json_member(top, "f")->text, "false");
    assert_int_equal(json_member(top, "z")->type, JSON_NULL);
    assert_int_equal(json_member(json_member(top, "o"), "p")->count, 0);
    const struct json_value *a = json_member(top, "a");
    assert_int_equal(a->count, 3);
    assert_null(a->first->key);
    assert_string_equal(a->first->text, "1");
    assert_int_equal(a->first->next->type, JSON_ARRAY);
    assert_null(a->first->next->next->next);
    assert_null(json_member(a, "s"));
    assert_null(json_member(top, "S"));
    json_free(doc);
}

/* The room of texts and values is computed from the length: the tightest documents. */
static void reads_the_smallest(void **state)
{
    static const char *const cases[] = {"1",
                                        "0",
                                        "\"\"",
                                        "[]",
                                        "{}",
                                        "[1]",
                                        "[[]]",
                                        "[[[[]]]]",
                                        "[\"\"]",
                                        "{\"\":\"\"}",
                                        "[1,2]",
                                        "[0,0,0,0,0,0,0]",
                                        "12345678901234567890",
                                        "[\"\",\"\",\"\"]",
                                        "null",
                                        "{\"a\":{\"b\":{\"c\":{}}}}"};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err error;
        char member[64];
        char exact[64]; /* no NUL after the text: nothing beyond it may be read */
        size_t len = strlen(cases[i]);
        memset(exact, '9', sizeof exact);
        memcpy(exact, cases[i], len);
        struct json_doc *doc = parse(exact, len, &error, member);
        assert_non_null(doc);
        if (json_top(doc)->type == JSON_NUMBER)
            assert_string_equal(json_top(doc)->text, cases[i]);
        json_free(doc);
    }
}

static const char *const known[] = {"a", "b"};

static struct json_doc *parse_known(const char *text, enum err *error)
{
    struct json_doc *doc = json_parse_known(text, strlen(text), known, COUNT(known), error);
    assert_true((doc == NULL) == (*error != ERR_OK));
    return doc;
}

static void known_members_are_strict(void **state)
{
    static const struct {
        const char *text;
        enum err error;
    } cases[] = {{"", ERR_INVALID_JSON},
                 {"[]", ERR_INVALID_JSON},
                 {"[{\"a\":1}]", ERR_INVALID_JSON},
                 {"5", ERR_INVALID_JSON},
                 {"{\"x\":1,}", ERR_INVALID_JSON},
                 {"{\"x\":[}", ERR_INVALID_JSON},
                 {"{\"x\":01}", ERR_INVALID_JSON},
                 {"{\"x\":\"\xff\"}", ERR_INVALID_JSON},
                 {"{} {}", ERR_INVALID_JSON},
                 {"{\"a\":1,\"a\":1}", ERR_INVALID_REQUEST},
                 {"{\"a\":1,\"x\":{\"a\":2},\"\\u0061\":1}", ERR_INVALID_REQUEST}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err error = ERR_OK;
        assert_null(parse_known(cases[i].text, &error));
        if (error != cases[i].error)
            fail_msg("%s: %s", cases[i].text, err_name(error));
    }
}

static void unknown_members_are_skipped(void **state)
{
    enum err error = ERR_OK;
    struct json_doc *doc =
        parse_known("{\"x\":{\"a\":[[[[[9]]]],{\"b\":1}]},\"x\":null,\"a\\u0000\":1,"
                    "\"a\":[1,[\"in\",[2]],{\"b\":3},\"s\\u0000\"],\"y\":[],"
                    "\"b\":{\"a\":1}}",
                    &error);
    (void)state;
    assert_non_null(doc);
    const struct json_value *top = json_top(doc), *a = json_member(top, "a");
    assert_int_equal(top->count, 2);
    assert_int_equal(a->count, 4);
    assert_int_equal(a->first->next->type, JSON_ARRAY);
    assert_int_equal(a->first->next->count, 0);
    assert_int_equal(a->first->next->next->type, JSON_OBJECT);
    assert_int_equal(a->first->next->next->next->len, 2);
    assert_int_equal(json_member(top, "b")->type, JSON_OBJECT);
    assert_null(json_member(top, "b")->first);
    json_free(doc);
}

/* The longest and deepest texts that yajl's memory has to suffice for. */
static void memory_suffices(void **state)
{
    static char text[70000];
    enum err error = ERR_OK;
    char member[64];
    (void)state;
    for (size_t len = 1; 2 * len + 7 < sizeof text; len = len * 3 / 2 + 1) {
        memcpy(text, "{\"x\":", 5);
        memset(text + 5, '[', len);
        memset(text + 5 + len, ']', len);
        memcpy(text + 5 + 2 * len, "}", 2);
        struct json_doc *doc = parse_known(text, &error);
        assert_non_null(doc);
        json_free(doc);
    }
    for (size_t len = 2; len < sizeof text - 10; len = len * 3 / 2 / 2 * 2 + 2) {
        text[0] = '"';
        for (size_t i = 0; i < len; i += 2)
            memcpy(text + 1 + i, "\\n", 2);
        assert_null(parse(text, len + 1, &error, member)); /* not closed: kept by the lexer */
        text[len + 1] = '"';
        struct json_doc *doc = parse(text, len + 2, &error, member);
        assert_non_null(doc);
        assert_int_equal(json_top(doc)->len, len / 2);
        json_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_json),
        cmocka_unit_test(refuses_duplicates_and_names_them),
        cmocka_unit_test(leaves_out_a_name_without_room),
        cmocka_unit_test(refuses_what_is_too_deep_or_too_much),
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(known_members_are_strict),
        cmocka_unit_test(unknown_members_are_skipped),
        cmocka_unit_test(memory_suffices),
        cmocka_unit_test(reads_the_smallest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
