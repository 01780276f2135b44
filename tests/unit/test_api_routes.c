/* Routes, and the rules that hold for all of them: refusals first. */
#include "lib/base/metrics.h"
#include "lib/wire/api.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define ID "019c665f-1000-7000-8001-02030405060a"
#define ENVELOPE "/v1/envelopes/" ID

static void no_such_path(void **state)
{
    static const char *const paths[] = {"",
                                        "/v1",
                                        "/v1/",
                                        "/v1/guests/",
                                        "/v1/guest",
                                        "/v1/guestss",
                                        "/V1/guests",
                                        "//v1/guests",
                                        "/v1/me/",
                                        "/v1/me/x",
                                        "/v1/envelopes/",
                                        "/v1/envelopes//grab",
                                        "/v1/envelopes/x",
                                        "/v1/envelopes/x/grab",
                                        ENVELOPE "/",
                                        ENVELOPE "/grab/",
                                        ENVELOPE "/grabs",
                                        ENVELOPE "/close",
                                        ENVELOPE "x/grab",
                                        ENVELOPE "%00",
                                        "/v1/envelopes/019C665F-1000-7000-8001-02030405060A",
                                        "/v1/envelopes/019c665f10007000800102030405060a",
                                        "/v1/envelopes/019c665f-1000-4000-8001-02030405060a",
                                        "/v1/envelopes/{id}",
                                        "/v1/envelopes/../me",
                                        "healthz"};
    const struct api_route *route = NULL;
    struct id id;
    char allow[16] = "";
    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        if (api_find("GET", paths[i], &route, &id, allow) != ERR_NOT_FOUND)
            fail_msg("found: %s", paths[i]);
        assert_int_equal(api_find("POST", paths[i], &route, &id, allow), ERR_NOT_FOUND);
    }
    assert_string_equal(allow, "");
}

struct route_case {
    enum route route;
    const char *method, *path, *name;
};
static const struct route_case route_cases[] = {
    {ROUTE_GUESTS, "POST", "/v1/guests", "guests"},
    {ROUTE_TOPUPS, "POST", "/v1/topups", "topups"},
    {ROUTE_WITHDRAWALS, "POST", "/v1/withdrawals", "withdrawals"},
    {ROUTE_SEND, "POST", "/v1/envelopes", "send"},
    {ROUTE_CLAIM, "POST", ENVELOPE "/claim", "claim"},
    {ROUTE_GRAB, "POST", ENVELOPE "/grab", "grab"},
    {ROUTE_OPEN, "POST", ENVELOPE "/open", "open"},
    {ROUTE_RECALL, "POST", ENVELOPE "/recall", "recall"},
    {ROUTE_THANKS, "POST", ENVELOPE "/thanks", "thanks"},
    {ROUTE_ENVELOPE, "GET", ENVELOPE, "envelope"},
    {ROUTE_CARD, "GET", "/", "card"},
    {ROUTE_ME, "GET", "/v1/me", "me"},
    {ROUTE_SENT, "GET", "/v1/me/sent", "sent"},
    {ROUTE_RECEIVED, "GET", "/v1/me/received", "received"},
    {ROUTE_LEDGER, "GET", "/v1/me/ledger", "ledger"},
    {ROUTE_SITE, "GET", "/v1/site", "site"},
    {ROUTE_HEALTHZ, "GET", "/healthz", "healthz"},
    {ROUTE_READYZ, "GET", "/readyz", "readyz"},
    {ROUTE_METRICS, "GET", "/metrics", "metrics"},
};

static void routes(void **state)
{
    static const char *const methods[] = {"GET",   "HEAD",    "POST", "PUT", "DELETE",
                                          "PATCH", "OPTIONS", "get",  ""};
    static const uint8_t id_bytes[16] = {0x01, 0x9c, 0x66, 0x5f, 0x10, 0, 0x70, 0,
                                         0x80, 1,    2,    3,    4,    5, 6,    0x0a};
    (void)state;
    assert_int_equal(COUNT(route_cases), ROUTE_NONE);
    for (size_t i = 0; i < COUNT(route_cases); i++) {
        const struct route_case *c = &route_cases[i];
        bool get = strcmp(c->method, "GET") == 0;
        for (size_t m = 0; m < COUNT(methods); m++) {
            const struct api_route *route = NULL;
            struct id id = {{0}};
            char allow[16] = "";
            bool fits =
                strcmp(methods[m], c->method) == 0 || (get && strcmp(methods[m], "HEAD") == 0);
            assert_int_equal(api_find(methods[m], c->path, &route, &id, allow),
                             fits ? ERR_OK : ERR_METHOD_NOT_ALLOWED);
            assert_string_equal(allow, fits ? "" : get ? "GET, HEAD" : "POST");
            assert_int_equal(route->route, c->route);
            assert_string_equal(route->name, c->name);
            if (fits && strstr(c->path, ID) != NULL)
                assert_memory_equal(id.b, id_bytes, 16);
        }
        assert_string_equal(api_route_names[c->route], c->name);
        assert_int_equal(api_routes[c->route].route, c->route);
    }
    assert_string_equal(api_route_names[ROUTE_NONE], "none");
    for (size_t i = ROUTE_COUNT; i < METRIC_ROUTES; i++)
        assert_null(api_route_names[i]);
}

