/* What concerns identity or trust must be exactly right; what is only shown never refuses a token.
 */
#include "lib/wire/token_members.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/wire/json.h"
#include <string.h>
#include <strings.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool text_is(const struct json_value *v, const char *text)
{
    return v->type == JSON_STRING && v->len == strlen(text) && memcmp(v->text, text, v->len) == 0;
}

/* Set *reason if parsing failed for what the text is. ERR_FAULT if there was no memory. */
static enum err parse_failed(enum err err, enum token_reason *reason)
{
    *reason = TOKEN_MALFORMED;
    return err == ERR_FAULT ? ERR_FAULT : ERR_OK;
}

/* ---- header ---- */

/* typ is a media type in any case, "application/" left out (RFC 7515, section 4.1.9). Others than
 * these name texts that are no access tokens (logout tokens, proofs of possession). */
static bool type_is_known(const struct json_value *typ)
{
    static const char *const types[] = {"JWT", "at+jwt", "application/jwt", "application/at+jwt"};
    for (size_t i = 0; typ != NULL && i < COUNT(types); i++)
        if (typ->type == JSON_STRING && typ->len == strlen(types[i]) &&
            strcasecmp(typ->text, types[i]) == 0)
            return true;
    return typ == NULL;
}

static enum token_reason check_header(const struct json_value *top)
{
    const struct json_value *alg = json_member(top, "alg");
    const struct json_value *b64 = json_member(top, "b64");
    if (alg == NULL || !text_is(alg, "HS256"))
        return TOKEN_ALGORITHM;
    /* none of the extensions that it could name is known here (RFC 7515, section 4.1.11) */
    if (json_member(top, "crit") != NULL || b64 != NULL)
        return TOKEN_CRITICAL;
    return type_is_known(json_member(top, "typ")) ? TOKEN_GOOD : TOKEN_MALFORMED;
}

enum err token_read_header(const char *text, size_t len, enum token_reason *reason)
{
    static const char *const names[] = {"alg", "typ", "crit", "b64"};
    enum err err = ERR_OK;
    struct json_doc *doc = json_parse_known(text, len, names, COUNT(names), &err);
    if (doc == NULL)
        return parse_failed(err, reason);
    *reason = check_header(json_top(doc));
    json_free(doc);
    return ERR_OK;
}

/* ---- payload: identity and trust ---- */

/* Read member name, a number of seconds, rounded down and at most EXPIRES_MAX_S. Return false if it
 * is no number, or absent and required. */
#define EXPIRES_MAX_S INT64_C(253402300799) /* the end of the year 9999 */
static bool read_time(const struct json_value *top, const char *name, bool required, int64_t *out)
{
    const struct json_value *v = json_member(top, name);
    if (v == NULL)
        return !required;
    if (v->type != JSON_NUMBER)
        return false;
    *out = str_floor(v->text, v->len, EXPIRES_MAX_S);
    return true;
}

/* Return true if one of the words of scope is "wallet": a string of words between spaces (RFC 6749,
 * section 3.3) or an array of words. */
static bool has_wallet_scope(const struct json_value *scope)
{
    static const char word[] = "wallet";
    if (scope == NULL)
        return false;
    for (const struct json_value *v = scope->first; v != NULL; v = v->next)
        if (text_is(v, word))
            return true;
    size_t len = 0;
    for (const char *at = scope->text, *end = at + scope->len; at < end; at += len + 1) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        len = (size_t)((space != NULL ? space : end) - at);
        if (scope->type == JSON_STRING && len == strlen(word) && memcmp(at, word, len) == 0)
            return true;
    }
    return false;
}

/* Return true if aud, a string or an array of strings, contains text. */
static bool audience_contains(const struct json_value *aud, const char *text)
{
    for (const struct json_value *v = aud->first; v != NULL; v = v->next)
        if (text_is(v, text))
            return true;
    return text_is(aud, text);
}

static bool is_set(const char *setting)
{
    return setting != NULL && setting[0] != '\0';
}

