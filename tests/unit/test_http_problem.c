/* Problems: every error has its status and code, and what is inside stays inside. */
#include "lib/wire/problem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

struct status_case {
    enum err err;
    int status;
    const char *code;
};

static void every_error_has_its_status_and_code(void **state)
{
    static const struct status_case cases[] = {
        {ERR_INVALID_JSON, 400, "invalid_json"},
        {ERR_INVALID_REQUEST, 400, "invalid_request"},
        {ERR_IDEMPOTENCY_KEY_REQUIRED, 400, "idempotency_key_required"},
        {ERR_UNAUTHORIZED, 401, "unauthorized"},
        {ERR_TOKEN_EXPIRED, 401, "token_expired"},
        {ERR_TICKET_INVALID, 403, "ticket_invalid"},
        {ERR_TICKET_EXPIRED, 403, "ticket_expired"},
        {ERR_NOT_RECIPIENT, 403, "not_recipient"},
        {ERR_NOT_SENDER, 403, "not_sender"},
        {ERR_NOT_OPENED, 403, "not_opened"},
        {ERR_WITHDRAWALS_OFF, 403, "withdrawals_off"},
        {ERR_USER_BLOCKED, 403, "user_blocked"},
        {ERR_SCOPE_REQUIRED, 403, "scope_required"},
        {ERR_NOT_FOUND, 404, "not_found"},
        {ERR_METHOD_NOT_ALLOWED, 405, "method_not_allowed"},
        {ERR_IDEMPOTENCY_IN_PROGRESS, 409, "idempotency_in_progress"},
        {ERR_LENGTH_REQUIRED, 411, "length_required"},
        {ERR_BODY_TOO_LARGE, 413, "body_too_large"},
        {ERR_UNSUPPORTED_MEDIA_TYPE, 415, "unsupported_media_type"},
        {ERR_IDEMPOTENCY_KEY_REUSED, 422, "idempotency_key_reused"},
        {ERR_REFERENCE_REUSED, 422, "reference_reused"},
        {ERR_INSUFFICIENT_FUNDS, 422, "insufficient_funds"},
        {ERR_LIMIT_EXCEEDED, 422, "limit_exceeded"},
        {ERR_RATE_LIMITED, 429, "rate_limited"},
        {ERR_UNAVAILABLE, 503, "unavailable"},
        {ERR_DEADLOCK, 503, "unavailable"},
        {ERR_SCHEMA, 503, "unavailable"},
        {ERR_LOCKED, 503, "unavailable"},
        {ERR_UNCERTAIN, 503, "unavailable"},
        {ERR_DUPLICATE, 503, "unavailable"},
        {ERR_RANGE, 422, "limit_exceeded"},
        {ERR_FAULT, 503, "unavailable"},
    };
    (void)state;
    assert_int_equal(COUNT(cases), ERR_COUNT - 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct problem p;
        struct http_response r;
        char part[80];
        assert_int_equal(problem_set(&p, cases[i].err, NULL, "%s", ""), cases[i].err);
        http_response_init(&r);
        problem_render(&p, "q", &r);
        assert_int_equal(r.status, cases[i].status);
        assert_string_equal(r.state, cases[i].code);
        assert_string_equal(r.content_type, "application/problem+json");
        snprintf(part, sizeof part, "\"status\":%d,\"code\":\"%s\",\"detail\":\"", cases[i].status,
                 cases[i].code);
        assert_non_null(strstr(r.body.data, part));
        assert_null(strstr(r.body.data, "\"detail\":\"\"")); /* there is always a word for people */
        assert_null(strstr(r.body.data, "\"member\""));
        bool retry = cases[i].status == 409 || cases[i].status == 429 || cases[i].status == 503;
        assert_int_equal(r.retry_after_s, retry ? 1 : 0);
        assert_null(strstr(r.body.data, "\"limit\""));
        http_response_free(&r);
    }
}

