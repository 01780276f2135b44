/* JSON out: what is written, and that nothing wrong is. */
#include "lib/wire/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void writes(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    struct json_writer *w = json_writer_new(&out);
    json_open_object(w, NULL);
    json_put_string(w, "s", "a\"\\\n\x01/\xe7\xa6\x8f");
    json_put_int(w, "i", INT64_MIN);
    json_put_bool(w, "b", true);
    json_put_null(w, "z");
    json_open_array(w, "a");
    json_put_int(w, NULL, 1);
    json_open_object(w, NULL);
    json_close_object(w);
    json_close_array(w);
    json_close_object(w);
    json_writer_free(w);
    assert_false(out.failed);
    assert_string_equal(out.data,
                        "{\"s\":\"a\\\"\\\\\\n\\u0001/\xe7\xa6\x8f\",\"i\":-9223372036854775808,"
                        "\"b\":true,\"z\":null,\"a\":[1,{}]}");
    buf_free(&out);
}

enum wrong {
    BAD_UTF8,
    OVERLONG,
    SURROGATE,
    BAD_KEY,
    NO_KEY,
    KEY_IN_ARRAY,
    KEY_AT_TOP,
    TWO_TOPS,
    UNCLOSED,
    NOTHING,
    CLOSED_AS_ARRAY,
    CLOSED_AS_OBJECT,
    CLOSED_TWICE,
    TOO_DEEP,
    WRONGS
};

static void do_wrong(struct json_writer *w, enum wrong wrong)
{
    if (wrong == NOTHING)
        return;
    if (wrong == KEY_AT_TOP) {
        json_put_int(w, "k", 1);
        return;
    }
    if (wrong == KEY_IN_ARRAY || wrong == CLOSED_AS_OBJECT)
        json_open_array(w, NULL);
    else
        json_open_object(w, NULL);
    if (wrong == BAD_UTF8)
        json_put_string(w, "s", "\xff");
    if (wrong == OVERLONG)
        json_put_string(w, "s", "\xc0\xaf");
    if (wrong == SURROGATE)
        json_put_string(w, "s", "\xed\xa0\x80");
    if (wrong == BAD_KEY)
        json_put_int(w, "\xff", 1);
    if (wrong == NO_KEY)
        json_put_int(w, NULL, 1);
    if (wrong == KEY_IN_ARRAY)
        json_put_null(w, "k");
    for (int i = 0; wrong == TOO_DEEP && i < 100; i++)
        json_open_object(w, "o");
    if (wrong == UNCLOSED)
        return;
    if (wrong == CLOSED_AS_ARRAY || wrong == KEY_IN_ARRAY)
        json_close_array(w);
    else
        json_close_object(w);
    if (wrong == CLOSED_TWICE)
        json_close_object(w);
    if (wrong == TWO_TOPS)
        json_put_int(w, NULL, 1);
}

static void writing_wrong_fails_the_buffer(void **state)
{
    (void)state;
    for (enum wrong wrong = 0; wrong < WRONGS; wrong++) {
        struct buf out;
        buf_init(&out, 4096);
        struct json_writer *w = json_writer_new(&out);
        do_wrong(w, wrong);
        json_writer_free(w);
        if (!out.failed)
            fail_msg("wrong %d was written: %s", (int)wrong, out.data);
        buf_free(&out);
    }
}

static void writing_stops_at_the_ceiling(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 8);
    struct json_writer *w = json_writer_new(&out);
    json_put_string(w, NULL, "longer than eight");
    json_writer_free(w);
    assert_true(out.failed);
    assert_true(out.len <= 8);
    buf_free(&out);
    json_writer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes),
        cmocka_unit_test(writing_wrong_fails_the_buffer),
        cmocka_unit_test(writing_stops_at_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
