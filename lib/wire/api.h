/* The HTTP API: one table of routes; for each route what its body and query may hold (decode) and
 * what its answer looks like (encode). Services never see JSON. Every function is thread-safe as
 * long as its arguments are not shared. */
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
    ROUTE_CLAIM,
    ROUTE_GRAB,
    ROUTE_OPEN,
    ROUTE_RECALL,
    ROUTE_THANKS,
    ROUTE_ENVELOPE,
    ROUTE_CARD,
    ROUTE_ME,
    ROUTE_SENT,
    ROUTE_RECEIVED,
    ROUTE_LEDGER,
    ROUTE_SITE,
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
    bool has_query;       /* it checks its parameters itself; others take none */
};
extern const struct api_route api_routes[ROUTE_COUNT];
/* Names of the routes for metrics_print; METRIC_ROUTES entries. */
extern const char *const api_route_names[];

#define ALLOW_SIZE 16
/* Find the route of method and path: set *route, and *id if the path has one. ERR_NOT_FOUND, also
 * for an id that does not parse. ERR_METHOD_NOT_ALLOWED with the methods of the path in allow,
 * which holds ALLOW_SIZE bytes, and *route set. */
MUST_USE enum err api_find(const char *method, const char *path, const struct api_route **route,
                           struct id *id, char *allow);
/* Check r against the rules that all routes share. Fills *p and returns its error:
 * ERR_LENGTH_REQUIRED, ERR_BODY_TOO_LARGE, ERR_UNSUPPORTED_MEDIA_TYPE,
 * ERR_IDEMPOTENCY_KEY_REQUIRED, or ERR_INVALID_REQUEST for a body or parameter where route takes
 * none or a malformed key. */
MUST_USE enum err api_check_request(const struct api_route *route, const struct http_request *r,
                                    struct problem *p);

/* ---- decode. Each function fills *out, or fills *p and returns its error with *out undefined:
 * ERR_INVALID_JSON, ERR_INVALID_REQUEST with the member at fault, or ERR_FAULT if there is no
 * memory. A well-formed value over a configured limit is ERR_INVALID_REQUEST, too. ---- */
struct api_guest {
    char name[NAME_SIZE]; /* "" none given */
};
/* Decode body[0..len) of POST /v1/guests into *out. Errors as for every decode function, with *p
 * filled. */
MUST_USE enum err api_decode_guest(const char *body, size_t len, struct api_guest *out,
                                   struct problem *p);
struct api_money {
    char user[USER_SIZE], reference[REFERENCE_SIZE];
    int64_t amount_fen;
};
/* Decode body[0..len) of a top-up or withdrawal into *out. Errors as for every decode function,
 * with *p filled. */
MUST_USE enum err api_decode_money(const char *body, size_t len, struct api_money *out,
                                   struct problem *p);
/* The parts of an envelope that the sender chooses. */
struct api_send {
    enum envelope_mode mode;
    int64_t total_fen, shares, expires_in_s;
    char greeting[GREETING_SIZE]; /* cleaned; the default if none was given */
    enum recipients to_kind;
    char to[RECIPIENTS_SIZE]; /* users in the order given, without duplicates */
    enum envelope_theme theme;
    bool has_expires_in, has_greeting;
    char greeting_sent[GREETING_SIZE]; /* before it was cleaned; "" if it does not fit */
    /* SHA-256 of the members that were sent: equal requests have equal hashes however their JSON is
     * written, and whatever the settings are */
    uint8_t body_hash[32];
    /* ERR_INVALID_REQUEST: the limits of config refuse it, but other settings could have accepted
     * it, so that it may repeat a request that was accepted. Else ERR_OK. */
    enum err refused;
};
/* Decode body[0..len) of a send into *out, with the limits and defaults of config. Errors as for
 * every decode function, with *p filled, if no settings accept the body; *p is filled for
 * out->refused, too. */
MUST_USE enum err api_decode_send(const char *body, size_t len, const struct config *config,
                                  struct api_send *out, struct problem *p);
/* Check that every share of s, sent by the user sender, can be opened: a guest sends to anyone and
 * not to groups or users, a guest is no named recipient, and there are not more shares than named
 * recipients. Fills *p and returns ERR_INVALID_REQUEST with the member at fault otherwise. */
MUST_USE enum err api_check_recipients(const struct api_send *s, const char *sender,
                                       struct problem *p);
/* Append the canonical form of m to out, for the body hash of an idempotency key. */
void api_money_canonical(const struct api_money *m, struct buf *out);
/* Decode body[0..len) of an open: copy its ticket and set *ticket_len. ERR_TICKET_INVALID if it
 * does not fit; other errors as for every decode function, with *p filled. */
