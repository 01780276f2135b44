/* What the other bodies and queries may hold: every refusal first, with the member it names. */
#include "lib/wire/api.h"
#include "lib/wire/api_page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const char *const no_json[] = {
    "", " ", "{", "{]", "nul", "{} {}", "/**/{}", "\xff", "{\"a\":\"\\ud800\"}"};
static const char *const no_object[] = {"[]", "1", "\"x\"", "null", "true", "[{}]"};

struct body_case {
    const char *body, *member;
};

static void money(void **state)
{
    static const struct body_case cases[] = {
        {"{}", "user"},
        {"{\"user\":\"u\",\"reference\":\"r\"}", "amount"},
        {"{\"user\":\"u\",\"amount\":1}", "reference"},
        {"{\"user\":\"\",\"amount\":1,\"reference\":\"r\"}", "user"},
        {"{\"user\":\"a b\",\"amount\":1,\"reference\":\"r\"}", "user"},
        {"{\"user\":\"\xe7\xa6\x8f\",\"amount\":1,\"reference\":\"r\"}", "user"},
        {"{\"user\":1,\"amount\":1,\"reference\":\"r\"}", "user"},
        {"{\"user\":\"u\",\"amount\":0,\"reference\":\"r\"}", "amount"},
        {"{\"user\":\"u\",\"amount\":-1,\"reference\":\"r\"}", "amount"},
        {"{\"user\":\"u\",\"amount\":1.0,\"reference\":\"r\"}", "amount"},
        {"{\"user\":\"u\",\"amount\":\"1\",\"reference\":\"r\"}", "amount"},
        {"{\"user\":\"u\",\"amount\":1000000000001,\"reference\":\"r\"}", "amount"},
        {"{\"user\":\"u\",\"amount\":18446744073709551617,\"reference\":\"r\"}", "amount"},
        {"{\"user\":\"u\",\"amount\":1,\"reference\":\"\"}", "reference"},
        {"{\"user\":\"u\",\"amount\":1,\"reference\":\"a b\"}", "reference"},
        {"{\"user\":\"u\",\"amount\":1,\"reference\":\"\xe7\xa6\x8f\"}", "reference"},
        {"{\"user\":\"u\",\"amount\":1,\"reference\":null}", "reference"},
        {"{\"user\":\"u\",\"amount\":1,\"reference\":"
         "\"12345678901234567890123456789012345678901234567890123456789012345\"}",
         "reference"},
        {"{\"user\":\"u\",\"amount\":1,\"reference\":\"r\",\"note\":\"\"}", "note"},
        {"{\"user\":\"u\",\"amount\":1,\"amount\":1,\"reference\":\"r\"}", "amount"},
    };
    struct api_money out;
    struct problem p;
    (void)state;
    for (size_t i = 0; i < COUNT(no_json); i++)
        assert_int_equal(api_decode_money(no_json[i], strlen(no_json[i]), &out, &p),
                         ERR_INVALID_JSON);
    for (size_t i = 0; i < COUNT(no_object); i++)
        assert_int_equal(api_decode_money(no_object[i], strlen(no_object[i]), &out, &p),
                         ERR_INVALID_REQUEST);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(api_decode_money(cases[i].body, strlen(cases[i].body), &out, &p),
                         ERR_INVALID_REQUEST);
        if (strcmp(p.member, cases[i].member) != 0)
            fail_msg("%s names %s", cases[i].body, p.member);
    }
    static const char over[] = "{\"user\":\"u\",\"amount\":1000000000001,\"reference\":\"r\"}";
    assert_int_equal(api_decode_money(over, sizeof over - 1, &out, &p), ERR_INVALID_REQUEST);
    assert_true(p.has_limit && p.limit == AMOUNT_MAX_FEN);
    static const char matrix[] = "{\"user\":\"@a+b=c/d'\\\\:x\",\"amount\":1,\"reference\":\"r\"}";
    assert_int_equal(api_decode_money(matrix, sizeof matrix - 1, &out, &p), ERR_OK);
    assert_string_equal(out.user, "@a+b=c/d'\\:x");
    static const char good[] =
        "{\"reference\":\"order/1\",\"amount\":1000000000000,\"user\":\"u\"}";
    assert_int_equal(api_decode_money(good, sizeof good - 1, &out, &p), ERR_OK);
    assert_string_equal(out.user, "u");
    assert_string_equal(out.reference, "order/1");
    assert_int_equal(out.amount_fen, AMOUNT_MAX_FEN);
}

