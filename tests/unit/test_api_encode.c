/* Envelopes in answers, byte for byte: their members and no others, null where not yet known. */
#include "lib/wire/api.h"
#include "lib/wire/api_page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_US INT64_C(1771257600123456)
#define AT "2026-02-16T16:00:00.123Z"
#define ID "019c665f-1000-7000-8001-02030405060a"
#define AB8 "abababababababab"
#define AB64 AB8 AB8 AB8 AB8
#define CD8 "cdcdcdcdcdcdcdcd"
#define CD64 CD8 CD8 CD8 CD8

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

static struct envelope sample(void)
{
    struct envelope e;
    memset(&e, 0, sizeof e);
    e.id = id;
    strcpy(e.sender, "alice");
    strcpy(e.sender_name, "A\"l");
    e.mode = MODE_LUCKY;
    e.total_fen = 100;
    e.shares = 3;
    e.cap_fen = 20000;
    strcpy(e.greeting, "\xe7\xa6\x8f");
    e.theme = THEME_WEDDING;
    e.created_us = AT_US;
    e.expires_us = AT_US + 60000000;
    memset(e.seed_hash, 0xAB, 32);
    memset(e.seed, 0xCD, 32);
    e.version = 1;
    return e;
}

static struct envelope closed_sample(void)
{
    struct envelope e = sample();
    e.state = STATE_EXPIRED;
    e.has_seed = true;
    e.opened_shares = 2;
    e.opened_fen = 90;
    e.refunded_fen = 10;
    e.closed_us = AT_US + 60000000;
    e.luckiest_seq = 2;
    e.luckiest_fen = 60;
    strcpy(e.luckiest_user, "bob");
    strcpy(e.luckiest_name, "Bob");
    return e;
}

#define HEAD                                                                                       \
    "\"id\":\"" ID "\",\"sender\":{\"user\":\"alice\",\"name\":\"A\\\"l\"},\"mode\":\"lucky\","    \
    "\"theme\":\"wedding\",\"to\":"
#define SUMS                                                                                       \
    ",\"total\":100,\"shares\":3,\"cap\":20000,\"greeting\":\"\xe7\xa6\x8f\",\"opened_shares\":"
#define DATES "\"created_at\":\"" AT "\",\"expires_at\":\"2026-02-16T16:01:00.123Z\",\"closed_at\":"
#define FRESH                                                                                      \
    SUMS "0,\"opened_total\":0,\"refunded\":0," DATES "null,\"seed_hash\":\"" AB64                 \
         "\",\"state\":\"open\",\"closed_by\":null,\"seed\":null,\"luckiest\":null"
#define CLOSED                                                                                     \
    SUMS "2,\"opened_total\":90,\"refunded\":10," DATES                                            \
         "\"2026-02-16T16:01:00.123Z\",\"seed_hash\":\"" AB64                                      \
         "\",\"state\":\"expired\",\"closed_by\":\"deadline\",\"seed\":\"" CD64                    \
         "\",\"luckiest\":{\"user\":\"bob\",\"name\":\"Bob\",\"amount\":60,\"seq\":2}"

/* What would let people foresee the amounts is not shown while there are any left. */
static void keeps_secrets_while_open(void **state)
{
    struct http_response r;
    struct envelope e = closed_sample();
    (void)state;
    e.state = STATE_OPEN; /* although the reader knows them */
    http_response_init(&r);
    api_encode_sent(&r, &e);
    assert_non_null(strstr(r.body.data, "\"seed\":null"));
    assert_non_null(strstr(r.body.data, "\"luckiest\":null"));
    assert_null(strstr(r.body.data, CD8));
    http_response_free(&r);
    e = closed_sample(); /* closed, but the reader does not know the seed */
    e.has_seed = false;
    http_response_init(&r);
    api_encode_sent(&r, &e);
    assert_non_null(strstr(r.body.data, "\"seed\":null"));
    assert_null(strstr(r.body.data, CD8));
    http_response_free(&r);
}

static void ill_formed_text_fails(void **state)
{
    struct http_response r;
    struct envelope e = sample();
    (void)state;
    strcpy(e.greeting, "\xff");
    http_response_init(&r);
    api_encode_sent(&r, &e);
    assert_true(r.body.failed);
    http_response_free(&r);
}

