/* Members that several answers share. The plain members of an envelope follow the table of members;
 * those that are composed or depend on its state are written here. */
#include "lib/wire/api_json.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/domain/envelope_members.h"
#include "lib/wire/api_page.h"
#include <assert.h>
#include <string.h>

#define HEX_BYTES_MAX 64

struct json_writer *answer_begin(struct http_response *r, int status, const char *state)
{
    r->status = status;
    r->content_type = "application/json";
    r->state = state;
    struct json_writer *w = json_writer_new(&r->body);
    if (w == NULL)
        r->body.failed = true;
    else
        json_open_object(w, NULL);
    return w;
}

void answer_end(struct json_writer *w)
{
    json_close_object(w);
    json_writer_free(w);
}

void put_id(struct json_writer *w, const char *key, const struct id *id)
{
    char text[ID_TEXT_SIZE];
    id_format(text, id);
    json_put_string(w, key, text);
}

void put_time(struct json_writer *w, const char *key, int64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    if (wall_us == 0) {
        json_put_null(w, key);
        return;
    }
    clock_format(text, wall_us);
    json_put_string(w, key, text);
}

void put_next(struct json_writer *w, enum api_page_kind kind, const struct page_after *next)
{
    char text[CURSOR_TEXT_SIZE];
    if (!next->set) {
        json_put_null(w, "next");
        return;
    }
    api_cursor_format(text, kind, next);
    json_put_string(w, "next", text);
}

static void put_hex(struct json_writer *w, const char *key, const uint8_t *bytes, size_t n)
{
    char text[2 * HEX_BYTES_MAX + 1];
    assert(n <= HEX_BYTES_MAX);
    str_to_hex(text, bytes, n);
    json_put_string(w, key, text);
}

static void put_users(struct json_writer *w, const char *to)
{
    char user[USER_SIZE];
    json_open_array(w, "users");
    for (const char *at = to; *at != '\0';) {
        size_t len = strcspn(at, " ");
        if (str_set(user, sizeof user, at, len))
            json_put_string(w, NULL, user);
        at += len;
        at += *at == ' ' ? 1 : 0;
    }
    json_close_array(w);
}

static void put_to(struct json_writer *w, const struct envelope *e)
{
    if (e->to_kind == TO_ANYONE) {
        json_put_null(w, "to");
        return;
    }
    json_open_object(w, "to");
    if (e->to_kind == TO_GROUP)
        json_put_string(w, "group", e->to);
    else
        put_users(w, e->to);
    json_close_object(w);
}

static void put_luckiest(struct json_writer *w, const struct envelope *e)
{
    if (e->state == STATE_OPEN || e->luckiest_seq == 0) {
        json_put_null(w, "luckiest");
        return;
    }
    json_open_object(w, "luckiest");
    json_put_string(w, "user", e->luckiest_user);
    json_put_string(w, "name", e->luckiest_name);
    json_put_int(w, "amount", e->luckiest_fen);
    json_put_int(w, "seq", e->luckiest_seq);
    json_close_object(w);
}

static void put_plain_member(struct json_writer *w, const struct envelope *e,
                             const struct envelope_member *m)
{
    switch (m->kind) {
    case MEMBER_USER:
    case MEMBER_TEXT:
        json_put_string(w, m->json, envelope_member_at(e, m));
        break;
    case MEMBER_BYTES:
        put_hex(w, m->json, envelope_member_at(e, m), m->size);
        break;
    case MEMBER_TIME:
        put_time(w, m->json, envelope_member_number(e, m));
        break;
    case MEMBER_FLAG:
        json_put_bool(w, m->json, envelope_member_number(e, m) != 0);
        break;
    default:
        json_put_int(w, m->json, envelope_member_number(e, m));
    }
}

void put_closer(struct json_writer *w, const struct envelope *e)
{
    const char *name = envelope_closer_name(envelope_closer(e));
    if (name == NULL)
        json_put_null(w, "closed_by");
    else
        json_put_string(w, "closed_by", name);
}

void put_envelope(struct json_writer *w, const struct envelope *e, bool veiled)
{
    put_id(w, "id", &e->id);
    json_open_object(w, "sender");
    json_put_string(w, "user", e->sender);
    json_put_string(w, "name", e->sender_name);
    json_close_object(w);
    json_put_string(w, "mode", envelope_mode_name(e->mode));
    json_put_string(w, "theme", envelope_theme_name(e->theme));
    put_to(w, e);
    for (size_t i = 0; i < envelope_members_n; i++) {
        const struct envelope_member *m = &envelope_members[i];
        if (m->json != NULL && veiled && m->offset == offsetof(struct envelope, opened_fen))
            json_put_null(w, m->json);
        else if (m->json != NULL)
            put_plain_member(w, e, m);
    }
    json_put_string(w, "state", envelope_state_name(e->state));
    put_closer(w, e);
    if (e->state != STATE_OPEN && e->has_seed)
        put_hex(w, "seed", e->seed, sizeof e->seed);
    else
        json_put_null(w, "seed");
    put_luckiest(w, e);
}
