/* Request bodies are decoded strictly: unknown members, wrong types and values out of range are
 * refused with the name of the member, so that a mistake of a client never passes unnoticed. */
#include "lib/base/str.h"
#include "lib/wire/api.h"
#include "lib/wire/api_fields.h"
#include <string.h>

#define MEMBERS_MAX ((size_t)2 << 20) /* more than the largest body */
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum err api_decode_guest(const char *body, size_t len, struct api_guest *out, struct problem *p)
{
    static const struct api_field fields[] = {{"name", JSON_STRING, false}};
    struct json_doc *doc = api_parse(body, len, fields, COUNT(fields), p);
    if (doc == NULL)
        return p->err;
    out->name[0] = '\0';
    enum err err = api_text(json_top(doc), "name", NAME_MAX_POINTS, out->name, sizeof out->name, p);
    json_free(doc);
    return err;
}

static enum err take_money(const struct json_value *top, struct api_money *out, struct problem *p)
{
    enum err err = api_user(json_member(top, "user"), "user", out->user, p);
    if (err == ERR_OK)
        err = api_number(top, "amount", 1, AMOUNT_MAX_FEN, &out->amount_fen, p);
    if (err != ERR_OK)
        return err;
    const struct json_value *reference = json_member(top, "reference");
    if (!key_valid(reference->text, reference->len, REFERENCE_MAX) ||
        !str_set(out->reference, sizeof out->reference, reference->text, reference->len))
        return problem_set(p, ERR_INVALID_REQUEST, "reference",
                           "1 to %d printable ASCII characters without space", REFERENCE_MAX);
    return ERR_OK;
}

enum err api_decode_money(const char *body, size_t len, struct api_money *out, struct problem *p)
{
    static const struct api_field fields[] = {{"user", JSON_STRING, true},
                                              {"amount", JSON_NUMBER, true},
                                              {"reference", JSON_STRING, true}};
    struct json_doc *doc = api_parse(body, len, fields, COUNT(fields), p);
    if (doc == NULL)
        return p->err;
    enum err err = take_money(json_top(doc), out, p);
    json_free(doc);
    return err;
}

void api_money_canonical(const struct api_money *m, struct buf *out)
{
    buf_printf(out, "%s\n%s\n%lld", m->user, m->reference, (long long)m->amount_fen);
}

