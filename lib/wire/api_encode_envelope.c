/* Envelopes, claims and lists as their readers see them. */
#include "lib/base/str.h"
#include "lib/wire/api_json.h"
#include <stdio.h>
#include <string.h>

static void put_thanks(struct json_writer *w, const struct claim *c)
{
    const char *name = claim_thanks_name(c->thanks);
    if (name == NULL)
        json_put_null(w, "thanks");
    else
        json_put_string(w, "thanks", name);
}

static void put_claim(struct json_writer *w, const struct claim *c)
{
    json_open_object(w, NULL);
    json_put_string(w, "user", c->user);
    json_put_string(w, "name", c->name);
    json_put_int(w, "amount", c->amount_fen);
    json_put_int(w, "seq", c->seq);
    put_time(w, "opened_at", c->opened_us);
    put_thanks(w, c);
    json_close_object(w);
}

static void put_mine(struct json_writer *w, const struct envelope_view *v)
{
    if (v->mine == NULL) {
        json_put_null(w, "mine");
        return;
    }
    json_open_object(w, "mine");
    json_put_int(w, "amount", v->mine->amount_fen);
    json_put_int(w, "seq", v->mine->seq);
    put_time(w, "opened_at", v->mine->opened_us);
    json_close_object(w);
}

static void put_view(struct json_writer *w, const struct envelope_view *v)
{
    struct page_after next = {.set = v->next_seq != 0, .id = v->envelope->id, .seq = v->next_seq};
    next.set = next.set && !v->veiled;
    put_envelope(w, v->envelope, v->veiled);
    put_mine(w, v);
    json_open_array(w, "claims");
    for (size_t i = 0; i < v->n_claims && !v->veiled; i++)
        put_claim(w, &v->claims[i]);
    json_close_array(w);
    put_next(w, PAGE_CLAIMS, &next);
}

void api_encode_envelope(struct http_response *r, const struct envelope_view *v)
{
    struct json_writer *w = answer_begin(r, 200, envelope_state_name(v->envelope->state));
    if (w == NULL)
        return;
    put_view(w, v);
    answer_end(w);
}

void api_encode_sent(struct http_response *r, const struct envelope *e)
{
    struct json_writer *w = answer_begin(r, 201, "created");
    char id[ID_TEXT_SIZE];
    const struct page_after none = {0};
    if (w == NULL)
        return;
    put_envelope(w, e, false);
    json_put_null(w, "mine");
    json_open_array(w, "claims");
    json_close_array(w);
    put_next(w, PAGE_CLAIMS, &none);
    answer_end(w);
    id_format(id, &e->id);
    snprintf(r->location, sizeof r->location, "/v1/envelopes/%s", id);
}

void api_encode_recall(struct http_response *r, const struct envelope *e)
{
    struct json_writer *w = answer_begin(r, 200, envelope_state_name(e->state));
    if (w == NULL)
        return;
    json_put_string(w, "state", envelope_state_name(e->state));
    put_closer(w, e);
    json_put_int(w, "refunded", e->refunded_fen);
    put_time(w, "closed_at", e->closed_us);
    answer_end(w);
}

void api_encode_thanks(struct http_response *r, const struct claim *c)
{
    struct json_writer *w = answer_begin(r, 200, "ok");
    if (w == NULL)
        return;
    json_put_int(w, "seq", c->seq);
    put_thanks(w, c);
    answer_end(w);
}

void api_encode_preview(struct http_response *r, const struct envelope *e)
{
    struct json_writer *w = answer_begin(r, 200, envelope_state_name(e->state));
    if (w == NULL)
        return;
    put_id(w, "id", &e->id);
    json_open_object(w, "sender");
    json_put_string(w, "name", e->sender_name);
    json_close_object(w);
    json_put_string(w, "mode", envelope_mode_name(e->mode));
    json_put_string(w, "theme", envelope_theme_name(e->theme));
    json_put_string(w, "greeting", e->greeting);
    json_put_string(w, "state", envelope_state_name(e->state));
    json_put_int(w, "left", e->shares - e->opened_shares);
    json_put_bool(w, "guests", user_is_guest(e->sender));
    answer_end(w);
}

