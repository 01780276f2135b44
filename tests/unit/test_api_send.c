/* What a send may hold: every refusal first, with the member it names. */
#include "lib/wire/api.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static struct config config;

static int setup(void **state)
{
    (void)state;
    config_defaults(&config);
    return 0;
}

static const char *const no_json[] = {
    "", " ", "{", "{]", "nul", "{} {}", "/**/{}", "\xff", "{\"a\":\"\\ud800\"}"};
static const char *const no_object[] = {"[]", "1", "\"x\"", "null", "true", "[{}]"};

struct body_case {
    const char *body, *member;
};

/* Decode and apply the limits. */
static enum err decode(const char *body, size_t len, const struct config *c, struct api_send *out,
                       struct problem *p)
{
    enum err err = api_decode_send(body, len, c, out, p);
    return err != ERR_OK ? err : out->refused;
}

static void send_refuses(const char *body, enum err err, const char *member)
{
    struct api_send out;
    struct problem p = {.err = ERR_OK};
    enum err got = decode(body, strlen(body), &config, &out, &p);
    if (got != err || p.err != err || strcmp(p.member, member) != 0)
        fail_msg("%s gives %s, member \"%s\"", body, err_name(p.err), p.member);
}

#define M "\"mode\":\"lucky\""
#define T "\"total\":100"
#define S "\"shares\":2"
#define ALL M "," T "," S

