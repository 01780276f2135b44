/* The HTTP API: one table of routes; for each route what its body and query may hold (decode) and
 * what its answer looks like (encode). Services never see JSON. */
#ifndef HONGBAO_WIRE_API_H
#define HONGBAO_WIRE_API_H

#include "lib/base/config.h"
#include "lib/base/id.h"
#include "lib/domain/views.h"
#include "lib/domain/who.h"
#include "lib/wire/http.h"
#include "lib/wire/problem.h"

enum route {
    ROUTE_GUESTS,
    ROUTE_TOPUPS,
    ROUTE_WITHDRAWALS,
    ROUTE_SEND,
    ROUTE_GRAB,
    ROUTE_OPEN,
    ROUTE_ENVELOPE,
    ROUTE_ME,
    ROUTE_SENT,
    ROUTE_RECEIVED,
    ROUTE_LEDGER,
    ROUTE_HEALTHZ,
    ROUTE_READYZ,
    ROUTE_METRICS,
    ROUTE_NONE, /* no such path or method: counted too */
    ROUTE_COUNT
};
enum route_body { BODY_NONE, BODY_JSON };
enum route_auth { AUTH_NONE, AUTH_OPTIONAL, AUTH_USER, AUTH_WALLET };

struct api_route {
    enum route route;
    const char *name;   /* for log and metrics: "send", "grab" ... */
    const char *method; /* GET also answers HEAD */
    const char *path;   /* "{id}" stands for an envelope id */
    enum route_auth auth;
    enum route_body body;
    bool idempotency_key; /* required */
};
extern const struct api_route api_routes[ROUTE_COUNT];
/* api_route_names[METRIC_ROUTES] for metrics_print. */
extern const char *const api_route_names[];

/* The route of method and path; *id where the path has one. ERR_NOT_FOUND (also for an id that does
 * not parse); ERR_METHOD_NOT_ALLOWED with allow (16 bytes) filled. */
MUST_USE enum err api_find(const char *method, const char *path, const struct api_route **route,
                           struct id *id, char *allow);
/* Content rules common to all routes: 411, 413, 415, Idempotency-Key (400 idempotency_key_required;
 * 1..128 of printable ASCII). A BODY_NONE route refuses a body that is not empty. */
MUST_USE enum err api_check_request(const struct api_route *route, const struct http_request *r,
                                    struct problem *p);

/* ---- decode: ERR_INVALID_JSON or ERR_INVALID_REQUEST (naming the member), or OK. A value that is
 * well-formed but over a configured limit (total over shares x cap, under shares; shares over
 * shares_max) is ERR_INVALID_REQUEST too. ---- */
struct api_guest {
    char name[NAME_SIZE]; /* "" none given */
};
MUST_USE enum err api_decode_guest(const char *body, size_t len, struct api_guest *out,
                                   struct problem *p);
struct api_money {
    char user[USER_SIZE], reference[REFERENCE_SIZE];
    int64_t amount_fen;
};
MUST_USE enum err api_decode_money(const char *body, size_t len, struct api_money *out,
                                   struct problem *p);
/* The parts of an envelope that a sender chooses. */
struct api_send {
    enum envelope_mode mode;
    int64_t total_fen, shares, expires_in_s;
    char greeting[GREETING_SIZE]; /* the default filled in */
    enum recipients to_kind;
    char to[RECIPIENTS_SIZE]; /* users in the order given; duplicates refused */
};
MUST_USE enum err api_decode_send(const char *body, size_t len, const struct config *config,
                                  struct api_send *out, struct problem *p);
/* A canonical form of the fields for the idempotency hash: equal requests give equal bytes whatever
 * their JSON looked like. */
void api_send_canonical(const struct api_send *s, struct buf *out);
void api_money_canonical(const struct api_money *m, struct buf *out);
MUST_USE enum err api_decode_open(const char *body, size_t len, char ticket[TICKET_SIZE],
                                  size_t *ticket_len, struct problem *p);
struct api_page {
    size_t limit; /* 1..100, default 20 */
    bool has_year;
    int year;                /* 1970..9998: the year after it must exist */
    struct page_after after; /* decoded cursor */
};
enum api_page_kind { PAGE_CLAIMS, PAGE_SENT, PAGE_RECEIVED, PAGE_LEDGER };
MUST_USE enum err api_decode_page(const char *query, enum api_page_kind kind, struct api_page *out,
                                  struct problem *p);

/* ---- encode: fill r (status, body, state, headers). ---- */
void api_encode_guest(struct http_response *r, const struct account *a, const char *token);
void api_encode_money(struct http_response *r, const struct transfer *t);
/* 201 with Location and the envelope as the sender sees it at birth (no claims, mine null). */
void api_encode_sent(struct http_response *r, const struct envelope *e);
void api_encode_grab(struct http_response *r, const struct grab_answer *a);
void api_encode_open(struct http_response *r, const struct open_answer *a);
/* "<version>-<mine seq>-<page>": strong within the reader's view. */
void api_envelope_etag(char out[80], int64_t version, int64_t mine_seq,
                       const struct api_page *page);
void api_encode_envelope(struct http_response *r, const struct envelope_view *v);
void api_encode_preview(struct http_response *r, const struct envelope *e);
void api_encode_me(struct http_response *r, const struct me_view *v, const char *currency);
void api_encode_sent_list(struct http_response *r, const struct sent_view *v);
void api_encode_received_list(struct http_response *r, const struct received_view *v);
void api_encode_ledger(struct http_response *r, const struct ledger_view *v);
/* 304 with the etag and no body. */
void api_encode_not_modified(struct http_response *r, const char *etag);
/* {"status":"ok"}; with ok false 503 unavailable. */
void api_encode_health(struct http_response *r, bool ok);

#endif
