/* RFC 9457 problems: one table from enum err to status, code and text. */
#ifndef HONGBAO_WIRE_PROBLEM_H
#define HONGBAO_WIRE_PROBLEM_H

#include "lib/base/err.h"
#include "lib/wire/http.h"

struct problem {
    enum err err;
    char member[80];       /* the member, header or parameter at fault; "" none */
    char detail[200];      /* text for the user; "" none */
    int64_t retry_after_s; /* 0: the default (409, 429 and 503: 1) */
    bool has_limit;        /* a limit refused the request: */
    int64_t limit;         /* in the unit of the member */
    const char *reason;    /* why a token was refused, a static string; NULL: none was */
};

/* Fill *p with err, member (NULL or "": none) and a detail given by format as for printf, both
 * truncated to fit. Return err. */
enum err problem_set(struct problem *p, enum err err, const char *member, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Fill *p with err, member and format as problem_set does, and with the limit that refused the
 * request. Return err. */
enum err problem_set_limit(struct problem *p, enum err err, const char *member, int64_t limit,
                           const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Fill *r with p: status, application/problem+json body {"type":"about:blank","title","status",
 * "code","detail","member"?,"limit"?,"request_id"?} (request_id NULL or "": left out), Retry-After
 * with 409, 429 and 503, and state = the code. r may hold an unfinished answer, of which only allow
 * is kept. An error that is no client error is shown as `unavailable`, without its member and
 * detail. */
void problem_render(const struct problem *p, const char *request_id, struct http_response *r);

#endif