static void refuses_sends(void **state)
{
    static const struct body_case cases[] = {
        {"{}", "mode"},
        {"{" T "," S "}", "mode"},
        {"{" M "," S "}", "total"},
        {"{" M "," T "}", "shares"},
        {"{" ALL ",\"x\":1}", "x"},
        {"{" ALL ",\"Mode\":1}", "Mode"},
        {"{" ALL ",\"\":1}", ""},
        {"{" ALL "," T "}", "total"},
        {"{" ALL ",\"tot\\u0061l\":1}", "total"},
        {"{" ALL ",\"to\":{\"group\":\"a\",\"group\":\"b\"}}", "group"},
        {"{\"mode\":\"fair\"," T "," S "}", "mode"},
        {"{\"mode\":\"\"," T "," S "}", "mode"},
        {"{\"mode\":1," T "," S "}", "mode"},
        {"{\"mode\":null," T "," S "}", "mode"},
        {"{\"mode\":\"Lucky\"," T "," S "}", "mode"},
        {"{" M ",\"total\":0," S "}", "total"},
        {"{" M ",\"total\":-1," S "}", "total"},
        {"{" M ",\"total\":-0," S "}", "total"},
        {"{" M ",\"total\":100.0," S "}", "total"},
        {"{" M ",\"total\":1e2," S "}", "total"},
        {"{" M ",\"total\":1E2," S "}", "total"},
        {"{" M ",\"total\":\"100\"," S "}", "total"},
        {"{" M ",\"total\":null," S "}", "total"},
        {"{" M ",\"total\":true," S "}", "total"},
        {"{" M ",\"total\":9007199254740992," S "}", "total"},
        {"{" M ",\"total\":9223372036854775808," S "}", "total"},
        {"{" M ",\"total\":18446744073709551616," S "}", "total"},
        {"{" M ",\"total\":18446744073709551716," S "}", "total"},
        {"{" M ",\"total\":1," S "}", "total"},
        {"{" M ",\"total\":40001," S "}", "total"},
        {"{" M "," T ",\"shares\":0}", "shares"},
        {"{" M "," T ",\"shares\":501}", "shares"},
        {"{" M "," T ",\"shares\":-1}", "shares"},
        {"{" M "," T ",\"shares\":1.0}", "shares"},
        {"{" M "," T ",\"shares\":\"2\"}", "shares"},
        {"{" M "," T ",\"shares\":18446744073709551618}", "shares"},
        {"{" ALL ",\"expires_in\":59}", "expires_in"},
        {"{" ALL ",\"expires_in\":604801}", "expires_in"},
        {"{" ALL ",\"expires_in\":\"60\"}", "expires_in"},
        {"{" ALL ",\"expires_in\":60.5}", "expires_in"},
        {"{" ALL ",\"expires_in\":null}", "expires_in"},
        {"{" ALL ",\"greeting\":\"\"}", "greeting"},
        {"{" ALL ",\"greeting\":5}", "greeting"},
        {"{" ALL ",\"greeting\":null}", "greeting"},
        {"{" ALL ",\"greeting\":\"\\u007f\"}", "greeting"},
        {"{" ALL ",\"greeting\":\" \\u200d\\u3164\"}", "greeting"},
        {"{" ALL ",\"greeting\":\"\\u0301\"}", "greeting"},
        {"{" ALL ",\"greeting\":\"\\u2028\"}", "greeting"},
        {"{" ALL ",\"greeting\":\"\\ufffe\"}", "greeting"},
        {"{" ALL ",\"theme\":\"\"}", "theme"},
        {"{" ALL ",\"theme\":\"Wedding\"}", "theme"},
        {"{" ALL ",\"theme\":\"easter\"}", "theme"},
        {"{" ALL ",\"theme\":1}", "theme"},
        {"{" ALL ",\"theme\":null}", "theme"},
        {"{" ALL ",\"to\":null}", "to"},
        {"{" ALL ",\"to\":\"g\"}", "to"},
        {"{" ALL ",\"to\":[]}", "to"},
        {"{" ALL ",\"to\":{}}", "to"},
        {"{" ALL ",\"to\":{\"group\":\"g\",\"users\":[\"a\"]}}", "to"},
        {"{" ALL ",\"to\":{\"team\":\"g\"}}", "to.team"},
        {"{" ALL ",\"to\":{\"group\":\"\"}}", "to.group"},
        {"{" ALL ",\"to\":{\"group\":1}}", "to.group"},
        {"{" ALL ",\"to\":{\"group\":\"a\\u0007\"}}", "to.group"},
        {"{" ALL ",\"to\":{\"users\":[]}}", "to.users"},
        {"{" ALL ",\"to\":{\"users\":\"a\"}}", "to.users"},
        {"{" ALL ",\"to\":{\"users\":[1]}}", "to.users"},
        {"{" ALL ",\"to\":{\"users\":[\"a\",\"b\",\"a\"]}}", "to.users"},
        {"{" ALL ",\"to\":{\"users\":[\"\"]}}", "to.users"},
        {"{" ALL ",\"to\":{\"users\":[\"a b\"]}}", "to.users"},
        {"{" ALL ",\"to\":{\"users\":[[\"a\"]]}}", "to.users"},
        {"{" ALL ",\"to\":{\"users\":[null]}}", "to.users"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(no_json); i++)
        send_refuses(no_json[i], ERR_INVALID_JSON, "");
    for (size_t i = 0; i < COUNT(no_object); i++)
        send_refuses(no_object[i], ERR_INVALID_REQUEST, "");
    for (size_t i = 0; i < COUNT(cases); i++)
        send_refuses(cases[i].body, ERR_INVALID_REQUEST, cases[i].member);
    send_refuses("{\"a\":[[[[1]]]]}", ERR_INVALID_REQUEST, "");
}

static size_t users_body(char *out, size_t cap, int n)
{
    size_t len = (size_t)snprintf(out, cap, "{" ALL ",\"to\":{\"users\":[");
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(out + len, cap - len, "%s\"%061d%03d\"", i == 0 ? "" : ",", 0, i);
    return len + (size_t)snprintf(out + len, cap - len, "]}}");
}

static void limits_of_sends(void **state)
{
    static char body[12000];
    struct api_send out;
    struct problem p;
    (void)state;
    size_t len = users_body(body, sizeof body, RECIPIENTS_MAX + 1);
    assert_int_equal(decode(body, len, &config, &out, &p), ERR_INVALID_REQUEST);
    assert_string_equal(p.member, "to.users");
    assert_true(p.has_limit && p.limit == RECIPIENTS_MAX);
    len = users_body(body, sizeof body, RECIPIENTS_MAX); /* of 64 bytes each: no more fit */
    assert_int_equal(decode(body, len, &config, &out, &p), ERR_OK);
    assert_int_equal(strlen(out.to), RECIPIENTS_SIZE - 2);
    memcpy(strstr(body, "[\"") + 2, "12\",\"34", 7); /* one more, of which the quotes are taken */
    char *extra = strstr(body, "\"]");
    memcpy(extra, "ab\"]}}", 7);
    assert_int_equal(decode(body, strlen(body), &config, &out, &p), ERR_INVALID_REQUEST);
    assert_string_equal(p.member, "to.users");
    for (int n = 51; n >= 50; n--) {
        len = (size_t)snprintf(body, sizeof body, "{" ALL ",\"greeting\":\"");
        for (int i = 0; i < n; i++)
            len += (size_t)snprintf(body + len, sizeof body - len, "\xf0\x9f\x98\x80");
        len += (size_t)snprintf(body + len, sizeof body - len, "\"}");
        assert_int_equal(decode(body, len, &config, &out, &p),
                         n == 50 ? ERR_OK : ERR_INVALID_REQUEST);
    }
    assert_int_equal(strlen(out.greeting), 200);
    /* the highest that can be configured: no product overflows */
    struct config wide = config;
    wide.shares_max = SHARES_LIMIT;
    wide.share_cap_fen = AMOUNT_MAX_FEN;
    static const char most[] = "{" M ",\"total\":1000000000000,\"shares\":1000000}";
    assert_int_equal(decode(most, sizeof most - 1, &wide, &out, &p), ERR_OK);
    static const char more[] = "{" M ",\"total\":1000000000001,\"shares\":1000000}";
    assert_int_equal(decode(more, sizeof more - 1, &wide, &out, &p), ERR_INVALID_REQUEST);
}

/* Envelopes of which a share could never be opened. */
static void refuses_impossible_envelopes(void **state)
{
    static const struct {
        const char *sender, *body, *member;
    } cases[] = {
        {"alice", "{" ALL "}", ""},
        {"guest:1", "{" ALL "}", ""},
        {"alice", "{" ALL ",\"to\":{\"group\":\"\xe5\x85\xa8 g\"}}", ""},
        {"alice", "{" ALL ",\"to\":{\"users\":[\"a\",\"b\"]}}", ""},
        {"guest:1", "{" ALL ",\"to\":{\"group\":\"g\"}}", "to"},
        {"guest:1", "{" ALL ",\"to\":{\"users\":[\"a\",\"b\"]}}", "to"},
        {"alice", "{" ALL ",\"to\":{\"users\":[\"a\",\"guest:2\"]}}", "to.users"},
        {"alice", "{" ALL ",\"to\":{\"users\":[\"guest:2\",\"a\"]}}", "to.users"},
        {"alice", "{" ALL ",\"to\":{\"users\":[\"a\"]}}", "shares"},
    };
    struct api_send out;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct problem p = {.err = ERR_OK};
        assert_int_equal(decode(cases[i].body, strlen(cases[i].body), &config, &out, &p), ERR_OK);
        enum err err = api_check_recipients(&out, cases[i].sender, &p);
        if (err != (cases[i].member[0] == '\0' ? ERR_OK : ERR_INVALID_REQUEST) ||
            strcmp(p.member, cases[i].member) != 0)
            fail_msg("%s from %s: %s", cases[i].body, cases[i].sender, p.member);
    }
}

