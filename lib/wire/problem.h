/* RFC 9457 problems: one table from enum err to status, code and title. */
#ifndef HONGBAO_WIRE_PROBLEM_H
#define HONGBAO_WIRE_PROBLEM_H

#include "lib/base/err.h"
#include "lib/wire/http.h"

struct problem {
    enum err err;
    char member[80];       /* the member, header or parameter at fault; "" none */
    char detail[200];      /* for people; "" none */
    int64_t retry_after_s; /* 0: the table's default (503 and 429: 1) */
};

/* Sets err, member ("" or NULL: none) and a formatted detail; returns err, so that
 * `return problem_set(...)` reads well. */
enum err problem_set(struct problem *p, enum err err, const char *member, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* HTTP status of err: client errors as in the API, retry and uncertain classes and faults 503. */
int problem_status(enum err err);
/* Fills *r, which http_response_init made (what a broken-off answer left in it goes, but for
 * allow): status, application/problem+json body {"type":"about:blank","title","status","code",
 * "detail","member"?,"request_id"?} (request_id NULL or "": left out), Retry-After with 429 and
 * 503, state = the code. Anything that is no client error is shown as `unavailable`; ERR_FAULT too.
 */
void problem_render(const struct problem *p, const char *request_id, struct http_response *r);

#endif
