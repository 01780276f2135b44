/* Answers other than envelopes and lists: each is a flat object, written member by member in the
 * order of the OpenAPI description. */
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include "lib/wire/api_json.h"
#include "lib/wire/grab_json.h"
#include <stdio.h>
#include <string.h>

#define DECIMALS 2 /* 1 fen is 1/100 of the currency unit */
#define SITE_TAG_BYTES 8
#define SITE_MAX_AGE_S 60 /* settings change with a restart */

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

static void put_site(struct json_writer *w, const struct config *c, const char *version)
{
    json_put_bool(w, "demo", c->demo);
    json_put_bool(w, "withdrawals", c->withdrawals);
    json_open_object(w, "currency");
    json_put_string(w, "code", c->currency);
    json_put_int(w, "decimals", DECIMALS);
    json_close_object(w);
    json_open_object(w, "limits");
    json_put_int(w, "share_cap", c->share_cap_fen);
    json_put_int(w, "shares_max", c->shares_max);
    json_put_int(w, "greeting_max", c->greeting_max);
    json_put_int(w, "name_max", NAME_MAX_POINTS);
    json_put_int(w, "expires_min", c->expires_min_s);
    json_put_int(w, "expires_max", c->expires_max_s);
    json_put_int(w, "recipients_max", RECIPIENTS_MAX);
    json_put_int(w, "sent_per_day", c->sent_per_day_fen);
    json_put_int(w, "body_max", c->body_max_bytes);
    json_close_object(w);
    json_open_object(w, "defaults");
    json_put_string(w, "greeting", c->greeting_default);
    json_put_int(w, "expires_in", c->expires_default_s);
    json_put_string(w, "theme", envelope_theme_name(THEME_PLAIN));
    json_close_object(w);
    json_open_array(w, "themes");
    for (int i = 0; i < THEME_COUNT; i++)
        json_put_string(w, NULL, envelope_theme_name((enum envelope_theme)i));
    json_close_array(w);
    json_open_array(w, "thanks");
    for (int i = THANKS_NONE + 1; i < THANKS_COUNT; i++)
        json_put_string(w, NULL, claim_thanks_name((enum claim_thanks)i));
    json_close_array(w);
    json_put_string(w, "version", version);
}

void api_encode_site(struct http_response *r, const struct config *config, const char *version,
                     const char *if_none_match)
{
    uint8_t digest[32];
    char hex[2 * SITE_TAG_BYTES + 1];
    struct json_writer *w = answer_begin(r, 200, "ok");
    if (w == NULL)
        return;
    put_site(w, config, version);
    answer_end(w);
    if (r->body.failed)
        return;
    hash_sha256(digest, r->body.data, r->body.len);
    str_to_hex(hex, digest, SITE_TAG_BYTES);
    snprintf(r->etag, sizeof r->etag, "\"%s\"", hex);
    r->max_age_s = SITE_MAX_AGE_S;
    if (!http_etag_matches(if_none_match, r->etag))
        return;
    r->status = 304;
    r->content_type = NULL;
    r->state = "not_modified";
    buf_reset(&r->body);
}

void api_encode_not_modified(struct http_response *r, const char *etag)
{
    r->status = 304;
    r->content_type = NULL;
    r->state = "not_modified";
    snprintf(r->etag, sizeof r->etag, "%s", etag);
}

void api_encode_ready(struct http_response *r, const char *const *degraded, size_t n,
                      bool clock_held)
{
    struct json_writer *w = answer_begin(r, 200, "ok");
    if (w == NULL)
        return;
    json_put_string(w, "status", "ok");
    if (n > 0)
        json_open_array(w, "degraded");
    for (size_t i = 0; i < n; i++)
        json_put_string(w, NULL, degraded[i]);
    if (n > 0)
        json_close_array(w);
    if (clock_held)
        json_put_string(w, "clock", "held");
    answer_end(w);
}

void api_encode_health(struct http_response *r)
{
    api_encode_ready(r, NULL, 0, false);
}