/* ---- rules common to all routes ---- */

static struct http_request request_for(enum route route)
{
    struct http_request r = {.body = "", .query = "", .has_length = true, .idempotency_key = "k"};
    if (api_routes[route].body == BODY_JSON) {
        r.content_type = "application/json";
        r.body = "{}";
        r.body_len = 2;
    }
    return r;
}

static enum err check(enum route route, const struct http_request *r, const char *member)
{
    struct problem p = {.err = ERR_OK};
    enum err err = api_check_request(&api_routes[route], r, &p);
    if (err != ERR_OK) {
        assert_int_equal(p.err, err);
        if (member != NULL)
            assert_string_equal(p.member, member);
    }
    return err;
}

static void common_rules(void **state)
{
    static const char *const no_json[] = {NULL,
                                          "",
                                          "text/plain",
                                          "application/jsonp",
                                          "application/x-www-form-urlencoded",
                                          "application/problem+json",
                                          "text/application/json"};
    static const char *const json[] = {"application/json", "Application/JSON",
                                       "application/json; charset=utf-8", "application/json;x=y",
                                       "application/json ; x=y"};
    (void)state;
    for (enum route route = 0; route < ROUTE_NONE; route++) {
        struct http_request r = request_for(route);
        bool post = strcmp(api_routes[route].method, "POST") == 0;
        assert_int_equal(check(route, &r, NULL), ERR_OK);
        r.has_length = false;
        assert_int_equal(check(route, &r, NULL), post ? ERR_LENGTH_REQUIRED : ERR_OK);
        r.has_length = true;
        r.too_large = true;
        assert_int_equal(check(route, &r, NULL), ERR_BODY_TOO_LARGE);
        r.too_large = false;
        r.query = "x=1"; /* a route with parameters checks them itself */
        assert_int_equal(check(route, &r, api_routes[route].has_query ? NULL : "x"),
                         api_routes[route].has_query ? ERR_OK : ERR_INVALID_REQUEST);
        r.query = "";
        if (api_routes[route].body == BODY_NONE) {
            r.content_type = "text/plain"; /* of nothing */
            assert_int_equal(check(route, &r, NULL), ERR_OK);
            r.body = " ";
            r.body_len = 1;
            assert_int_equal(check(route, &r, NULL), ERR_INVALID_REQUEST);
            continue;
        }
        for (size_t i = 0; i < COUNT(no_json); i++) {
            r.content_type = no_json[i];
            assert_int_equal(check(route, &r, "Content-Type"), ERR_UNSUPPORTED_MEDIA_TYPE);
        }
        r.content_type = json[0];
        r.content_encoding = "gzip";
        assert_int_equal(check(route, &r, "Content-Encoding"), ERR_UNSUPPORTED_MEDIA_TYPE);
        r.content_encoding = "Identity";
        for (size_t i = 0; i < COUNT(json); i++) {
            r.content_type = json[i];
            assert_int_equal(check(route, &r, NULL), ERR_OK);
        }
    }
}

static void idempotency_keys(void **state)
{
    char key[KEY_MAX + 2];
    (void)state;
    static const char *const bad[] = {" ", "a b", "a\tb", "a\x7f", "\xe7\xa6\x8f", " k"};
    for (enum route route = 0; route < ROUTE_NONE; route++) {
        struct http_request r = request_for(route);
        bool needed = route == ROUTE_TOPUPS || route == ROUTE_WITHDRAWALS || route == ROUTE_SEND;
        r.idempotency_key = NULL;
        assert_int_equal(check(route, &r, "Idempotency-Key"),
                         needed ? ERR_IDEMPOTENCY_KEY_REQUIRED : ERR_OK);
        r.idempotency_key = "";
        assert_int_equal(check(route, &r, "Idempotency-Key"),
                         needed ? ERR_IDEMPOTENCY_KEY_REQUIRED : ERR_OK);
        for (size_t i = 0; i < COUNT(bad); i++) {
            r.idempotency_key = bad[i];
            assert_int_equal(check(route, &r, "Idempotency-Key"),
                             needed ? ERR_INVALID_REQUEST : ERR_OK);
        }
        memset(key, '~', sizeof key);
        r.idempotency_key = key;
        key[KEY_MAX + 1] = '\0';
        assert_int_equal(check(route, &r, "Idempotency-Key"),
                         needed ? ERR_INVALID_REQUEST : ERR_OK);
        key[KEY_MAX] = '\0';
        assert_int_equal(check(route, &r, NULL), ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_such_path),
        cmocka_unit_test(routes),
        cmocka_unit_test(common_rules),
        cmocka_unit_test(idempotency_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
