#include "lib/wire/token.h"
#include "lib/base/rng.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/wire/json.h"
#include <errno.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TOKEN_MAX 8192
#define LEEWAY_S 30
#define EXPIRES_MAX_S INT64_C(253402300799) /* the end of the year 9999 */

static bool read_line(FILE *file, struct secret_pair *pair)
{
    char line[80];
    if (fgets(line, sizeof line, file) == NULL)
        return false;
    size_t len = strcspn(line, "\r\n");
    bool ok = str_from_hex(pair->key[pair->n], 32, line, len);
    bytes_wipe(line, sizeof line);
    pair->n += ok;
    return ok;
}

enum err secret_load(struct secret_pair *pair, const char *path, struct buf *message)
{
    struct stat st;
    memset(pair, 0, sizeof *pair);
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &st) != 0) {
        buf_printf(message, "%s: %s", path, strerror(errno));
        if (file != NULL)
            fclose(file);
        return ERR_FAULT;
    }
    while (pair->n < 2 && read_line(file, pair))
        ;
    fclose(file);
    if (pair->n == 0)
        buf_printf(message, "%s: not one or two lines of 64 hex digits", path);
    else if ((st.st_mode & 007) != 0)
        buf_printf(message, "%s: readable by others; chmod 0400", path);
    else
        return ERR_OK;
    return ERR_FAULT;
}

/* A member that must be text, or NULL. */
static const struct json_value *text_member(const struct json_value *claims, const char *name)
{
    const struct json_value *v = json_member(claims, name);
    return v != NULL && v->type == JSON_STRING ? v : NULL;
}

static bool take_name(const struct json_value *claims, struct who *who)
{
    const struct json_value *name = json_member(claims, "name");
    if (name == NULL)
        return str_set(who->name, sizeof who->name, who->user,
                       strlen(who->user) < NAME_MAX_POINTS ? strlen(who->user) : NAME_MAX_POINTS);
    return name->type == JSON_STRING && name->len > 0 && utf8_printable(name->text, name->len) &&
           utf8_length(name->text, name->len) <= NAME_MAX_POINTS &&
           str_set(who->name, sizeof who->name, name->text, name->len);
}

static bool take_groups(const struct json_value *claims, struct who *who)
{
    const struct json_value *groups = json_member(claims, "groups");
    who->n_groups = 0;
    if (groups == NULL)
        return true;
    if (groups->type != JSON_ARRAY || groups->count > GROUPS_MAX)
        return false;
    for (const struct json_value *g = groups->first; g != NULL; g = g->next)
        if (g->type != JSON_STRING || !user_valid(g->text, g->len) ||
            !str_set(who->groups[who->n_groups++], USER_SIZE, g->text, g->len))
            return false;
    return true;
}

/* A whole number of seconds; true if it is absent and may be. */
static bool take_time(const struct json_value *claims, const char *name, bool required,
                      int64_t *out)
{
    const struct json_value *v = json_member(claims, name);
    if (v == NULL)
        return !required;
    return v->type == JSON_NUMBER && str_to_i64(v->text, v->len, out) && *out <= EXPIRES_MAX_S;
}

/* The key that signed decides what may be claimed: nobody's key makes another kind. */
static bool kind_agrees(enum token_kind kind, const struct json_value *claims,
                        const struct who *who)
{
    const struct json_value *scope = text_member(claims, "scope");
    bool wallet = scope != NULL && strcmp(scope->text, "wallet") == 0;
    return wallet == (kind == TOKEN_WALLET) && user_is_guest(who->user) == (kind == TOKEN_GUEST);
}

static enum err read_claims(const struct json_value *claims, enum token_kind kind, int64_t now_s,
                            struct who *who, int64_t *expires_s)
{
    int64_t not_before_s = 0;
    const struct json_value *sub = text_member(claims, "sub");
    if (claims->type != JSON_OBJECT || sub == NULL || !user_valid(sub->text, sub->len) ||
        !str_set(who->user, sizeof who->user, sub->text, sub->len))
        return ERR_UNAUTHORIZED;
    who->wallet = kind == TOKEN_WALLET;
    if (!kind_agrees(kind, claims, who) || !take_name(claims, who) || !take_groups(claims, who) ||
        !take_time(claims, "exp", true, expires_s) ||
        !take_time(claims, "nbf", false, &not_before_s))
        return ERR_UNAUTHORIZED;
    if (now_s > *expires_s + LEEWAY_S)
        return ERR_TOKEN_EXPIRED;
    return not_before_s > now_s + LEEWAY_S ? ERR_UNAUTHORIZED : ERR_OK;
}