static void takes_sends(void **state)
{
    struct api_send out;
    struct problem p;
    (void)state;
    static const char least[] = "{\"mode\":\"lucky\",\"total\":1,\"shares\":1}";
    memset(&out, 'x', sizeof out);
    assert_int_equal(decode(least, sizeof least - 1, &config, &out, &p), ERR_OK);
    assert_int_equal(out.mode, MODE_LUCKY);
    assert_int_equal(out.total_fen, 1);
    assert_int_equal(out.shares, 1);
    assert_int_equal(out.expires_in_s, config.expires_default_s);
    assert_string_equal(out.greeting, config.greeting_default);
    assert_int_equal(out.theme, THEME_PLAIN);
    assert_int_equal(out.to_kind, TO_ANYONE);
    assert_string_equal(out.to, "");
    static const char most[] = "{\"to\":{\"users\":[\"ab\",\"b\",\"a\"]},\"shares\":500,\"total\":"
                               "10000000,\"expires_in\":604800,"
                               "\"greeting\":\"\\u798f \\\"x\\\"\",\"mode\":\"equal\"}";
    assert_int_equal(decode(most, sizeof most - 1, &config, &out, &p), ERR_OK);
    assert_int_equal(out.mode, MODE_EQUAL);
    assert_int_equal(out.total_fen, 500 * config.share_cap_fen);
    assert_int_equal(out.expires_in_s, 604800);
    assert_string_equal(out.greeting, "\xe7\xa6\x8f \"x\"");
    assert_int_equal(out.to_kind, TO_USERS);
    assert_string_equal(out.to, "ab b a");
    static const char group[] = "{" ALL ",\"to\":{\"group\":\"team:1\"}}";
    assert_int_equal(decode(group, sizeof group - 1, &config, &out, &p), ERR_OK);
    assert_int_equal(out.to_kind, TO_GROUP);
    assert_string_equal(out.to, "team:1");
    static const char theme[] = "{" ALL ",\"theme\":\"new_year\"}";
    assert_int_equal(decode(theme, sizeof theme - 1, &config, &out, &p), ERR_OK);
    assert_int_equal(out.theme, THEME_NEW_YEAR);
}

