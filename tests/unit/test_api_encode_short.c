/* The other answers, byte for byte: their members and no others. */
#include "lib/wire/api.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_US INT64_C(1771257600123456)
#define AT "2026-02-16T16:00:00.123Z"
#define OPENED "2026-02-16T15:59:00.123Z"
#define ID "019c665f-1000-7000-8001-02030405060a"

static struct id id;

static int setup(void **state)
{
    (void)state;
    return id_parse(&id, ID, 36) ? 0 : -1;
}

/* Ends the answer: r holds it, and is freed. */
static void expect(struct http_response *r, int status, const char *state, const char *body)
{
    assert_int_equal(r->status, status);
    assert_string_equal(r->state, state);
    assert_false(r->body.failed);
    assert_string_equal(r->content_type, "application/json");
    assert_string_equal(r->body.data, body);
    http_response_free(r);
}

static struct claim claim_of(const char *user, int64_t seq, int64_t amount_fen)
{
    struct claim c = {.envelope = id, .amount_fen = amount_fen, .seq = seq, .opened_us = AT_US};
    snprintf(c.user, sizeof c.user, "%s", user);
    snprintf(c.name, sizeof c.name, "%s", user);
    return c;
}

static void grabs(void **state)
{
    static const struct {
        struct grab_answer answer;
        const char *state, *body;
    } cases[] = {
        {{.state = GRAB_GRABBED, .ticket = "AQx", .expires_us = INT64_C(1771257600000000)},
         "grabbed",
         "{\"state\":\"grabbed\",\"ticket\":\"AQx\",\"expires_at\":\"2026-02-16T16:00:00.000Z\"}"},
        {{.state = GRAB_OPENED, .amount_fen = 5, .seq = 7},
         "opened",
         "{\"state\":\"opened\",\"amount\":5,\"seq\":7}"},
        {{.state = GRAB_BUSY, .retry_after_s = 2},
         "busy",
         "{\"state\":\"busy\",\"retry_after\":2}"},
        {{.state = GRAB_SOLD_OUT}, "sold_out", "{\"state\":\"sold_out\"}"},
        {{.state = GRAB_EXPIRED}, "expired", "{\"state\":\"expired\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response r;
        http_response_init(&r);
        api_encode_grab(&r, &cases[i].answer);
        assert_int_equal(r.retry_after_s, cases[i].answer.retry_after_s);
        expect(&r, 200, cases[i].state, cases[i].body);
    }
}

static void opens(void **state)
{
    struct http_response r;
    struct open_answer a = {.state = OPEN_OPENED, .claim = claim_of("bob", 2, 60)};
    (void)state;
    http_response_init(&r);
    api_encode_open(&r, &a);
    expect(&r, 200, "opened",
           "{\"state\":\"opened\",\"amount\":60,\"seq\":2,\"opened_at\":\"" AT "\"}");
    a.state = OPEN_SOLD_OUT;
    http_response_init(&r);
    api_encode_open(&r, &a);
    expect(&r, 200, "sold_out", "{\"state\":\"sold_out\"}");
    a.state = OPEN_EXPIRED;
    http_response_init(&r);
    api_encode_open(&r, &a);
    expect(&r, 200, "expired", "{\"state\":\"expired\"}");
}

static void accounts(void **state)
{
    struct http_response r;
    struct me_view me = {.account = {.user = "bob", .name = "B", .balance_fen = 5},
                         .pending_fen = 7};
    struct transfer t = {
        .id = id, .kind = TRANSFER_WITHDRAW, .user = "bob", .amount_fen = 3, .balance_fen = 2};
    (void)state;
    http_response_init(&r);
    api_encode_me(&r, &me, "CNY");
    expect(&r, 200, "ok",
           "{\"user\":\"bob\",\"name\":\"B\",\"balance\":5,\"pending\":7,\"currency\":\"CNY\"}");
    http_response_init(&r);
    api_encode_guest(&r, &me.account, "a.b.c");
    expect(&r, 201, "created",
           "{\"user\":\"bob\",\"name\":\"B\",\"token\":\"a.b.c\",\"balance\":5}");
    http_response_init(&r);
    api_encode_money(&r, &t);
    expect(&r, 201, "created", "{\"id\":\"" ID "\",\"user\":\"bob\",\"amount\":3,\"balance\":2}");
}

static void received_lists(void **state)
{
    struct http_response r;
    struct received_view *v = calloc(1, sizeof *v);
    (void)state;
    assert_non_null(v);
    v->year = 2025;
    v->totals = (struct year_totals){
        .received_count = 2, .received_fen = 65, .luckiest_count = 1, .sent_fen = 99};
    v->n = 1;
    v->items[0] = (struct received_item){.envelope = id,
                                         .sender = "alice",
                                         .sender_name = "A",
                                         .amount_fen = 60,
                                         .seq = 2,
                                         .opened_us = AT_US,
                                         .credited = true};
    http_response_init(&r);
    api_encode_received_list(&r, v);
    expect(&r, 200, "ok",
           "{\"year\":2025,\"count\":2,\"total\":65,\"luckiest_count\":1,\"items\":[{\"envelope\":"
           "\"" ID "\","
           "\"sender\":{\"user\":\"alice\",\"name\":\"A\"},\"theme\":\"plain\",\"amount\":60,"
           "\"seq\":2,\"opened_at\":\"" AT "\","
           "\"credited\":true,\"luckiest\":false}],\"next\":null}");
    free(v);
}

static void ledgers(void **state)
{
    static const struct {
        enum transfer_kind kind;
        const char *name, *amount, *envelope;
    } cases[] = {
        {TRANSFER_TOPUP, "topup", "5", "null"},
        {TRANSFER_WITHDRAW, "withdraw", "-5", "null"},
        {TRANSFER_SEND, "send", "-5", "\"" ID "\""},
        {TRANSFER_CLAIM, "claim", "5", "\"" ID "\""},
        {TRANSFER_REFUND, "refund", "5", "\"" ID "\""},
    };
    struct ledger_view *v = calloc(1, sizeof *v);
    char body[512];
    (void)state;
    assert_non_null(v);
    v->balance_fen = 12;
    v->n = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response r;
        v->items[0] = (struct transfer){
            .id = id, .kind = cases[i].kind, .amount_fen = 5, .booked_us = AT_US, .ref_len = 20};
        if (cases[i].kind == TRANSFER_CLAIM)
            v->items[0].at_us = AT_US - INT64_C(60000000);
        memcpy(v->items[0].ref, id.b, 16); /* a top-up's reference may look like an id, too */
        http_response_init(&r);
        api_encode_ledger(&r, v);
        snprintf(body, sizeof body,
                 "{\"balance\":12,\"items\":[{\"id\":\"" ID
                 "\",\"kind\":\"%s\",\"amount\":%s,\"envelope\":%s,\"at\":\"" AT
                 "\"%s}],\"next\":null}",
                 cases[i].name, cases[i].amount, cases[i].envelope,
                 cases[i].kind == TRANSFER_CLAIM ? ",\"opened_at\":\"" OPENED "\"" : "");
        expect(&r, 200, "ok", body);
    }
    free(v);
}

