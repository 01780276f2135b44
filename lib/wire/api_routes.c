/* Routing by a linear search: the table is short, and the hot routes come early. */
#include "lib/base/metrics.h"
#include "lib/base/str.h"
#include "lib/wire/api.h"
#include <string.h>
#include <strings.h>

const struct api_route api_routes[ROUTE_COUNT] = {
    [ROUTE_GUESTS] = {ROUTE_GUESTS, "guests", "POST", "/v1/guests", AUTH_NONE, BODY_JSON, false,
                      false},
    [ROUTE_TOPUPS] = {ROUTE_TOPUPS, "topups", "POST", "/v1/topups", AUTH_WALLET, BODY_JSON, true,
                      false},
    [ROUTE_WITHDRAWALS] = {ROUTE_WITHDRAWALS, "withdrawals", "POST", "/v1/withdrawals", AUTH_WALLET,
                           BODY_JSON, true, false},
    [ROUTE_SEND] = {ROUTE_SEND, "send", "POST", "/v1/envelopes", AUTH_USER, BODY_JSON, true, false},
    [ROUTE_CLAIM] = {ROUTE_CLAIM, "claim", "POST", "/v1/envelopes/{id}/claim", AUTH_USER, BODY_NONE,
                     false, false},
    [ROUTE_GRAB] = {ROUTE_GRAB, "grab", "POST", "/v1/envelopes/{id}/grab", AUTH_USER, BODY_NONE,
                    false, false},
    [ROUTE_OPEN] = {ROUTE_OPEN, "open", "POST", "/v1/envelopes/{id}/open", AUTH_USER, BODY_JSON,
                    false, false},
    [ROUTE_RECALL] = {ROUTE_RECALL, "recall", "POST", "/v1/envelopes/{id}/recall", AUTH_USER,
                      BODY_NONE, false, false},
    [ROUTE_THANKS] = {ROUTE_THANKS, "thanks", "POST", "/v1/envelopes/{id}/thanks", AUTH_USER,
                      BODY_JSON, false, false},
    [ROUTE_ENVELOPE] = {ROUTE_ENVELOPE, "envelope", "GET", "/v1/envelopes/{id}", AUTH_OPTIONAL,
                        BODY_NONE, false, true},
    [ROUTE_CARD] = {ROUTE_CARD, "card", "GET", "/", AUTH_NONE, BODY_NONE, false, true},
    [ROUTE_ME] = {ROUTE_ME, "me", "GET", "/v1/me", AUTH_USER, BODY_NONE, false, false},
    [ROUTE_SENT] = {ROUTE_SENT, "sent", "GET", "/v1/me/sent", AUTH_USER, BODY_NONE, false, true},
    [ROUTE_RECEIVED] = {ROUTE_RECEIVED, "received", "GET", "/v1/me/received", AUTH_USER, BODY_NONE,
                        false, true},
    [ROUTE_LEDGER] = {ROUTE_LEDGER, "ledger", "GET", "/v1/me/ledger", AUTH_USER, BODY_NONE, false,
                      true},
    [ROUTE_SITE] = {ROUTE_SITE, "site", "GET", "/v1/site", AUTH_NONE, BODY_NONE, false, false},
    [ROUTE_HEALTHZ] = {ROUTE_HEALTHZ, "healthz", "GET", "/healthz", AUTH_NONE, BODY_NONE, false,
                       false},
    [ROUTE_READYZ] = {ROUTE_READYZ, "readyz", "GET", "/readyz", AUTH_NONE, BODY_NONE, false, false},
    [ROUTE_METRICS] = {ROUTE_METRICS, "metrics", "GET", "/metrics", AUTH_NONE, BODY_NONE, false,
                       false},
    [ROUTE_NONE] = {ROUTE_NONE, "none", "", "", AUTH_NONE, BODY_NONE, false, false},
};

const char *const api_route_names[METRIC_ROUTES] = {
    "guests", "topups", "withdrawals", "send",   "claim",   "grab", "open",
    "recall", "thanks", "envelope",    "card",   "me",      "sent", "received",
    "ledger", "site",   "healthz",     "readyz", "metrics", "none"};