/* Return true if id is among the ids in to, which are separated by one space. */
static bool is_listed(const char *to, const char *id)
{
    size_t len = strlen(id);
    for (const char *at = strstr(to, id); at != NULL; at = strstr(at + 1, id))
        if ((at == to || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static enum err take_users(const struct json_value *users, struct api_send *out, struct problem *p)
{
    char user[USER_SIZE];
    size_t used = 0;
    if (users->count < 1 || users->count > RECIPIENTS_MAX)
        return problem_set_limit(p, ERR_INVALID_REQUEST, "to.users",
                                 users->count < 1 ? 1 : RECIPIENTS_MAX, "1 to %d users",
                                 RECIPIENTS_MAX);
    for (const struct json_value *v = users->first; v != NULL; v = v->next) {
        enum err err = api_user(v, "to.users", user, p);
        if (err != ERR_OK)
            return err;
        if (is_listed(out->to, user))
            return problem_set(p, ERR_INVALID_REQUEST, "to.users", "%s appears twice", user);
        if (used + 1 + strlen(user) >= sizeof out->to)
            return problem_set(p, ERR_INVALID_REQUEST, "to.users", "more than %zu bytes of ids",
                               sizeof out->to - 1);
        if (used > 0)
            out->to[used++] = ' ';
        memcpy(out->to + used, user, strlen(user) + 1);
        used += strlen(user);
    }
    out->to_kind = TO_USERS;
    return ERR_OK;
}

static enum err take_to(const struct json_value *to, struct api_send *out, struct problem *p)
{
    static const struct api_field fields[] = {{"group", JSON_STRING, false},
                                              {"users", JSON_ARRAY, false}};
    if (to == NULL)
        return ERR_OK;
    enum err err = api_check_object(to, "to", fields, COUNT(fields), p);
    if (err != ERR_OK)
        return err;
    if (to->count != 1)
        return problem_set(p, ERR_INVALID_REQUEST, "to", "%s", "either group or users");
    if (strcmp(to->first->key, "users") == 0)
        return take_users(to->first, out, p);
    out->to_kind = TO_GROUP;
    return api_group(to->first, "to.group", out->to, p);
}

/* What settings limit. */
struct send_limits {
    int64_t share_cap_fen, shares_max, greeting_max, expires_min_s, expires_max_s;
};
/* The highest that each setting can be; the lowest for expires_min. */
static const struct send_limits widest = {.share_cap_fen = AMOUNT_MAX_FEN,
                                          .shares_max = SHARES_LIMIT,
                                          .greeting_max = (GREETING_SIZE - 1) / 4,
                                          .expires_min_s = 1,
                                          .expires_max_s = EXPIRES_LIMIT_S};

/* Check that the total can be divided: at least 1 fen and at most the cap per share. */
static enum err check_total(const struct send_limits *c, const struct api_send *s,
                            struct problem *p)
{
    if (s->total_fen < s->shares)
        return problem_set_limit(p, ERR_INVALID_REQUEST, "total", s->shares, "%s",
                                 "less than 1 fen for a share");
    if (s->total_fen > s->shares * c->share_cap_fen)
        return problem_set_limit(p, ERR_INVALID_REQUEST, "total", s->shares * c->share_cap_fen,
                                 "more than %lld fen for a share", (long long)c->share_cap_fen);
    return ERR_OK;
}

enum err api_check_recipients(const struct api_send *s, const char *sender, struct problem *p)
{
    int64_t users = 0;
    if (s->to_kind != TO_ANYONE && user_is_guest(sender))
        return problem_set(p, ERR_INVALID_REQUEST, "to", "%s",
                           "a guest can send only to anyone: no guest has a group or can be named");
    if (s->to_kind != TO_USERS)
        return ERR_OK;
    for (const char *at = s->to; at != NULL; at = strchr(at, ' ')) {
        at += *at == ' ' ? 1 : 0;
        users++;
        if (user_is_guest(at))
            return problem_set(p, ERR_INVALID_REQUEST, "to.users", "%s", "a guest cannot be named");
    }
    if (s->shares > users)
        return problem_set_limit(p, ERR_INVALID_REQUEST, "shares", users, "%s",
                                 "more shares than named recipients");
    return ERR_OK;
}

static enum err take_greeting(const struct json_value *top, int64_t points_max,
                              struct api_send *out, struct problem *p)
{
    const struct json_value *v = json_member(top, "greeting");
    out->has_greeting = v != NULL;
    if (v != NULL && !str_set(out->greeting_sent, sizeof out->greeting_sent, v->text, v->len))
        out->greeting_sent[0] = '\0';
    return api_text(top, "greeting", (size_t)points_max, out->greeting, sizeof out->greeting, p);
}

static enum err take_theme(const struct json_value *v, struct api_send *out, struct problem *p)
{
    if (v == NULL || envelope_theme_find(v->text, &out->theme))
        return ERR_OK;
    return problem_set(p, ERR_INVALID_REQUEST, "theme", "%s",
                       "one of the themes that GET /v1/site lists");
}

static enum err take_send(const struct json_value *top, const struct config *config,
                          const struct send_limits *c, struct api_send *out, struct problem *p)
{
    const struct json_value *mode = json_member(top, "mode");
    bool lucky = strcmp(mode->text, "lucky") == 0;
    memset(out, 0, sizeof *out);
    if (!lucky && strcmp(mode->text, "equal") != 0)
        return problem_set(p, ERR_INVALID_REQUEST, "mode", "%s", "lucky or equal");
    out->mode = lucky ? MODE_LUCKY : MODE_EQUAL;
    out->has_expires_in = json_member(top, "expires_in") != NULL;
    out->expires_in_s = config->expires_default_s;
    memcpy(out->greeting, config->greeting_default, sizeof out->greeting - 1);
    enum err err = api_number(top, "total", 1, AMOUNT_MAX_FEN, &out->total_fen, p);
    if (err == ERR_OK)
        err = api_number(top, "shares", 1, c->shares_max, &out->shares, p);
    if (err == ERR_OK)
        err = api_number(top, "expires_in", c->expires_min_s, c->expires_max_s, &out->expires_in_s,
                         p);
    if (err == ERR_OK)
        err = take_greeting(top, c->greeting_max, out, p);
    if (err == ERR_OK)
        err = take_theme(json_member(top, "theme"), out, p);
    if (err == ERR_OK)
        err = take_to(json_member(top, "to"), out, p);
    return err == ERR_OK ? check_total(c, out, p) : err;
}

/* Hash what was sent. Texts come with their lengths, since the greeting was not cleaned. */
static enum err hash_members(const struct json_value *top, struct api_send *s)
{
    const struct json_value *greeting = json_member(top, "greeting");
    struct buf text;
    buf_init(&text, MEMBERS_MAX);
    buf_printf(&text, "send\n%d\n%lld\n%lld\n", (int)s->mode, (long long)s->total_fen,
               (long long)s->shares);
    buf_printf(&text, "%lld\n", s->has_expires_in ? (long long)s->expires_in_s : -1LL);
    buf_printf(&text, "%d\n%s\n", (int)s->to_kind, s->to);
    if (greeting != NULL) {
        buf_printf(&text, "%zu\n", greeting->len);
        buf_append(&text, greeting->text, greeting->len);
    }
    if (json_member(top, "theme") != NULL) /* absent: the hash of older versions */
        buf_printf(&text, "\ntheme %d", (int)s->theme);
    enum err err = text.failed ? ERR_FAULT : ERR_OK;
    if (err == ERR_OK)
        hash_sha256(s->body_hash, text.data, text.len);
    buf_free(&text);
    return err;
}

enum err api_decode_send(const char *body, size_t len, const struct config *config,
                         struct api_send *out, struct problem *p)
{
    static const struct api_field fields[] = {
        {"mode", JSON_STRING, true},   {"total", JSON_NUMBER, true},
        {"shares", JSON_NUMBER, true}, {"greeting", JSON_STRING, false},
        {"theme", JSON_STRING, false}, {"expires_in", JSON_NUMBER, false},
        {"to", JSON_OBJECT, false}};
    const struct send_limits configured = {.share_cap_fen = config->share_cap_fen,
                                           .shares_max = config->shares_max,
                                           .greeting_max = config->greeting_max,
                                           .expires_min_s = config->expires_min_s,
                                           .expires_max_s = config->expires_max_s};
    struct problem ignored;
    struct json_doc *doc = api_parse(body, len, fields, COUNT(fields), p);
    if (doc == NULL)
        return p->err;
    const struct json_value *top = json_top(doc);
    enum err refused = take_send(top, config, &configured, out, p);
    enum err err = refused;
    if (refused == ERR_INVALID_REQUEST && take_send(top, config, &widest, out, &ignored) == ERR_OK)
        err = ERR_OK;
    out->refused = refused;
    if (err == ERR_OK)
        err = hash_members(top, out);
    json_free(doc);
    return err;
}

enum err api_decode_open(const char *body, size_t len, char ticket[TICKET_SIZE], size_t *ticket_len,
                         struct problem *p)
{
    static const struct api_field fields[] = {{"ticket", JSON_STRING, true}};
    struct json_doc *doc = api_parse(body, len, fields, COUNT(fields), p);
    if (doc == NULL)
        return p->err;
    const struct json_value *v = json_member(json_top(doc), "ticket");
    bool fits = str_set(ticket, TICKET_SIZE, v->text, v->len);
    *ticket_len = v->len;
    json_free(doc);
    return fits ? ERR_OK : problem_set(p, ERR_TICKET_INVALID, "ticket", "%s", "not a ticket");
}

enum err api_decode_thanks(const char *body, size_t len, enum claim_thanks *out, struct problem *p)
{
    static const struct api_field fields[] = {{"thanks", JSON_STRING, true}};
    struct json_doc *doc = api_parse(body, len, fields, COUNT(fields), p);
    if (doc == NULL)
        return p->err;
    bool known = claim_thanks_find(json_member(json_top(doc), "thanks")->text, out);
    json_free(doc);
    return known ? ERR_OK
                 : problem_set(p, ERR_INVALID_REQUEST, "thanks", "%s",
                               "one of the thanks that GET /v1/site lists");
}
