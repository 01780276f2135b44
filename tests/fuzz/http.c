/* Request lines and headers: route, query parameters, page, Bearer token, If-None-Match,
 * Idempotency-Key. Input: method, path, query, Authorization, If-None-Match, Idempotency-Key,
 * content type; a line each. */
#include "lib/wire/api.h"
#include "tests/fuzz/fuzz.h"

static void check_query(const char *query)
{
    static const char *const names[] = {"limit", "after", "year"};
    char value[64], unknown[16];
    struct api_page page;
    for (int kind = PAGE_CLAIMS; kind <= PAGE_LEDGER; kind++) {
        struct problem p = {0};
        if (api_decode_page(query, (enum api_page_kind)kind, &page, &p) != ERR_OK)
            FUZZ_CHECK(p.err ==
                       ERR_INVALID_REQUEST); /* member is "" for a parameter without name */
        else
            FUZZ_CHECK(page.limit >= 1 && page.limit <= 100);
    }
    for (size_t i = 0; i < 3; i++) {
        int found = http_query_get(query, names[i], value, sizeof value);
        FUZZ_CHECK(found >= -1 && found <= 1 && strlen(value) < sizeof value);
        FUZZ_CHECK(found == 1 || value[0] == '\0');
    }
    if (http_query_unknown(query, names, 3, unknown, sizeof unknown))
        for (const char *c = unknown; *c != '\0'; c++)
            FUZZ_CHECK(*c > ' ' && *c <= '~');
}

static void check_route(const char *method, const char *path, struct http_request *r)
{
    const struct api_route *route = NULL;
    struct id id = {{0}};
    struct problem p = {0};
    char allow[16] = "", text[ID_TEXT_SIZE];
    enum err err = api_find(method, path, &route, &id, allow);
    FUZZ_CHECK(err == ERR_OK || err == ERR_NOT_FOUND || err == ERR_METHOD_NOT_ALLOWED);
    FUZZ_CHECK(err != ERR_METHOD_NOT_ALLOWED || allow[0] != '\0');
    if (err != ERR_OK)
        return;
    id_format(text, &id);
    FUZZ_CHECK(strstr(route->path, "{id}") == NULL || strstr(path, text) != NULL);
    err = api_check_request(route, r, &p);
    FUZZ_CHECK(err == ERR_OK || err_class(err) == CLASS_CLIENT);
    FUZZ_CHECK(err != ERR_OK || !route->idempotency_key || r->idempotency_key != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line[7], *text = fuzz_text(data, size);
    size_t len = 0;
    line[0] = text;
    for (int i = 1; i < 7; i++)
        line[i] = fuzz_split(line[i - 1]);
    struct http_request r = {.method = line[0],
                             .path = line[1],
                             .query = line[2],
                             .authorization = line[3],
                             .if_none_match = line[4],
                             .idempotency_key = line[5],
                             .content_type = line[6],
                             .remote_address = "",
                             .body = "",
                             .has_length = size % 2 == 0};
    check_query(line[2]);
    check_route(line[0], line[1], &r);
    const char *token = http_bearer(line[3], &len);
    FUZZ_CHECK(token == NULL ||
               (len > 0 && token >= line[3] && token + len <= line[3] + strlen(line[3])));
    if (http_etag_matches(line[4], "\"7-1-a\""))
        FUZZ_CHECK(strchr(line[4], '*') != NULL || strstr(line[4], "7-1-a") != NULL);
    free(text);
    return 0;
}