static void sends(void **state)
{
    struct http_response r;
    struct envelope e = sample();
    (void)state;
    http_response_init(&r);
    api_encode_sent(&r, &e);
    assert_string_equal(r.location, "/v1/envelopes/" ID);
    expect(&r, 201, "created", "{" HEAD "null" FRESH ",\"mine\":null,\"claims\":[],\"next\":null}");
    e.to_kind = TO_GROUP;
    strcpy(e.to, "g");
    http_response_init(&r);
    api_encode_sent(&r, &e);
    expect(&r, 201, "created",
           "{" HEAD "{\"group\":\"g\"}" FRESH ",\"mine\":null,\"claims\":[],\"next\":null}");
    e.to_kind = TO_USERS;
    strcpy(e.to, "bob c:1");
    http_response_init(&r);
    api_encode_sent(&r, &e);
    expect(&r, 201, "created",
           "{" HEAD "{\"users\":[\"bob\",\"c:1\"]}" FRESH
           ",\"mine\":null,\"claims\":[],\"next\":null}");
}

static struct claim claim_of(const char *user, int64_t seq, int64_t amount_fen)
{
    struct claim c = {.envelope = id, .amount_fen = amount_fen, .seq = seq, .opened_us = AT_US};
    snprintf(c.user, sizeof c.user, "%s", user);
    snprintf(c.name, sizeof c.name, "%s", user);
    return c;
}

static void envelopes(void **state)
{
    struct http_response r;
    char cursor[CURSOR_TEXT_SIZE], body[4096];
    struct envelope e = closed_sample();
    struct claim claims[] = {claim_of("carol", 1, 30), claim_of("bob", 2, 60)};
    struct envelope_view v = {.envelope = &e};
    (void)state;
    claims[0].thanks = THANKS_HUG;
    http_response_init(&r);
    api_encode_thanks(&r, &claims[0]);
    expect(&r, 200, "ok", "{\"seq\":1,\"thanks\":\"hug\"}");
    http_response_init(&r);
    api_encode_envelope(&r, &v);
    expect(&r, 200, "expired",
           "{" HEAD "null" CLOSED ",\"mine\":null,\"claims\":[],\"next\":null}");
    v.mine = &claims[1];
    v.claims = claims;
    v.n_claims = 2;
    v.next_seq = 2;
    struct page_after next = {.set = true, .id = id, .seq = 2};
    api_cursor_format(cursor, PAGE_CLAIMS, &next);
    snprintf(body, sizeof body,
             "{" HEAD "null" CLOSED ",\"mine\":{\"amount\":60,\"seq\":2,\"opened_at\":\"" AT
             "\"},\"claims\":["
             "{\"user\":\"carol\",\"name\":\"carol\",\"amount\":30,\"seq\":1,\"opened_at\":\"" AT
             "\",\"thanks\":\"hug\"},"
             "{\"user\":\"bob\",\"name\":\"bob\",\"amount\":60,\"seq\":2,\"opened_at\":\"" AT
             "\",\"thanks\":null}],\"next\":\"%s\"}",
             cursor);
    http_response_init(&r);
    api_encode_envelope(&r, &v);
    expect(&r, 200, "expired", body);
}

static void veiled_envelopes(void **state)
{
    struct http_response r;
    struct envelope e = sample();
    struct claim claim = claim_of("carol", 1, 31);
    struct envelope_view v = {
        .envelope = &e, .claims = &claim, .n_claims = 1, .next_seq = 1, .veiled = true};
    (void)state;
    e.opened_shares = 2;
    e.opened_fen = 91;
    http_response_init(&r);
    api_encode_envelope(&r, &v);
    assert_non_null(strstr(r.body.data, "\"opened_shares\":2,\"opened_total\":null,"));
    assert_non_null(strstr(r.body.data, "\"claims\":[],\"next\":null}"));
    assert_null(strstr(r.body.data, "31"));
    assert_null(strstr(r.body.data, "91"));
    http_response_free(&r);
}

static void previews(void **state)
{
    struct http_response r;
    struct envelope e = closed_sample();
    (void)state;
    http_response_init(&r);
    api_encode_preview(&r, &e);
    expect(&r, 200, "expired",
           "{\"id\":\"" ID "\",\"sender\":{\"name\":\"A\\\"l\"},\"mode\":\"lucky\","
           "\"theme\":\"wedding\",\"greeting\":\"\xe7\xa6\x8f\",\"state\":\"expired\",\"left\":1,"
           "\"guests\":false}");
}