MUST_USE enum err api_decode_open(const char *body, size_t len, char ticket[TICKET_SIZE],
                                  size_t *ticket_len, struct problem *p);
/* Decode body[0..len) of a thanks into *out. Errors as for every decode function, with *p filled.
 */
MUST_USE enum err api_decode_thanks(const char *body, size_t len, enum claim_thanks *out,
                                    struct problem *p);
struct api_page {
    size_t limit; /* 1..100, default 20 */
    bool has_year;
    int year;                /* 1970..9998: the year after it must exist */
    struct page_after after; /* decoded cursor */
};
enum api_page_kind { PAGE_CLAIMS, PAGE_SENT, PAGE_RECEIVED, PAGE_LEDGER };
/* Decode the query of a list of that kind into *out. Errors as for every decode function, with *p
 * filled. */
MUST_USE enum err api_decode_page(const char *query, enum api_page_kind kind, struct api_page *out,
                                  struct problem *p);

/* ---- encode. Each function fills *r, which http_response_init made: status, body, state and
 * headers. If there is no memory r->body.failed is set, and http_render sends a problem. ---- */
/* Fill *r with 201 for the new guest a and its bearer token. */
void api_encode_guest(struct http_response *r, const struct account *a, const char *token);
/* Fill *r with 201 for the top-up or withdrawal t. */
void api_encode_money(struct http_response *r, const struct transfer *t);
/* Fill *r with 201, a Location, and the new envelope e as its sender sees it: no claims, mine null.
 */
void api_encode_sent(struct http_response *r, const struct envelope *e);
/* Fill *r with 200 and the outcome a of a grab; Retry-After if it is busy. */
void api_encode_grab(struct http_response *r, const struct grab_answer *a);
/* Fill *r with 200 and the outcome a of an open. */
void api_encode_open(struct http_response *r, const struct open_answer *a);
/* Fill *r with 200 and the thanks of claim c. */
void api_encode_thanks(struct http_response *r, const struct claim *c);
/* Fill *r with 200 and the end of e, which is closed: the answer to a recall. */
void api_encode_recall(struct http_response *r, const struct envelope *e);
#define API_ETAG_SIZE 128
/* Write the ETag "<generation>-<version>-<mine_seq>-<after>-<limit>" to out, the last two from
 * page. It is strong for one user: any change of what that user sees changes it. The versions of a
 * restored database begin at an earlier number, so generation is part of it. */
void api_envelope_etag(char out[API_ETAG_SIZE], const uint8_t generation[16], int64_t version,
                       int64_t mine_seq, const struct api_page *page);
/* Fill *r with 200 and the envelope v with its claims. */
void api_encode_envelope(struct http_response *r, const struct envelope_view *v);
/* Fill *r with 200 and the part of e that is shown without a token. */
void api_encode_preview(struct http_response *r, const struct envelope *e);
/* Fill *r with 200 and an HTML document with the Open Graph tags (https://ogp.me) of the link to e,
 * whose id is id; e is NULL if it is not shown without a token. address is that of the site, with a
 * slash at its end; "": the tags are relative, which not every robot accepts. */
void api_encode_card(struct http_response *r, const struct id *id, const struct envelope *e,
                     const char *address);
/* Fill *r with 200 and the account v; currency is the site's label. */
void api_encode_me(struct http_response *r, const struct me_view *v, const char *currency);
/* Fill *r with 200 and the page v of sent envelopes. */
void api_encode_sent_list(struct http_response *r, const struct sent_view *v);
/* Fill *r with 200 and the page v of received claims. */
void api_encode_received_list(struct http_response *r, const struct received_view *v);
/* Fill *r with 200 and the page v of the ledger. */
void api_encode_ledger(struct http_response *r, const struct ledger_view *v);
/* Fill *r with 304 and etag, without a body. */
void api_encode_not_modified(struct http_response *r, const char *etag);
/* Fill *r with 200 and what a client needs to know of a site with the settings config before a user
 * signs in, or with 304 if if_none_match (NULL: absent) names it; cacheable. version is the
 * service's. */
void api_encode_site(struct http_response *r, const struct config *config, const char *version,
                     const char *if_none_match);
/* Fill *r with 200 {"status":"ok"}; with a member "degraded" that lists degraded[0..n) if n is not
 * 0: what is missing though all requests can be served; and "clock":"held" if clock_held: refunds
 * wait for the primary's clock. */
void api_encode_ready(struct http_response *r, const char *const *degraded, size_t n,
                      bool clock_held);
/* Fill *r with 200 {"status":"ok"}. */
void api_encode_health(struct http_response *r);

#endif
