/* An HTTP request as the FastCGI server passes it on, and the response as it goes back. No I/O. */
#ifndef HONGBAO_WIRE_HTTP_H
#define HONGBAO_WIRE_HTTP_H

#include "lib/base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_ID_SIZE 65

struct http_request {
    const char *method;
    const char *path;  /* of REQUEST_URI, before '?', not decoded */
    const char *query; /* after '?', "" if none, not decoded */
    /* headers; NULL where absent */
    const char *authorization, *idempotency_key, *if_none_match, *content_type, *content_encoding;
    char request_id[REQUEST_ID_SIZE]; /* X-Request-Id if it is 1..64 of A-Za-z0-9._-, else made here
                                       */
    const char *remote_address;       /* "" unknown */
    bool metrics_listener;            /* HONGBAO_METRICS=1: from the listener for metrics */
    const char *body;                 /* body_len bytes, and a NUL */
    size_t body_len;
    bool has_length; /* CONTENT_LENGTH was present and well formed */
    bool too_large;  /* longer than the limit; body is then empty */
};

struct http_response {
    int status;
    const char *content_type; /* static; NULL: none (304) */
    char location[64];        /* "" none */
    char etag[128];           /* "" none */
    char allow[16];           /* "" none */
    int64_t retry_after_s;    /* 0 none */
    struct buf body;
    const char *state;  /* static text for log and metrics: state of the body, or problem code */
    const char *reason; /* static text for the log: why a token was refused; NULL: none was */
    bool replayed;      /* it repeats the answer to an earlier request */
    int64_t max_age_s;  /* anyone may cache the response for this long */
};

/* Initialize *r as an empty 200 application/json response whose body holds at most 1 MiB. Free it
 * with http_response_free. */
void http_response_init(struct http_response *r);
/* Free the body of r. */
void http_response_free(struct http_response *r);
/* Make *r an empty 200 response again, keeping the memory of its body. */
void http_response_reset(struct http_response *r);
/* Return the reason phrase of status; "Error" for a status that this service never sends. */
const char *http_status_text(int status);
/* Append r to out in CGI form: Status line, headers, blank line, body. Always with X-Request-Id
 * from request_id, nosniff and Cache-Control (public with max_age_s; private, no-cache with an
 * ETag; else no-store); Content-Length unless it is 304; WWW-Authenticate with 401, with
 * error="invalid_token" (RFC 6750) if there is a reason; Idempotent-Replayed: true if it is. A body
 * that failed becomes a 503 problem. Sets out->failed if there is no memory. */
void http_render(const struct http_response *r, const char *request_id, struct buf *out);

/* Return the bearer token in the Authorization value authorization (NULL: none; scheme in any case)
 * and set *len, or return NULL if there is none. The result points into authorization. */
const char *http_bearer(const char *authorization, size_t *len);
/* Return true if if_none_match (NULL: absent) names etag: weak comparison (RFC 9110, section
 * 13.1.2), lists and "*". A "-gzip" suffix that a web server's compression added is ignored. */
bool http_etag_matches(const char *if_none_match, const char *etag);
/* Decode the value of parameter name of query into out, which holds out_cap bytes. Return 1 if it
 * was found, 0 if it is absent, -1 if it is malformed, duplicate or too long; out is "" unless
 * found. */
int http_query_get(const char *query, const char *name, char *out, size_t out_cap);
/* Find the first parameter of query that is not in names[0..n). Return true with its name in out,
 * which holds out_cap bytes: truncated to fit, '?' for bytes that are not printable ASCII. Return
 * false if all are known. */
bool http_query_unknown(const char *query, const char *const *names, size_t n, char *out,
                        size_t out_cap);

#endif