static void recalls(void **state)
{
    struct http_response r;
    struct envelope e = closed_sample();
    (void)state;
    e.closed_us -= 1000;
    e.closed_by = CLOSER_SENDER;
    http_response_init(&r);
    api_encode_recall(&r, &e);
    expect(&r, 200, "expired",
           "{\"state\":\"expired\",\"closed_by\":\"sender\",\"refunded\":10,"
           "\"closed_at\":\"2026-02-16T16:01:00.122Z\"}");
}

static void sent_lists(void **state)
{
    struct http_response r;
    struct sent_view *v = calloc(1, sizeof *v);
    (void)state;
    assert_non_null(v);
    v->year = 2026;
    http_response_init(&r);
    api_encode_sent_list(&r, v);
    expect(&r, 200, "ok",
           "{\"year\":2026,\"count\":0,\"total\":0,\"refunded\":0,\"items\":[],\"next\":null}");
    v->totals = (struct year_totals){
        .sent_count = 1, .sent_fen = 100, .refunded_fen = 10, .received_fen = 99};
    v->n = 1;
    v->items[0] = closed_sample();
    http_response_init(&r);
    api_encode_sent_list(&r, v);
    expect(&r, 200, "ok",
           "{\"year\":2026,\"count\":1,\"total\":100,\"refunded\":10,\"items\":[{" HEAD
           "null" CLOSED "}],\"next\":null}");
    /* the longest page fits its ceiling */
    v->n = PAGE_MAX;
    for (size_t i = 0; i < v->n; i++) {
        v->items[i] = closed_sample();
        v->items[i].to_kind = TO_USERS;
        memset(v->items[i].to, 'u', RECIPIENTS_SIZE - 1);
        for (size_t k = USER_MAX; k < RECIPIENTS_SIZE - 1; k += USER_MAX + 1)
            v->items[i].to[k] = ' ';
        v->items[i].to[RECIPIENTS_SIZE - 2] = '\0';
        memset(v->items[i].greeting, '"', GREETING_SIZE - 1);
        memset(v->items[i].sender_name, '\\', NAME_SIZE - 1);
    }
    v->next = (struct page_after){.set = true, .id = id};
    http_response_init(&r);
    api_encode_sent_list(&r, v);
    assert_false(r.body.failed);
    assert_null(strstr(r.body.data, "\"next\":null"));
    http_response_free(&r);
    free(v);
}

/* It changes with whatever changes the answer. */
static void etags(void **state)
{
    struct envelope e = sample();
    struct api_page page = {.limit = 20}, other = {.limit = 21},
                    later = {.limit = 20, .after = {.set = true, .seq = 5}};
    char first[API_ETAG_SIZE], texts[5][API_ETAG_SIZE];
    uint8_t generation[16] = {1}, restored[16] = {1, [15] = 1};
    struct http_response r;
    (void)state;
    api_envelope_etag(first, generation, e.version, 0, &page);
    assert_int_equal(first[0], '"');
    assert_int_equal(first[strlen(first) - 1], '"');
    api_envelope_etag(texts[0], generation, e.version, 1, &page);
    api_envelope_etag(texts[1], generation, e.version, 0, &other);
    api_envelope_etag(texts[2], generation, e.version, 0, &later);
    api_envelope_etag(texts[4], restored, e.version, 0, &page);
    e.version++;
    api_envelope_etag(texts[3], generation, e.version, 0, &page);
    for (size_t i = 0; i < 5; i++) {
        assert_string_not_equal(texts[i], first);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(texts[i], texts[k]);
    }
    e.version = page.after.seq = INT64_MAX;
    page.after.set = true;
    api_envelope_etag(texts[0], generation, e.version, INT64_MAX, &page);
    assert_int_equal(texts[0][strlen(texts[0]) - 1], '"');

    http_response_init(&r);
    api_encode_not_modified(&r, first);
    assert_int_equal(r.status, 304);
    assert_null(r.content_type);
    assert_int_equal(r.body.len, 0);
    assert_string_equal(r.etag, first);
    assert_true(http_etag_matches(first, r.etag));
    http_response_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_secrets_while_open),
        cmocka_unit_test(ill_formed_text_fails),
        cmocka_unit_test(sends),
        cmocka_unit_test(envelopes),
        cmocka_unit_test(veiled_envelopes),
        cmocka_unit_test(previews),
        cmocka_unit_test(recalls),
        cmocka_unit_test(sent_lists),
        cmocka_unit_test(etags),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
