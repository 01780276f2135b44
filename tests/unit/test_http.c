/* HTTP texts: bearer tokens, entity tags, queries, rendered answers. */
#include "lib/wire/http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void bearer(void **state)
{
    static const char *const refused[] = {
        "",          "Bearer",      "Bearer ",    "Bearer    ",  "Basic abc",
        "Bearerabc", "Bearer\tabc", "Bearer a b", " Bearer abc", "Bearer a\tb"};
    static const char *const taken[] = {"Bearer a.b-c_d", "bearer a.b-c_d", "BEARER   a.b-c_d",
                                        "Bearer a.b-c_d  "};
    size_t len = 7;
    (void)state;
    assert_null(http_bearer(NULL, &len));
    assert_int_equal(len, 0);
    for (size_t i = 0; i < COUNT(refused); i++) {
        len = 7;
        assert_null(http_bearer(refused[i], &len));
        assert_int_equal(len, 0);
    }
    for (size_t i = 0; i < COUNT(taken); i++) {
        const char *token = http_bearer(taken[i], &len);
        assert_non_null(token);
        assert_int_equal(len, 7);
        assert_memory_equal(token, "a.b-c_d", 7);
    }
}

static void etags(void **state)
{
    static const char *const no[] = {"",
                                     " ",
                                     "7-0-0-20",
                                     "\"7-0-0-2\"",
                                     "\"7-0-0-200\"",
                                     "\"7-0-0-20",
                                     "w/\"7-0-0-20\"",
                                     "\"*\"",
                                     "**",
                                     "* \"7-0-0-20\"",
                                     "\"x\", y, \"7-0-0-20\"",
                                     "\"7-0-0-20-lz4\"",
                                     "\"\"",
                                     "\"-gzip\"",
                                     "W/",
                                     "W/7"};
    static const char *const yes[] = {"\"7-0-0-20\"",
                                      " \"7-0-0-20\" ",
                                      "W/\"7-0-0-20\"",
                                      "*",
                                      " * ",
                                      "\"a\", \"b\" ,W/\"7-0-0-20\"",
                                      "\"a\",,\"7-0-0-20\"",
                                      "\"7-0-0-20-gzip\"",
                                      "W/\"7-0-0-20-br\"",
                                      "\"7-0-0-20-deflate\"",
                                      "\"7-0-0-20-zstd\"",
                                      "\"\", \"7-0-0-20\"",
                                      "\"a,b\",\"7-0-0-20\""};
    (void)state;
    assert_false(http_etag_matches(NULL, "\"7-0-0-20\""));
    assert_false(http_etag_matches("*", ""));
    for (size_t i = 0; i < COUNT(no); i++)
        if (http_etag_matches(no[i], "\"7-0-0-20\""))
            fail_msg("%s must not match", no[i]);
    for (size_t i = 0; i < COUNT(yes); i++)
        if (!http_etag_matches(yes[i], "\"7-0-0-20\""))
            fail_msg("%s must match", yes[i]);
}

struct query_case {
    const char *query;
    int found;
    const char *value;
};