void api_envelope_etag(char out[API_ETAG_SIZE], const uint8_t generation[16], int64_t version,
                       int64_t mine_seq, const struct api_page *page)
{
    char hex[2 * 16 + 1];
    str_to_hex(hex, generation, 16);
    snprintf(out, API_ETAG_SIZE, "\"%s-%lld-%lld-%lld-%zu\"", hex, (long long)version,
             (long long)mine_seq, (long long)(page->after.set ? page->after.seq : 0), page->limit);
}

void api_encode_sent_list(struct http_response *r, const struct sent_view *v)
{
    struct json_writer *w = answer_begin(r, 200, "ok");
    if (w == NULL)
        return;
    json_put_int(w, "year", v->year);
    json_put_int(w, "count", v->totals.sent_count);
    json_put_int(w, "total", v->totals.sent_fen);
    json_put_int(w, "refunded", v->totals.refunded_fen);
    json_open_array(w, "items");
    for (size_t i = 0; i < v->n; i++) {
        json_open_object(w, NULL);
        put_envelope(w, &v->items[i], false);
        json_close_object(w);
    }
    json_close_array(w);
    put_next(w, PAGE_SENT, &v->next);
    answer_end(w);
}

static void put_received(struct json_writer *w, const struct received_item *item)
{
    json_open_object(w, NULL);
    put_id(w, "envelope", &item->envelope);
    json_open_object(w, "sender");
    json_put_string(w, "user", item->sender);
    json_put_string(w, "name", item->sender_name);
    json_close_object(w);
    json_put_string(w, "theme", envelope_theme_name(item->theme));
    json_put_int(w, "amount", item->amount_fen);
    json_put_int(w, "seq", item->seq);
    put_time(w, "opened_at", item->opened_us);
    json_put_bool(w, "credited", item->credited);
    json_put_bool(w, "luckiest", item->luckiest);
    json_close_object(w);
}

void api_encode_received_list(struct http_response *r, const struct received_view *v)
{
    struct json_writer *w = answer_begin(r, 200, "ok");
    if (w == NULL)
        return;
    json_put_int(w, "year", v->year);
    json_put_int(w, "count", v->totals.received_count);
    json_put_int(w, "total", v->totals.received_fen);
    json_put_int(w, "luckiest_count", v->totals.luckiest_count);
    json_open_array(w, "items");
    for (size_t i = 0; i < v->n; i++)
        put_received(w, &v->items[i]);
    json_close_array(w);
    put_next(w, PAGE_RECEIVED, &v->next);
    answer_end(w);
}

/* The envelope of a transfer is the first part of its reference; null for top-ups and withdrawals.
 */
static void put_reference(struct json_writer *w, const struct transfer *t)
{
    struct id envelope;
    if (t->kind == TRANSFER_TOPUP || t->kind == TRANSFER_WITHDRAW || t->ref_len < ID_SIZE) {
        json_put_null(w, "envelope");
        return;
    }
    memcpy(envelope.b, t->ref, ID_SIZE);
    put_id(w, "envelope", &envelope);
}

void api_encode_ledger(struct http_response *r, const struct ledger_view *v)
{
    struct json_writer *w = answer_begin(r, 200, "ok");
    if (w == NULL)
        return;
    json_put_int(w, "balance", v->balance_fen);
    json_open_array(w, "items");
    for (size_t i = 0; i < v->n; i++) {
        const struct transfer *t = &v->items[i];
        json_open_object(w, NULL);
        put_id(w, "id", &t->id);
        json_put_string(w, "kind", transfer_kind_name(t->kind));
        json_put_int(w, "amount", transfer_sign(t->kind) * t->amount_fen);
        put_reference(w, t);
        put_time(w, "at", t->booked_us);
        if (t->kind == TRANSFER_CLAIM)
            put_time(w, "opened_at", t->at_us);
        json_close_object(w);
    }
    json_close_array(w);
    put_next(w, PAGE_LEDGER, &v->next);
    answer_end(w);
}