_Static_assert(ROUTE_COUNT <= METRIC_ROUTES, "metrics count by route");

/* Return true if path matches pattern; {id} matches the text up to the next '/'. */
static bool path_matches(const char *pattern, const char *path, const char **id, size_t *id_len)
{
    const char *brace = strchr(pattern, '{');
    if (brace == NULL)
        return strcmp(pattern, path) == 0;
    size_t before = (size_t)(brace - pattern);
    const char *rest = strchr(brace, '}') + 1;
    if (strncmp(pattern, path, before) != 0)
        return false;
    *id = path + before;
    *id_len = strcspn(*id, "/");
    return *id_len > 0 && strcmp(*id + *id_len, rest) == 0;
}

static bool method_matches(const struct api_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* No path has more than one route. */
enum err api_find(const char *method, const char *path, const struct api_route **route,
                  struct id *id, char *allow)
{
    for (size_t i = 0; i < ROUTE_NONE; i++) {
        const char *text = NULL;
        size_t len = 0;
        if (!path_matches(api_routes[i].path, path, &text, &len))
            continue;
        if (text != NULL && !id_parse(id, text, len))
            return ERR_NOT_FOUND;
        *route = &api_routes[i];
        if (method_matches(&api_routes[i], method))
            return ERR_OK;
        const char *methods = strcmp(api_routes[i].method, "GET") == 0 ? "GET, HEAD" : "POST";
        (void)str_set(allow, ALLOW_SIZE, methods, strlen(methods));
        return ERR_METHOD_NOT_ALLOWED;
    }
    return ERR_NOT_FOUND;
}

/* Return true for "application/json", with or without parameters. */
static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (content_type == NULL || strncasecmp(content_type, json, sizeof json - 1) != 0)
        return false;
    char after = content_type[sizeof json - 1];
    return after == '\0' || after == ';' || after == ' ';
}

static enum err check_key(const struct http_request *r, struct problem *p)
{
    const char *key = r->idempotency_key;
    if (key == NULL || key[0] == '\0')
        return problem_set(p, ERR_IDEMPOTENCY_KEY_REQUIRED, "Idempotency-Key",
                           "required: choose a unique key and send the same one when retrying");
    if (!key_valid(key, strlen(key), KEY_MAX))
        return problem_set_limit(p, ERR_INVALID_REQUEST, "Idempotency-Key", KEY_MAX,
                                 "1 to %d printable ASCII characters without space", KEY_MAX);
    return ERR_OK;
}

static enum err check_query(const struct http_request *r, struct problem *p)
{
    char name[32];
    if (!http_query_unknown(r->query, NULL, 0, name, sizeof name))
        return ERR_OK;
    return problem_set(p, ERR_INVALID_REQUEST, name, "%s", "no such parameter");
}

enum err api_check_request(const struct api_route *route, const struct http_request *r,
                           struct problem *p)
{
    bool post = strcmp(route->method, "POST") == 0;
    if (post && !r->has_length)
        return problem_set(p, ERR_LENGTH_REQUIRED, "Content-Length",
                           "required, and a plain number");
    if (r->too_large)
        return problem_set(p, ERR_BODY_TOO_LARGE, NULL, "%s", "the body is too large");
    if (route->body == BODY_NONE && r->body_len > 0)
        return problem_set(p, ERR_INVALID_REQUEST, NULL, "%s", "this takes no body");
    if (route->body == BODY_JSON && !is_json(r->content_type))
        return problem_set(p, ERR_UNSUPPORTED_MEDIA_TYPE, "Content-Type",
                           "application/json is expected");
    if (route->body == BODY_JSON && r->content_encoding != NULL &&
        strcasecmp(r->content_encoding, "identity") != 0)
        return problem_set(p, ERR_UNSUPPORTED_MEDIA_TYPE, "Content-Encoding",
                           "send the body without a content coding");
    enum err err = route->has_query ? ERR_OK : check_query(r, p);
    return err == ERR_OK && route->idempotency_key ? check_key(r, p) : err;
}