static void query_values(void **state)
{
    static const struct query_case cases[] = {
        {"a=1&a=2", -1, ""},
        {"a=1&%61=1", -1, ""},
        {"a=%", -1, ""},
        {"a=%4", -1, ""},
        {"a=%zz", -1, ""},
        {"a=%00", -1, ""},
        {"a=12345678", -1, ""},
        {"a&a", -1, ""},
        {"", 0, ""},
        {"b=1", 0, ""},
        {"A=1", 0, ""},
        {"aa=1", 0, ""},
        {"=1", 0, ""},
        {"%zz=1", 0, ""},
        {"&&", 0, ""},
        {"a=1", 1, "1"},
        {"a=", 1, ""},
        {"a", 1, ""},
        {"b=2&a=1&c", 1, "1"},
        {"&a=1&", 1, "1"},
        {"%61=1", 1, "1"},
        {"a=%2B+%26", 1, "+ &"},
        {"a=1=2", 1, "1=2"},
        {"a=1234567", 1, "1234567"},
        {"a=%e7%A6%8f", 1, "\xe7\xa6\x8f"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[8];
        if (http_query_get(cases[i].query, "a", out, sizeof out) != cases[i].found)
            fail_msg("%s", cases[i].query);
        assert_string_equal(out, cases[i].value);
    }
}

static void unknown_parameters(void **state)
{
    static const char *const names[] = {"after", "limit"};
    static const char *const cases[][2] = {
        {"x=1", "x"},
        {"limit=1&Limit=2", "Limit"},
        {"limit=1&=2", ""},
        {"after=&%6cimits=1", "%6cimits"},
        {"a b\xff\n=1", "a?b??"},
        {"limit%00=1", "limit%00"},
        {"aVeryLongName=1", "aVeryLongN"},
    };
    static const char *const known[] = {"",          "&",     "limit=1",        "after=x&limit=2",
                                        "%6cimit=1", "limit", "limit=1&limit=2"};
    char out[11];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(http_query_unknown(cases[i][0], names, 2, out, sizeof out));
        assert_string_equal(out, cases[i][1]);
    }
    for (size_t i = 0; i < COUNT(known); i++)
        assert_false(http_query_unknown(known[i], names, 2, out, sizeof out));
    assert_true(http_query_unknown("a=1", NULL, 0, out, sizeof out));
}

static void expect(const struct http_response *r, const char *text)
{
    struct buf out;
    buf_init(&out, 4096);
    http_render(r, "req-1", &out);
    assert_false(out.failed);
    assert_string_equal(out.data, text);
    buf_free(&out);
}

static void renders_answers(void **state)
{
    struct http_response r;
    (void)state;
    http_response_init(&r);
    buf_puts(&r.body, "{}");
    expect(&r,
           "Status: 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
           "X-Content-Type-Options: nosniff\r\nX-Request-Id: req-1\r\nContent-Length: 2\r\n\r\n{}");
    r.status = 201;
    strcpy(r.location, "/v1/envelopes/x");
    expect(&r,
           "Status: 201 Created\r\nContent-Type: application/json\r\nLocation: /v1/envelopes/x\r\n"
           "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: req-1\r\n"
           "Content-Length: 2\r\n\r\n{}");
    http_response_free(&r);

    /* a 304 has no body and names no length of one */
    http_response_init(&r);
    r.status = 304;
    r.content_type = NULL;
    strcpy(r.etag, "\"1\"");
    expect(&r, "Status: 304 Not Modified\r\nETag: \"1\"\r\nCache-Control: private, no-cache\r\n"
               "X-Content-Type-Options: nosniff\r\nX-Request-Id: req-1\r\n\r\n");
    http_response_free(&r);

    http_response_init(&r);
    r.status = 405;
    r.retry_after_s = 3;
    strcpy(r.allow, "GET, HEAD");
    expect(
        &r,
        "Status: 405 Method Not Allowed\r\nContent-Type: application/json\r\nAllow: GET, HEAD\r\n"
        "Retry-After: 3\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "X-Request-Id: req-1\r\nContent-Length: 0\r\n\r\n");
    http_response_free(&r);
    assert_string_equal(http_status_text(418), "Error");
}

/* An answer that could not be written whole is never sent in part. */
static void a_failed_body_becomes_a_problem(void **state)
{
    struct http_response r;
    struct buf out;
    (void)state;
    http_response_init(&r);
    buf_puts(&r.body, "{\"half\":");
    r.body.failed = true;
    strcpy(r.etag, "\"1\"");
    buf_init(&out, 4096);
    http_render(&r, "req-1", &out);
    assert_non_null(strstr(out.data, "Status: 503 "));
    assert_non_null(strstr(out.data, "\"code\":\"unavailable\""));
    assert_non_null(strstr(out.data, "\"request_id\":\"req-1\""));
    assert_null(strstr(out.data, "half"));
    assert_null(strstr(out.data, "ETag"));
    buf_free(&out);
    buf_init(&out, 10);
    http_render(&r, "req-1", &out);
    assert_true(out.failed);
    buf_free(&out);
    http_response_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bearer),          cmocka_unit_test(etags),
        cmocka_unit_test(query_values),    cmocka_unit_test(unknown_parameters),
        cmocka_unit_test(renders_answers), cmocka_unit_test(a_failed_body_becomes_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