static void guests(void **state)
{
    static const struct body_case cases[] = {
        {"{\"name\":\"\"}", "name"},
        {"{\"name\":1}", "name"},
        {"{\"name\":null}", "name"},
        {"{\"name\":\" \\u200d\\u2800\"}", "name"},
        {"{\"name\":\"\\u0001\"}", "name"},
        {"{\"name\":\"123456789012345678901234567890123\"}", "name"},
        {"{\"nick\":\"x\"}", "nick"}};
    struct api_guest out;
    struct problem p;
    (void)state;
    for (size_t i = 0; i < COUNT(no_json); i++)
        assert_int_equal(api_decode_guest(no_json[i], strlen(no_json[i]), &out, &p),
                         ERR_INVALID_JSON);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(api_decode_guest(cases[i].body, strlen(cases[i].body), &out, &p),
                         ERR_INVALID_REQUEST);
        assert_string_equal(p.member, cases[i].member);
    }
    static const char cleaned[] = "{\"name\":\" a\\u202eb\\n\"}";
    assert_int_equal(api_decode_guest(cleaned, sizeof cleaned - 1, &out, &p), ERR_OK);
    assert_string_equal(out.name, "ab");
    assert_int_equal(api_decode_guest("{}", 2, &out, &p), ERR_OK);
    assert_string_equal(out.name, "");
    static const char good[] = "{\"name\":\"\xe7\xa6\x8f\"}";
    assert_int_equal(api_decode_guest(good, sizeof good - 1, &out, &p), ERR_OK);
    assert_string_equal(out.name, "\xe7\xa6\x8f");
}

static void tickets(void **state)
{
    static const char *const refused[] = {"{}",
                                          "{\"ticket\":1}",
                                          "{\"ticket\":null}",
                                          "{\"ticket\":[]}",
                                          "{\"ticket\":\"a\",\"ticket\":\"a\"}",
                                          "{\"ticket\":\"a\",\"x\":1}"};
    char ticket[TICKET_SIZE];
    size_t len;
    struct problem p;
    (void)state;
    for (size_t i = 0; i < COUNT(no_json); i++)
        assert_int_equal(api_decode_open(no_json[i], strlen(no_json[i]), ticket, &len, &p),
                         ERR_INVALID_JSON);
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_int_equal(api_decode_open(refused[i], strlen(refused[i]), ticket, &len, &p),
                         ERR_INVALID_REQUEST);
    /* too long for any ticket: forged, as any other wrong text is */
    static const char longer[] =
        "{\"ticket\":\"1234567890123456789012345678901234567890123456789012345678901234\"}";
    assert_int_equal(api_decode_open(longer, sizeof longer - 1, ticket, &len, &p),
                     ERR_TICKET_INVALID);
    assert_int_equal(api_decode_open("{\"ticket\":\"abc\"}", 16, ticket, &len, &p), ERR_OK);
    assert_string_equal(ticket, "abc");
    assert_int_equal(len, 3);
}

