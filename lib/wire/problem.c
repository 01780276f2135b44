/* One table maps outcomes to status and text. Internal errors are mapped to `unavailable` here, at
 * the last moment, so that logs still have the real one. */
#include "lib/wire/problem.h"
#include "lib/base/utf8.h"
#include "lib/wire/json.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct problem_row {
    int status;
    const char *detail; /* if the problem has none of its own */
};

static const struct problem_row rows[ERR_COUNT] = {
    [ERR_INVALID_JSON] = {400, "The body is not one well-formed JSON document in UTF-8."},
    [ERR_INVALID_REQUEST] = {400, "The request is not as the API describes it."},
    [ERR_IDEMPOTENCY_KEY_REQUIRED] = {400, "Send an Idempotency-Key of 1 to 128 printable ASCII "
                                           "characters without spaces."},
    [ERR_UNAUTHORIZED] = {401, "A valid bearer token is needed."},
    [ERR_TOKEN_EXPIRED] = {401, "The token has expired; get a new one."},
    [ERR_TICKET_INVALID] = {403, "This ticket was not given to you for this envelope."},
    [ERR_TICKET_EXPIRED] = {403, "The ticket has expired; grab again."},
    [ERR_NOT_RECIPIENT] = {403, "This envelope is meant for others."},
    [ERR_NOT_SENDER] = {403, "Only the sender of an envelope may take it back."},
    [ERR_NOT_OPENED] = {403, "You have opened no share of this envelope."},
    [ERR_WITHDRAWALS_OFF] = {403, "This site pays no money out."},
    [ERR_USER_BLOCKED] = {403, "This user may not send, grab or open; ask the operator."},
    [ERR_SCOPE_REQUIRED] = {403, "This token may not be used for this call."},
    [ERR_NOT_FOUND] = {404, "There is nothing at this address."},
    [ERR_METHOD_NOT_ALLOWED] = {405, "Method not allowed; see the Allow header."},
    [ERR_IDEMPOTENCY_IN_PROGRESS] = {409, "A request with this Idempotency-Key is still running; "
                                          "repeat it in a moment."},
    [ERR_LENGTH_REQUIRED] = {411, "Send a Content-Length, 0 for an empty body."},
    [ERR_BODY_TOO_LARGE] = {413, "The body is longer than this service reads."},
    [ERR_UNSUPPORTED_MEDIA_TYPE] = {415, "Send the body as application/json."},
    [ERR_IDEMPOTENCY_KEY_REUSED] = {422, "This Idempotency-Key was used with another body."},
    [ERR_REFERENCE_REUSED] = {422, "This reference was used for another user or amount."},
    [ERR_INSUFFICIENT_FUNDS] = {422, "The balance is too low for this amount."},
    [ERR_LIMIT_EXCEEDED] = {422, "This would pass a limit of this service."},
    [ERR_RATE_LIMITED] = {429, "Too many requests; wait a moment."},
    [ERR_UNAVAILABLE] = {503, "The service cannot answer now; repeat the identical request."},
};

/* Map internal errors to ERR_UNAVAILABLE before they reach the client. A value out of range stays
 * out of range when the request is repeated, so it is not temporary. */
static enum err client_err(enum err err)
{
    if (err == ERR_RANGE)
        return ERR_LIMIT_EXCEEDED;
    return err_class(err) == CLASS_CLIENT ? err : ERR_UNAVAILABLE;
}

/* Copy as many whole characters of text as fit; "" if it is not UTF-8. */
static void copy_characters(char *out, size_t cap, const char *text)
{
    size_t len = strlen(text);
    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
    }
    if (!utf8_valid(text, len))
        len = 0;
    memcpy(out, text, len);
    out[len] = '\0';
}

static enum err problem_fill(struct problem *p, enum err err, const char *member,
                             const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static enum err problem_fill(struct problem *p, enum err err, const char *member,
                             const char *format, va_list args)
{
    char detail[2 * sizeof p->detail];
    if (vsnprintf(detail, sizeof detail, format, args) < 0)
        detail[0] = '\0';
    *p = (struct problem){.err = err};
    copy_characters(p->member, sizeof p->member, member == NULL ? "" : member);
    copy_characters(p->detail, sizeof p->detail, detail);
    return err;
}

enum err problem_set(struct problem *p, enum err err, const char *member, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problem_fill(p, err, member, format, args);
    va_end(args);
    return err;
}

enum err problem_set_limit(struct problem *p, enum err err, const char *member, int64_t limit,
                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problem_fill(p, err, member, format, args);
    va_end(args);
    p->has_limit = true;
    p->limit = limit;
    return err;
}

static void write_body(const struct problem *p, enum err err, const char *request_id,
                       struct buf *out)
{
    struct json_writer *w = json_writer_new(out);
    if (w == NULL) {
        out->failed = true;
        return;
    }
    /* details of an internal error are for the log */
    bool own = err == p->err && p->detail[0] != '\0';
    json_open_object(w, NULL);
    json_put_string(w, "type", "about:blank");
    json_put_string(w, "title", http_status_text(rows[err].status));
    json_put_int(w, "status", rows[err].status);
    json_put_string(w, "code", err_name(err));
    json_put_string(w, "detail", own ? p->detail : rows[err].detail);
    if (err == p->err && p->member[0] != '\0')
        json_put_string(w, "member", p->member);
    if (err == p->err && p->has_limit)
        json_put_int(w, "limit", p->limit);
    if (request_id != NULL && request_id[0] != '\0')
        json_put_string(w, "request_id", request_id);
    json_close_object(w);
    json_writer_free(w);
}

void problem_render(const struct problem *p, const char *request_id, struct http_response *r)
{
    enum err err = client_err(p->err);
    r->status = rows[err].status;
    r->content_type = "application/problem+json";
    r->location[0] = r->etag[0] = '\0';
    r->retry_after_s = r->max_age_s = 0;
    r->replayed = false;
    if (r->status == 409 || r->status == 429 || r->status == 503)
        r->retry_after_s = p->retry_after_s > 0 ? p->retry_after_s : 1;
    r->state = err_name(err);
    r->reason = err == p->err ? p->reason : NULL;
    buf_reset(&r->body);
    write_body(p, err, request_id, &r->body);
}
