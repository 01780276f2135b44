/* Answers other than envelopes and lists: each is a flat object, written member by member in the
 * order of the OpenAPI description. */
#include "lib/wire/api_json.h"
#include "lib/wire/grab_json.h"
#include <stdio.h>
#include <string.h>

void api_encode_guest(struct http_response *r, const struct account *a, const char *token)
{
    struct json_writer *w = answer_begin(r, 201, "created");
    if (w == NULL)
        return;
    json_put_string(w, "user", a->user);
    json_put_string(w, "name", a->name);
    json_put_string(w, "token", token);
    json_put_int(w, "balance", a->balance_fen);
    answer_end(w);
}

void api_encode_money(struct http_response *r, const struct transfer *t)
{
    struct json_writer *w = answer_begin(r, 201, "created");
    if (w == NULL)
        return;
    put_id(w, "id", &t->id);
    json_put_string(w, "user", t->user);
    json_put_int(w, "amount", t->amount_fen);
    json_put_int(w, "balance", t->balance_fen);
    answer_end(w);
}

void api_encode_grab(struct http_response *r, const struct grab_answer *a)
{
    r->status = 200;
    r->content_type = "application/json";
    r->state = grab_state_name(a->state);
    r->retry_after_s = a->state == GRAB_BUSY ? a->retry_after_s : 0;
    grab_json(a, &r->body);
}

void api_encode_open(struct http_response *r, const struct open_answer *a)
{
    static const char *const states[] = {"opened", "sold_out", "expired"};
    struct json_writer *w = answer_begin(r, 200, states[a->state]);
    if (w == NULL)
        return;
    json_put_string(w, "state", states[a->state]);
    if (a->state == OPEN_OPENED) {
        json_put_int(w, "amount", a->claim.amount_fen);
        json_put_int(w, "seq", a->claim.seq);
        put_time(w, "opened_at", a->claim.opened_us);
    }
    answer_end(w);
}

void api_encode_me(struct http_response *r, const struct me_view *v, const char *currency)
{
    struct json_writer *w = answer_begin(r, 200, "ok");
    if (w == NULL)
        return;
    json_put_string(w, "user", v->account.user);
    json_put_string(w, "name", v->account.name);
    json_put_int(w, "balance", v->account.balance_fen);
    json_put_int(w, "pending", v->pending_fen);
    json_put_string(w, "currency", currency);
    answer_end(w);
}

void api_encode_not_modified(struct http_response *r, const char *etag)
{
    r->status = 304;
    r->content_type = NULL;
    r->state = "not_modified";
    snprintf(r->etag, sizeof r->etag, "%s", etag);
}

void api_encode_health(struct http_response *r, bool ok)
{
    struct json_writer *w = answer_begin(r, ok ? 200 : 503, ok ? "ok" : "unavailable");
    if (w == NULL)
        return;
    json_put_string(w, "status", ok ? "ok" : "unavailable");
    answer_end(w);
}