static void pages(void **state)
{
    static const struct body_case refused[] = {
        {"x=1", "x"},
        {"limit=0", "limit"},
        {"limit=101", "limit"},
        {"limit=-1", "limit"},
        {"limit=", "limit"},
        {"limit", "limit"},
        {"limit=1.0", "limit"},
        {"limit=01", "limit"},
        {"limit=%31%30%31", "limit"},
        {"limit=1&limit=1", "limit"},
        {"limit=99999999999999999999", "limit"},
        {"limit=123456789012345678901234567890", "limit"},
        {"year=1969", "year"},
        {"year=9999", "year"},
        {"year=10000", "year"},
        {"year=x", "year"},
        {"year=2026&year=2026", "year"},
        {"after=", "after"},
        {"after", "after"},
        {"after=x", "after"},
        {"after=AQEA", "after"},
        {"after=%", "after"},
        {"after=a&after=b", "after"},
        {"after=AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "after"}};
    struct api_page page;
    struct problem p;
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (api_decode_page(refused[i].body, PAGE_SENT, &page, &p) != ERR_INVALID_REQUEST ||
            strcmp(p.member, refused[i].member) != 0)
            fail_msg("%s names %s", refused[i].body, p.member);
    }
    assert_int_equal(api_decode_page("year=2026", PAGE_CLAIMS, &page, &p), ERR_INVALID_REQUEST);
    assert_string_equal(p.member, "year");
    assert_int_equal(api_decode_page("year=2026", PAGE_LEDGER, &page, &p), ERR_INVALID_REQUEST);
    for (enum api_page_kind kind = PAGE_CLAIMS; kind <= PAGE_LEDGER; kind++) {
        memset(&page, 'x', sizeof page);
        assert_int_equal(api_decode_page("", kind, &page, &p), ERR_OK);
        assert_int_equal(page.limit, 20);
        assert_false(page.has_year);
        assert_false(page.after.set);
        assert_int_equal(api_decode_page("limit=100", kind, &page, &p), ERR_OK);
        assert_int_equal(page.limit, 100);
    }
    assert_int_equal(api_decode_page("year=1970&limit=1", PAGE_RECEIVED, &page, &p), ERR_OK);
    assert_true(page.has_year);
    assert_int_equal(page.year, 1970);
    assert_int_equal(page.limit, 1);
}

/* A cursor is good for its own kind of list, whole and unchanged in form. */
static void cursors(void **state)
{
    static const int64_t seqs[] = {0, 1, 500, INT64_MAX};
    struct page_after after = {.set = true};
    struct api_page page;
    struct problem p;
    char text[CURSOR_TEXT_SIZE], query[CURSOR_TEXT_SIZE + 16];
    (void)state;
    memset(after.id.b, 0xFE, 16);
    for (enum api_page_kind kind = PAGE_CLAIMS; kind <= PAGE_LEDGER; kind++)
        for (size_t i = 0; i < COUNT(seqs); i++) {
            bool good = kind != PAGE_LEDGER || seqs[i] > 0; /* version 0.1 had no seq there */
            after.seq = seqs[i];
            api_cursor_format(text, kind, &after);
            assert_true(strlen(text) > 0);
            for (enum api_page_kind other = PAGE_CLAIMS; other <= PAGE_LEDGER; other++) {
                snprintf(query, sizeof query, "after=%s", text);
                assert_int_equal(api_decode_page(query, other, &page, &p),
                                 other == kind && good ? ERR_OK : ERR_INVALID_REQUEST);
                if (other == kind && good) {
                    assert_true(page.after.set);
                    assert_int_equal(page.after.seq, seqs[i]);
                    assert_memory_equal(page.after.id.b, after.id.b, 16);
                }
            }
            for (size_t len = 0; len < strlen(text); len++) {
                snprintf(query, sizeof query, "after=%.*s", (int)len, text);
                assert_int_equal(api_decode_page(query, kind, &page, &p), ERR_INVALID_REQUEST);
            }
            snprintf(query, sizeof query, "after=%sA", text);
            assert_int_equal(api_decode_page(query, kind, &page, &p), ERR_INVALID_REQUEST);
        }
    after.seq = -1; /* not a position */
    api_cursor_format(text, PAGE_CLAIMS, &after);
    snprintf(query, sizeof query, "after=%s", text);
    assert_int_equal(api_decode_page(query, PAGE_CLAIMS, &page, &p), ERR_INVALID_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money), cmocka_unit_test(guests),  cmocka_unit_test(tickets),
        cmocka_unit_test(pages), cmocka_unit_test(cursors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
