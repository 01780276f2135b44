/* Queries of lists, and the opaque cursors in them. A cursor holds its kind, so that the cursor of
 * one list is refused by another. */
#include "lib/wire/api_page.h"
#include "lib/base/str.h"
#include "lib/wire/api.h"
#include <string.h>

#define LIMIT_DEFAULT 20
#define CURSOR_VERSION 1
#define CURSOR_BYTES (2 + ID_SIZE + 8)

void api_cursor_format(char out[CURSOR_TEXT_SIZE], enum api_page_kind kind,
                       const struct page_after *after)
{
    uint8_t bytes[CURSOR_BYTES] = {CURSOR_VERSION, (uint8_t)kind};
    uint64_t seq = (uint64_t)after->seq;
    memcpy(bytes + 2, after->id.b, ID_SIZE);
    for (int i = CURSOR_BYTES - 1; i >= 2 + ID_SIZE; i--, seq >>= 8)
        bytes[i] = (uint8_t)seq;
    if (!base64url_encode(out, CURSOR_TEXT_SIZE, bytes, sizeof bytes))
        out[0] = '\0';
}

static bool cursor_parse(const char *text, enum api_page_kind kind, struct page_after *after)
{
    uint8_t bytes[CURSOR_BYTES];
    size_t len;
    uint64_t seq = 0;
    if (!base64url_decode(bytes, sizeof bytes, &len, text, strlen(text)) || len != sizeof bytes ||
        bytes[0] != CURSOR_VERSION || bytes[1] != (uint8_t)kind)
        return false;
    for (int i = 2 + ID_SIZE; i < CURSOR_BYTES; i++)
        seq = seq << 8 | bytes[i];
    if (seq > INT64_MAX || (kind == PAGE_LEDGER && seq == 0)) /* version 0.1 had no seq there */
        return false;
    *after = (struct page_after){.set = true, .seq = (int64_t)seq};
    memcpy(after->id.b, bytes + 2, ID_SIZE);
    return true;
}

static bool takes_year(enum api_page_kind kind)
{
    return kind == PAGE_SENT || kind == PAGE_RECEIVED;
}

/* Read parameter name of query, in low..high, into *out and set *found; absent is no error. */
static enum err number_take(const char *query, const char *name, int64_t low, int64_t high,
                            bool *found, int64_t *out, struct problem *p)
{
    char text[24];
    int rc = http_query_get(query, name, text, sizeof text);
    *found = rc > 0;
    if (rc == 0)
        return ERR_OK;
    if (rc < 0 || !str_to_i64(text, strlen(text), out) || *out < low || *out > high)
        return problem_set(p, ERR_INVALID_REQUEST, name, "a whole number from %lld to %lld",
                           (long long)low, (long long)high);
    return ERR_OK;
}

static enum err cursor_take(const char *query, enum api_page_kind kind, struct api_page *out,
                            struct problem *p)
{
    char text[CURSOR_TEXT_SIZE];
    int rc = http_query_get(query, "after", text, sizeof text);
    if (rc == 0 || (rc > 0 && cursor_parse(text, kind, &out->after)))
        return ERR_OK;
    return problem_set(p, ERR_INVALID_REQUEST, "after", "%s", "not a \"next\" of this list");
}

enum err api_decode_page(const char *query, enum api_page_kind kind, struct api_page *out,
                         struct problem *p)
{
    static const char *const names[] = {"after", "limit", "year"};
    char unknown[64];
    int64_t limit = LIMIT_DEFAULT, year = 0;
    bool found;
    memset(out, 0, sizeof *out);
    if (http_query_unknown(query, names, takes_year(kind) ? 3 : 2, unknown, sizeof unknown))
        return problem_set(p, ERR_INVALID_REQUEST, unknown, "%s", "no such parameter");
    enum err err = number_take(query, "limit", 1, PAGE_MAX, &found, &limit, p);
    if (err == ERR_OK && takes_year(kind))
        err = number_take(query, "year", 1970, 9998, &out->has_year, &year, p);
    out->limit = (size_t)limit;
    out->year = (int)year;
    return err == ERR_OK ? cursor_take(query, kind, out, p) : err;
}
