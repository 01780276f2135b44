/* The card of a link, byte for byte. */
#include "lib/wire/api.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define ID "019c665f-1000-7000-8001-02030405060a"
#define ADDRESS "https://hongbao.example.com/"

static struct id id;

static int set_up(void **state)
{
    (void)state;
    return id_parse(&id, ID, 36) ? 0 : -1;
}

static void assert_has(const struct http_response *r, const char *line)
{
    if (strstr(r->body.data, line) == NULL)
        fail_msg("no %s in %s", line, r->body.data);
}

static void texts_are_escaped(void **state)
{
    struct http_response r;
    const struct envelope e = {.id = id,
                               .sender_name = "<b>\"A\" & B",
                               .greeting = "\"><script>",
                               .total_fen = 4711,
                               .shares = 3};
    (void)state;
    http_response_init(&r);
    api_encode_card(&r, &id, &e, ADDRESS);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.state, "open");
    assert_string_equal(r.content_type, "text/html; charset=utf-8");
    assert_has(&r, "\"og:title\" content=\"&lt;b&gt;&quot;A&quot; &amp; B \xe7\x9a\x84");
    assert_has(&r, "\"og:description\" content=\"&quot;&gt;&lt;script&gt; ");
    assert_has(&r, "\"og:image\" content=\"" ADDRESS "card.png\"");
    assert_has(&r, "\"og:url\" content=\"" ADDRESS "?e=" ID "\"");
    assert_has(&r, "<a href=\"?e=" ID "&amp;page\">");
    assert_null(strstr(r.body.data, "<script>"));
    assert_null(strstr(r.body.data, "4711"));
    assert_null(strstr(r.body.data, "47.11"));
    http_response_free(&r);
}

static void nothing_is_said_of_a_hidden_envelope(void **state)
{
    struct http_response r;
    (void)state;
    http_response_init(&r);
    api_encode_card(&r, &id, NULL, "");
    assert_string_equal(r.state, "ok");
    assert_has(&r, "You have been sent a red envelope");
    assert_has(&r, "\"og:image\" content=\"card.png\"");
    assert_null(strstr(r.body.data, "og:url"));
    http_response_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_escaped),
                                       cmocka_unit_test(nothing_is_said_of_a_hidden_envelope)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
