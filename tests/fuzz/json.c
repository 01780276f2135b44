/* Request bodies: the JSON reader and the decoders of every route that takes one. What is accepted
 * must keep its limits, and must be accepted again when written by our own writer. */
#include "lib/wire/json.h"
#include "lib/base/utf8.h"
#include "lib/wire/api.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

static void check_tree(const struct json_value *v, unsigned depth)
{
    size_t children = 0;
    FUZZ_CHECK(depth <= 8);
    if (v->type == JSON_STRING)
        FUZZ_CHECK(strlen(v->text) == v->len && utf8_valid(v->text, v->len));
    for (const struct json_value *c = v->first; c != NULL; c = c->next, children++)
        check_tree(c, depth + 1);
    FUZZ_CHECK(children == v->count);
}

static void write_value(struct json_writer *w, const char *key, const struct json_value *v)
{
    if (v->type == JSON_OBJECT || v->type == JSON_ARRAY) {
        bool object = v->type == JSON_OBJECT;
        (object ? json_open_object : json_open_array)(w, key);
        for (const struct json_value *c = v->first; c != NULL; c = c->next)
            write_value(w, object ? c->key : NULL, c);
        (object ? json_close_object : json_close_array)(w);
    } else if (v->type == JSON_STRING) {
        json_put_string(w, key, v->text);
    } else if (v->type == JSON_BOOL) {
        json_put_bool(w, key, strcmp(v->text, "true") == 0);
    } else if (v->type == JSON_NULL) {
        json_put_null(w, key);
    } else {
        json_put_int(w, key, (int64_t)v->len); /* any number: the reader keeps their text */
    }
}

static void check_document(const char *text, size_t len)
{
    char member[64] = "";
    enum err err = ERR_OK;
    struct buf out;
    struct json_doc *doc = json_parse(text, len, &err, member, sizeof member);
    if (doc == NULL) {
        FUZZ_CHECK(err == ERR_INVALID_JSON || err == ERR_INVALID_REQUEST);
        return;
    }
    check_tree(json_top(doc), 0);
    buf_init(&out, 1 << 20);
    struct json_writer *w = json_writer_new(&out);
    FUZZ_CHECK(w != NULL);
    write_value(w, NULL, json_top(doc));
    json_writer_free(w);
    json_free(doc);
    FUZZ_CHECK(!out.failed);
    doc = json_parse(out.data, out.len, &err, member, sizeof member);
    FUZZ_CHECK(doc != NULL);
    json_free(doc);
    buf_free(&out);
}

static void check_send(const char *text, size_t len, const struct config *config)
{
    static struct api_send s;
    struct problem p = {0};
    memset(&s, 0, sizeof s);
    if (api_decode_send(text, len, config, &s, &p) != ERR_OK) {
        FUZZ_CHECK(p.err == ERR_INVALID_JSON || p.err == ERR_INVALID_REQUEST);
        return;
    }
    if (s.refused != ERR_OK) {
        FUZZ_CHECK(p.err == ERR_INVALID_REQUEST);
        return;
    }
    FUZZ_CHECK(s.shares >= 1 && s.shares <= config->shares_max && s.total_fen >= s.shares);
    FUZZ_CHECK(s.total_fen <= s.shares * config->share_cap_fen);
    FUZZ_CHECK(s.expires_in_s >= config->expires_min_s && s.expires_in_s <= config->expires_max_s);
    char again[GREETING_SIZE]; /* what was cleaned is clean */
    bool cut = false;
    FUZZ_CHECK(utf8_clean(again, sizeof again, s.greeting, strlen(s.greeting), 50, &cut) > 0 &&
               !cut);
    FUZZ_CHECK(strcmp(again, s.greeting) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    char ticket[TICKET_SIZE];
    size_t ticket_len = 0;
    struct api_guest guest = {0};
    struct api_money money = {0};
    struct problem p = {0};
    char *text =
        fuzz_text(data, size); /* the readers are given a length, but bodies end with a NUL */
    if (config.shares_max == 0)
        config_defaults(&config);
    check_document(text, size);
    check_send(text, size, &config);
    if (api_decode_guest(text, size, &guest, &p) == ERR_OK)
        FUZZ_CHECK(strlen(guest.name) < sizeof guest.name);
    if (api_decode_money(text, size, &money, &p) == ERR_OK)
        FUZZ_CHECK(money.amount_fen >= 1 && money.amount_fen <= AMOUNT_MAX_FEN &&
                   user_valid(money.user, strlen(money.user)));
    if (api_decode_open(text, size, ticket, &ticket_len, &p) == ERR_OK)
        FUZZ_CHECK(ticket_len < sizeof ticket && strlen(ticket) == ticket_len);
    free(text);
    return 0;
}
