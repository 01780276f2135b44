/* Responses in CGI form. Headers are few and fixed, so they are members of the response, not a
 * list. */
#include "lib/wire/http.h"
#include "lib/wire/problem.h"
#include <string.h>
#include <strings.h>

#define BODY_MAX ((size_t)1 << 20)

struct status_row {
    int status;
    const char *text;
};
static const struct status_row statuses[] = {
    {200, "OK"},
    {201, "Created"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {503, "Service Unavailable"},
};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "Error";
}

void http_response_init(struct http_response *r)
{
    *r = (struct http_response){.status = 200, .content_type = "application/json", .state = "ok"};
    buf_init(&r->body, BODY_MAX);
}

void http_response_reset(struct http_response *r)
{
    struct buf body = r->body;
    http_response_init(r);
    r->body = body;
    buf_reset(&r->body);
}

void http_response_free(struct http_response *r)
{
    buf_free(&r->body);
}

static void header_put(struct buf *out, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    buf_puts(out, name);
    buf_puts(out, ": ");
    buf_puts(out, value);
    buf_puts(out, "\r\n");
}

static void header_put_number(struct buf *out, const char *name, int64_t n)
{
    buf_puts(out, name);
    buf_puts(out, ": ");
    buf_put_i64(out, n);
    buf_puts(out, "\r\n");
}

static void response_render(const struct http_response *r, const char *request_id, struct buf *out)
{
    buf_puts(out, "Status: ");
    buf_put_i64(out, r->status);
    buf_putc(out, ' ');
    buf_puts(out, http_status_text(r->status));
    buf_puts(out, "\r\n");
    header_put(out, "Content-Type", r->content_type);
    header_put(out, "Location", r->location);
    header_put(out, "ETag", r->etag);
    header_put(out, "Allow", r->allow);
    header_put(out, "Idempotent-Replayed", r->replayed ? "true" : NULL);
    if (r->retry_after_s > 0)
        header_put_number(out, "Retry-After", r->retry_after_s);
    if (r->status == 401)
        header_put(out, "WWW-Authenticate",
                   r->reason != NULL ? "Bearer error=\"invalid_token\"" : "Bearer");
    if (r->max_age_s > 0)
        buf_printf(out, "Cache-Control: public, max-age=%lld\r\n", (long long)r->max_age_s);
    else
        header_put(out, "Cache-Control", r->etag[0] != '\0' ? "private, no-cache" : "no-store");
    header_put(out, "X-Content-Type-Options", "nosniff");
    header_put(out, "X-Request-Id", request_id);
    /* a Content-Length in a 304 would describe the 200 (RFC 9110, section 8.6) */
    if (r->status != 304)
        header_put_number(out, "Content-Length", (int64_t)r->body.len);
    buf_puts(out, "\r\n");
    if (r->status != 304 && r->body.len > 0)
        buf_append(out, r->body.data, r->body.len);
}

void http_render(const struct http_response *r, const char *request_id, struct buf *out)
{
    if (!r->body.failed) {
        response_render(r, request_id, out);
        return;
    }
    struct problem p = {.err = ERR_FAULT};
    struct http_response refusal;
    http_response_init(&refusal);
    problem_render(&p, request_id, &refusal);
    if (refusal.body.failed)
        out->failed = true;
    else
        response_render(&refusal, request_id, out);
    http_response_free(&refusal);
}

const char *http_bearer(const char *authorization, size_t *len)
{
    static const char scheme[] = "Bearer ";
    *len = 0;
    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *token = authorization + sizeof scheme - 1;
    token += strspn(token, " ");
    size_t n = strcspn(token, " \t");
    if (n == 0 || token[n + strspn(token + n, " \t")] != '\0')
        return NULL;
    *len = n;
    return token;
}

/* Return the length of an opaque tag without the suffix that a compressing web server added. */
static size_t plain_length(const char *tag, size_t len)
{
    static const char *const suffixes[] = {"-gzip", "-br", "-deflate", "-zstd"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t n = strlen(suffixes[i]);
        if (len > n && memcmp(tag + len - n, suffixes[i], n) == 0)
            return len - n;
    }
    return len;
}

bool http_etag_matches(const char *if_none_match, const char *etag)
{
    size_t etag_len = strlen(etag);
    if (if_none_match == NULL || etag_len < 2)
        return false;
    const char *at = if_none_match + strspn(if_none_match, " \t");
    if (at[0] == '*' && at[1 + strspn(at + 1, " \t")] == '\0')
        return true;
    while (*(at += strspn(at, " \t,")) != '\0') {
        if (at[0] == 'W' && at[1] == '/')
            at += 2;
        const char *end = at[0] == '"' ? strchr(at + 1, '"') : NULL;
        if (end == NULL)
            return false;
        size_t len = plain_length(at + 1, (size_t)(end - at - 1));
        if (len == etag_len - 2 && memcmp(at + 1, etag + 1, len) == 0)
            return true;
        at = end + 1;
    }
    return false;
}