/* Check iss and aud; this service makes guest tokens itself, so they are not checked. */
static enum token_reason check_origin(const struct token_keys *keys, enum token_kind kind,
                                      const struct json_value *top)
{
    const struct json_value *aud = json_member(top, "aud"), *iss = json_member(top, "iss");
    if (kind == TOKEN_GUEST)
        return TOKEN_GOOD;
    if (is_set(keys->audience) && aud != NULL && !audience_contains(aud, keys->audience))
        return TOKEN_AUDIENCE;
    if (is_set(keys->issuer) && (iss == NULL || !text_is(iss, keys->issuer)))
        return TOKEN_ISSUER;
    return TOKEN_GOOD;
}

static enum token_reason check_subject(const struct json_value *top, enum token_kind kind,
                                       struct who *who)
{
    const struct json_value *sub = json_member(top, "sub");
    if (sub == NULL || sub->type != JSON_STRING || !user_valid(sub->text, sub->len) ||
        !str_set(who->user, sizeof who->user, sub->text, sub->len) ||
        user_is_guest(who->user) != (kind == TOKEN_GUEST))
        return TOKEN_SUBJECT;
    who->wallet = kind == TOKEN_WALLET;
    return has_wallet_scope(json_member(top, "scope")) == who->wallet ? TOKEN_GOOD : TOKEN_SCOPE;
}

static enum token_reason check_times(const struct json_value *top, int64_t now_s,
                                     int64_t *expires_s)
{
    int64_t not_before_s = INT64_MIN;
    if (!read_time(top, "exp", true, expires_s) || !read_time(top, "nbf", false, &not_before_s))
        return TOKEN_MALFORMED;
    if (now_s > *expires_s + TOKEN_LEEWAY_S)
        return TOKEN_EXPIRED;
    return not_before_s > now_s + TOKEN_LEEWAY_S ? TOKEN_NOT_YET : TOKEN_GOOD;
}

/* ---- payload: what is shown ---- */

/* Set who->name to the cleaned member name, and return true, if something visible is left. */
static bool name_from(const struct json_value *v, struct who *who)
{
    return v != NULL && v->type == JSON_STRING &&
           utf8_clean(who->name, sizeof who->name, v->text, v->len, NAME_MAX_POINTS, NULL) > 0;
}

static void read_name(const struct json_value *top, struct who *who)
{
    if (!name_from(json_member(top, "name"), who) &&
        !name_from(json_member(top, "preferred_username"), who))
        (void)utf8_clean(who->name, sizeof who->name, who->user, strlen(who->user), NAME_MAX_POINTS,
                         NULL);
}

static void read_groups(const struct json_value *top, struct who *who)
{
    const struct json_value *groups = json_member(top, "groups");
    who->n_groups = 0;
    if (groups == NULL)
        return;
    for (const struct json_value *g = groups->first; g != NULL && who->n_groups < GROUPS_MAX;
         g = g->next)
        if (g->type == JSON_STRING && utf8_is_label(g->text, g->len, GROUP_MAX) &&
            str_set(who->groups[who->n_groups], GROUP_SIZE, g->text, g->len))
            who->n_groups++;
}

enum err token_read_payload(const struct token_keys *keys, const char *text, size_t len,
                            int64_t now_s, struct who *who, struct token_verdict *verdict)
{
    static const char *const names[] = {
        "sub", "exp", "nbf", "scope", "aud", "iss", "name", "preferred_username", "groups"};
    enum err err = ERR_OK;
    struct json_doc *doc = json_parse_known(text, len, names, COUNT(names), &err);
    if (doc == NULL)
        return parse_failed(err, &verdict->reason);
    const struct json_value *top = json_top(doc);
    verdict->reason = check_subject(top, verdict->kind, who);
    if (verdict->reason == TOKEN_GOOD)
        verdict->reason = check_origin(keys, verdict->kind, top);
    if (verdict->reason == TOKEN_GOOD)
        verdict->reason = check_times(top, now_s, &verdict->expires_s);
    if (verdict->reason == TOKEN_GOOD) {
        read_name(top, who);
        read_groups(top, who);
    }
    json_free(doc);
    return ERR_OK;
}