static void health(void **state)
{
    struct http_response r;
    (void)state;
    http_response_init(&r);
    api_encode_health(&r);
    expect(&r, 200, "ok", "{\"status\":\"ok\"}");
    http_response_init(&r);
    api_encode_ready(&r, NULL, 0, true);
    expect(&r, 200, "ok", "{\"status\":\"ok\",\"clock\":\"held\"}");
    http_response_init(&r);
    api_encode_ready(&r, (const char *const[]){"cache", "settle"}, 2, false);
    expect(&r, 200, "ok", "{\"status\":\"ok\",\"degraded\":[\"cache\",\"settle\"]}");
}

/* The tag follows the content: settings, and the version of the service. */
static void site(void **state)
{
    struct config config;
    struct http_response r;
    char tag[80];
    (void)state;
    config_defaults(&config);
    strcpy(config.greeting_default, "x");
    http_response_init(&r);
    api_encode_site(&r, &config, "1", NULL);
    assert_int_equal(r.max_age_s, 60);
    memcpy(tag, r.etag, sizeof tag);
    assert_int_equal(strlen(tag), 18);
    expect(
        &r, 200, "ok",
        "{\"demo\":false,\"withdrawals\":true,\"currency\":{\"code\":\"CNY\",\"decimals\":2},"
        "\"limits\":{"
        "\"share_cap\":20000,\"shares_max\":500,\"greeting_max\":50,\"name_max\":32,"
        "\"expires_min\":60,\"expires_max\":604800,\"recipients_max\":100,"
        "\"sent_per_day\":2000000,\"body_max\":8192},\"defaults\":{\"greeting\":\"x\","
        "\"expires_in\":86400,\"theme\":\"plain\"},\"themes\":[\"plain\",\"new_year\",\"birthday\","
        "\"wedding\",\"thanks\",\"company\"],\"thanks\":[\"thanks\",\"hug\",\"luck\",\"cheers\","
        "\"wow\"],\"version\":\"1\"}");
    http_response_init(&r);
    api_encode_site(&r, &config, "1", tag);
    assert_int_equal(r.status, 304);
    assert_int_equal(r.body.len, 0);
    assert_string_equal(r.etag, tag);
    http_response_free(&r);
    http_response_init(&r);
    config.demo = true;
    api_encode_site(&r, &config, "1", tag);
    assert_int_equal(r.status, 200);
    http_response_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grabs),          cmocka_unit_test(opens),   cmocka_unit_test(accounts),
        cmocka_unit_test(received_lists), cmocka_unit_test(ledgers), cmocka_unit_test(health),
        cmocka_unit_test(site),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
