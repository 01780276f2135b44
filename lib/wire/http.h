/* A request as the FastCGI loop hands it over and an answer as it goes back. No I/O. */
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
    const char *authorization, *idempotency_key, *if_none_match, *content_type;
    char request_id[REQUEST_ID_SIZE]; /* the client's X-Request-Id if it is 1..64 of A-Za-z0-9._-,
                                         else one made here */
    const char *remote_address;       /* "" unknown */
    const char *body;                 /* body_len bytes, NUL after them */
    size_t body_len;
    bool has_length; /* CONTENT_LENGTH was there and well-formed */
    bool too_large;  /* longer than the limit; body is then empty */
};

struct http_response {
    int status;
    const char *content_type; /* static; NULL: none (304) */
    char location[64];        /* "" none; likewise below */
    char etag[80];
    char allow[16];
    int64_t retry_after_s; /* 0 none */
    struct buf body;
    const char *state; /* static text for log and metrics: the body's state, or problem code */
};

/* Empty 200 application/json answer with a body ceiling of 1 MiB. */
void http_response_init(struct http_response *r);
void http_response_free(struct http_response *r);
/* The same empty answer again, with the memory that the body had. */
void http_response_reset(struct http_response *r);
/* "Not Found" and so on; "Error" for a status that this service never gives. */
const char *http_status_text(int status);
/* The CGI form: Status line, headers, blank line, body. Always X-Request-Id, nosniff and
 * Cache-Control (private, no-cache with an ETag, else no-store); Content-Length but for 304;
 * WWW-Authenticate with 401. A body that failed becomes a 503 problem. out->failed on no memory. */
void http_render(const struct http_response *r, const char *request_id, struct buf *out);

/* The Bearer token in an Authorization value (scheme in any case): *len > 0, else NULL. */
const char *http_bearer(const char *authorization, size_t *len);
/* True if If-None-Match names etag: weak comparison (RFC 9110), lists and "*", and a "-gzip" suffix
 * that a web server's compression added is ignored. */
bool http_etag_matches(const char *if_none_match, const char *etag);
/* The value of one query parameter, percent-decoded, into out: 1 found, 0 absent, -1 ill-formed,
 * duplicate or too long. out is "" where it is not found. */
int http_query_get(const char *query, const char *name, char *out, size_t out_cap);
/* The first parameter whose name is not among names[0..n): copied to out, cut to fit and with '?'
 * for what is not printable ASCII; false if all are known. */
bool http_query_unknown(const char *query, const char *const *names, size_t n, char *out,
                        size_t out_cap);

#endif