/* The claims as JSON text if key signed the token, else NULL. To be freed. */
static char *signed_claims(const char *token, const uint8_t key[32])
{
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, token, key, 32) != 0)
        return NULL;
    char *json = jwt_get_alg(jwt) == JWT_ALG_HS256 ? jwt_get_grants_json(jwt, NULL) : NULL;
    jwt_free(jwt);
    return json;
}

static char *find_signer(const struct token_keys *keys, const char *token, enum token_kind *kind)
{
    for (int k = 0; k < TOKEN_KINDS; k++)
        for (size_t i = 0; i < keys->kind[k].n; i++) {
            char *json = signed_claims(token, keys->kind[k].key[i]);
            *kind = (enum token_kind)k;
            if (json != NULL)
                return json;
        }
    return NULL;
}

/* libjwt reads the payload leniently (duplicates, deep nesting), and writes it anew for us: what
 * its own reader made of it is what counts, and our reader checks that strictly. */
enum err token_verify(const struct token_keys *keys, const char *text, size_t len, int64_t now_s,
                      struct who *who, int64_t *expires_s)
{
    char token[TOKEN_MAX + 1], member[64];
    enum token_kind kind;
    enum err err = ERR_UNAUTHORIZED;
    if (!str_set(token, sizeof token, text, len))
        return ERR_UNAUTHORIZED;
    char *json = find_signer(keys, token, &kind);
    if (json == NULL)
        return ERR_UNAUTHORIZED;
    struct json_doc *doc = json_parse(json, strlen(json), &err, member, sizeof member);
    free(json);
    if (doc == NULL)
        return err == ERR_FAULT ? ERR_FAULT : ERR_UNAUTHORIZED;
    err = read_claims(json_top(doc), kind, now_s, who, expires_s);
    json_free(doc);
    return err;
}

static bool add_groups(jwt_t *jwt, const struct who *who)
{
    struct buf json;
    if (who->n_groups == 0)
        return true;
    buf_init(&json, TOKEN_MAX);
    buf_puts(&json, "{\"groups\":[");
    for (size_t i = 0; i < who->n_groups; i++) /* their characters need no escape */
        buf_printf(&json, "%s\"%s\"", i == 0 ? "" : ",", who->groups[i]);
    buf_puts(&json, "]}");
    bool ok = !json.failed && jwt_add_grants_json(jwt, json.data) == 0;
    buf_free(&json);
    return ok;
}

enum err token_make(const struct token_keys *keys, enum token_kind kind, const struct who *who,
                    int64_t now_s, int64_t ttl_s, struct buf *out)
{
    jwt_t *jwt = NULL;
    char *text = NULL;
    if (jwt_new(&jwt) != 0)
        return ERR_FAULT;
    bool ok = jwt_set_alg(jwt, JWT_ALG_HS256, keys->kind[kind].key[0], 32) == 0 &&
              jwt_add_grant(jwt, "sub", who->user) == 0 &&
              (who->name[0] == '\0' || jwt_add_grant(jwt, "name", who->name) == 0) &&
              (kind != TOKEN_WALLET || jwt_add_grant(jwt, "scope", "wallet") == 0) &&
              jwt_add_grant_int(jwt, "iat", now_s) == 0 &&
              jwt_add_grant_int(jwt, "exp", now_s + ttl_s) == 0 && add_groups(jwt, who) &&
              (text = jwt_encode_str(jwt)) != NULL;
    if (ok)
        buf_puts(out, text);
    free(text);
    jwt_free(jwt);
    return ok && !out->failed ? ERR_OK : ERR_FAULT;
}