static void names_the_limit_and_a_bad_token(void **state)
{
    struct problem p;
    struct http_response r;
    struct buf out;
    (void)state;
    http_response_init(&r);
    problem_set_limit(&p, ERR_INVALID_REQUEST, "shares", 500, "at most %d", 500);
    problem_render(&p, "q", &r);
    assert_non_null(
        strstr(r.body.data, "\"detail\":\"at most 500\",\"member\":\"shares\",\"limit\":500,"));
    assert_null(r.reason);
    problem_set(&p, ERR_UNAUTHORIZED, NULL, "%s", "");
    p.reason = "signature";
    problem_render(&p, "q", &r);
    assert_string_equal(r.reason, "signature");
    assert_null(strstr(r.body.data, "signature")); /* for the log only */
    buf_init(&out, 4096);
    http_render(&r, "q", &out);
    assert_non_null(strstr(out.data, "\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n"));
    buf_free(&out);
    http_response_free(&r);
}

/* What a half-made answer left behind is gone; what went wrong inside stays inside. */
static void renders_problems(void **state)
{
    struct problem p;
    struct http_response r;
    (void)state;
    http_response_init(&r);
    buf_puts(&r.body, "{\"half\":");
    r.body.failed = true;
    strcpy(r.etag, "\"1\"");
    strcpy(r.location, "/x");
    problem_set(&p, ERR_INVALID_REQUEST, "to.users", "%d is \"%s\"", 5, "odd");
    problem_render(&p, "q", &r);
    assert_false(r.body.failed);
    assert_string_equal(r.etag, "");
    assert_string_equal(r.location, "");
    assert_string_equal(r.body.data,
                        "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
                        "\"code\":\"invalid_request\",\"detail\":\"5 is \\\"odd\\\"\","
                        "\"member\":\"to.users\",\"request_id\":\"q\"}");
    problem_set(&p, ERR_FAULT, "secret", "%s", "SELECT secret");
    problem_render(&p, "", &r);
    assert_null(strstr(r.body.data, "secret"));
    assert_null(strstr(r.body.data, "request_id"));
    problem_set(&p, ERR_RATE_LIMITED, NULL, "%s", "slow");
    p.retry_after_s = 7;
    problem_render(&p, NULL, &r);
    assert_int_equal(r.retry_after_s, 7);
    http_response_free(&r);
}

static void asks_for_a_token(void **state)
{
    struct problem p;
    struct http_response r;
    struct buf out;
    (void)state;
    http_response_init(&r);
    problem_set(&p, ERR_TOKEN_EXPIRED, NULL, "%s", "");
    problem_render(&p, "q", &r);
    buf_init(&out, 4096);
    http_render(&r, "q", &out);
    assert_non_null(strstr(out.data, "\r\nWWW-Authenticate: Bearer\r\n"));
    buf_free(&out);
    http_response_free(&r);
}

/* Names and details come from clients: cut in whole characters, and never ill-formed. */
static void keeps_texts_well_formed(void **state)
{
    struct problem p;
    char text[1000];
    (void)state;
    problem_set(&p, ERR_INVALID_REQUEST, "\xff", "%s", "\xc0\xaf");
    assert_string_equal(p.member, "");
    assert_string_equal(p.detail, "");
    for (size_t i = 0; i < 333; i++)
        memcpy(text + 3 * i, "\xe7\xa6\x8f", 3);
    text[999] = '\0';
    for (size_t skip = 0; skip < 3; skip++) {
        char shifted[1003] = "xx";
        strcpy(shifted + skip, text);
        problem_set(&p, ERR_INVALID_REQUEST, shifted, "%s", shifted);
        assert_int_equal((strlen(p.member) - skip) % 3, 0);
        assert_true(strlen(p.member) > sizeof p.member - 5);
        assert_int_equal((strlen(p.detail) - skip) % 3, 0);
        assert_true(strlen(p.detail) > sizeof p.detail - 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_status_and_code),
        cmocka_unit_test(names_the_limit_and_a_bad_token),
        cmocka_unit_test(renders_problems),
        cmocka_unit_test(asks_for_a_token),
        cmocka_unit_test(keeps_texts_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