static void hash_of(const char *body, const struct config *c, uint8_t out[32])
{
    static struct api_send send;
    struct problem p;
    assert_int_equal(api_decode_send(body, strlen(body), c, &send, &p), ERR_OK);
    memcpy(out, send.body_hash, 32);
}

/* What a repeated key is compared by. */
static void hashes_of_what_was_sent(void **state)
{
    static const char *const same[] = {"{" ALL "}", " {" S "," T "," M "} ",
                                       "{\"m\\u006fde\":\"l\\u0075cky\"," T "," S "}"};
    static const char *const others[] = {"{\"mode\":\"equal\"," T "," S "}",
                                         "{" M ",\"total\":101," S "}",
                                         "{" M "," T ",\"shares\":3}",
                                         "{" ALL ",\"expires_in\":86400}", /* the default */
                                         "{" ALL ",\"expires_in\":86401}",
                                         "{" ALL ",\"greeting\":\"x\"}",
                                         "{" ALL ",\"greeting\":\" x\"}",
                                         "{" ALL ",\"theme\":\"plain\"}", /* the default */
                                         "{" ALL ",\"theme\":\"wedding\"}",
                                         "{" ALL ",\"greeting\":\"x\",\"theme\":\"wedding\"}",
                                         "{" ALL ",\"to\":{\"group\":\"a\"}}",
                                         "{" ALL ",\"to\":{\"users\":[\"a\"]}}",
                                         "{" ALL ",\"to\":{\"users\":[\"a\",\"b\"]}}",
                                         "{" ALL ",\"to\":{\"users\":[\"b\",\"a\"]}}"};
    uint8_t first[32], hashes[COUNT(others)][32], again[32];
    (void)state;
    hash_of(same[0], &config, first);
    for (size_t i = 1; i < COUNT(same); i++) {
        hash_of(same[i], &config, again);
        assert_memory_equal(again, first, sizeof first);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        hash_of(others[i], &config, hashes[i]);
        assert_memory_not_equal(hashes[i], first, sizeof first);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(hashes[i], hashes[k], sizeof first);
    }
    struct api_money m = {.user = "a", .reference = "b", .amount_fen = 1},
                     n = {.user = "a", .reference = "b", .amount_fen = 2};
    struct buf x, y;
    buf_init(&x, 999);
    buf_init(&y, 999);
    api_money_canonical(&m, &x);
    api_money_canonical(&n, &y);
    assert_string_not_equal(x.data, y.data);
    buf_free(&x);
    buf_free(&y);
}

/* A request that was accepted is hashed the same when its settings have changed. */
static void settings_do_not_change_the_hash(void **state)
{
    static const char *const bodies[] = {
        "{" ALL "}",
        "{" M ",\"total\":10000,\"shares\":500,\"greeting\":\"four\",\"expires_in\":604800}",
        "{" ALL ",\"expires_in\":60}", "{" ALL ",\"greeting\":\"four\"}"};
    static const char *const members[] = {"total", "shares", "expires_in", "greeting"};
    struct config other = config;
    (void)state;
    strcpy(other.greeting_default, "other");
    other.expires_default_s = 7200;
    other.expires_min_s = 3600;
    other.expires_max_s = 86400;
    other.shares_max = 10;
    other.share_cap_fen = 20;
    other.greeting_max = 3;
    other.demo = true;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        static struct api_send out;
        struct problem p = {.err = ERR_OK};
        uint8_t before[32];
        hash_of(bodies[i], &config, before);
        assert_int_equal(api_decode_send(bodies[i], strlen(bodies[i]), &other, &out, &p), ERR_OK);
        assert_memory_equal(out.body_hash, before, sizeof before);
        assert_int_equal(out.refused, ERR_INVALID_REQUEST);
        assert_string_equal(p.member, members[i]);
        assert_true(p.has_limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_sends),
        cmocka_unit_test(limits_of_sends),
        cmocka_unit_test(refuses_impossible_envelopes),
        cmocka_unit_test(takes_sends),
        cmocka_unit_test(hashes_of_what_was_sent),
        cmocka_unit_test(settings_do_not_change_the_hash),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
