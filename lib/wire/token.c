/* The signature decides which kind of token it is: the members that depend on the kind are checked
 * against the key that signed it, so that no key can make a token of another kind. */
#include "lib/wire/token.h"
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/wire/json.h"
#include <errno.h>
#include <fcntl.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_MAX 8192
#define EXPIRES_MAX_S INT64_C(253402300799) /* the end of the year 9999 */

#define HEX_LEN 64

/* One or two lines and nothing else: an ignored line would be a key that looks valid and is not.
 * The last line may lack its newline. */
static bool read_lines(struct secret_pair *pair, const char *text, size_t len)
{
    while (len > 0) {
        if (pair->n == 2 || len < HEX_LEN || !str_from_hex(pair->key[pair->n], 32, text, HEX_LEN))
            return false;
        pair->n++;
        if (len > HEX_LEN && text[HEX_LEN] != '\n')
            return false;
        size_t used = len > HEX_LEN ? HEX_LEN + 1 : HEX_LEN;
        text += used;
        len -= used;
    }
    return pair->n > 0;
}

/* Read up to size bytes of a file that only its owner and group may access. Return -1 with the
 * reason appended to *message on failure. */
static ssize_t read_private(const char *path, char *text, size_t size, struct buf *message)
{
    struct stat st = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && fstat(fd, &st) == 0;
    bool is_private = known && (st.st_mode & 007) == 0;
    ssize_t len = is_private ? read(fd, text, size) : -1;
    if (known && !is_private)
        buf_printf(message, "%s: readable by others; chmod 0400", path);
    else if (len < 0)
        buf_printf(message, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return len;
}

enum err secret_load(struct secret_pair *pair, const char *path, struct buf *message)
{
    char text[2 * (HEX_LEN + 1) + 1]; /* one byte more than allowed */
    memset(pair, 0, sizeof *pair);
    ssize_t len = read_private(path, text, sizeof text, message);
    if (len < 0)
        return ERR_FAULT;
    bool ok = read_lines(pair, text, (size_t)len);
    bytes_wipe(text, sizeof text);
    if (ok)
        return ERR_OK;
    bytes_wipe(pair, sizeof *pair);
    buf_printf(message, "%s: not one or two lines of 64 hex digits", path);
    return ERR_FAULT;
}

/* Return member name if it is a string, else NULL. */
static const struct json_value *text_member(const struct json_value *members, const char *name)
{
    const struct json_value *v = json_member(members, name);
    return v != NULL && v->type == JSON_STRING ? v : NULL;
}

static bool take_name(const struct json_value *members, struct who *who)
{
    const struct json_value *name = json_member(members, "name");
    if (name == NULL)
        return str_set(who->name, sizeof who->name, who->user,
                       strlen(who->user) < NAME_MAX_POINTS ? strlen(who->user) : NAME_MAX_POINTS);
    return name->type == JSON_STRING && name->len > 0 && utf8_printable(name->text, name->len) &&
           utf8_length(name->text, name->len) <= NAME_MAX_POINTS &&
           str_set(who->name, sizeof who->name, name->text, name->len);
}

static bool take_groups(const struct json_value *members, struct who *who)
{
    const struct json_value *groups = json_member(members, "groups");
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

/* Read member name, a whole number of seconds. Return true if it is valid, or absent and not
 * required.
 */
static bool take_time(const struct json_value *members, const char *name, bool required,
                      int64_t *out)
{
    const struct json_value *v = json_member(members, name);
    if (v == NULL)
        return !required;
    return v->type == JSON_NUMBER && str_to_i64(v->text, v->len, out) && *out <= EXPIRES_MAX_S;
}

/* Return true if the members fit the kind of the key that signed the token. */
static bool kind_agrees(enum token_kind kind, const struct json_value *members,
                        const struct who *who)
{
    const struct json_value *scope = text_member(members, "scope");
    bool wallet = scope != NULL && strcmp(scope->text, "wallet") == 0;
    return wallet == (kind == TOKEN_WALLET) && user_is_guest(who->user) == (kind == TOKEN_GUEST);
}

static enum err read_members(const struct json_value *members, enum token_kind kind, int64_t now_s,
                             struct who *who, int64_t *expires_s)
{
    int64_t not_before_s = 0;
    const struct json_value *sub = text_member(members, "sub");
    if (members->type != JSON_OBJECT || sub == NULL || !user_valid(sub->text, sub->len) ||
        !str_set(who->user, sizeof who->user, sub->text, sub->len))
        return ERR_UNAUTHORIZED;
    who->wallet = kind == TOKEN_WALLET;
    if (!kind_agrees(kind, members, who) || !take_name(members, who) ||
        !take_groups(members, who) || !take_time(members, "exp", true, expires_s) ||
        !take_time(members, "nbf", false, &not_before_s))
        return ERR_UNAUTHORIZED;
    if (now_s > *expires_s + TOKEN_LEEWAY_S)
        return ERR_TOKEN_EXPIRED;
    return not_before_s > now_s + TOKEN_LEEWAY_S ? ERR_UNAUTHORIZED : ERR_OK;
}

/* Return the members that this service knows as one JSON object, to be freed, or NULL if there is
 * no memory. Others are ignored, whatever they hold. */
static char *known_members(jwt_t *jwt)
{
    static const char *const names[] = {"sub", "exp", "nbf", "name", "groups", "scope"};
    struct buf out;
    buf_init(&out, 2 * (size_t)TOKEN_MAX);
    buf_putc(&out, '{');
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        errno = 0;
        char *value = jwt_get_grants_json(jwt, names[i]);
        if (value != NULL)
            buf_printf(&out, "%s\"%s\":%s", out.len > 1 ? "," : "", names[i], value);
        else if (errno != EINVAL && errno != ENOENT) /* absent: depends on libjwt's version */
            out.failed = true;
        free(value);
    }
    buf_putc(&out, '}');
    if (!out.failed)
        return out.data;
    buf_free(&out);
    return NULL;
}

/* Return the members as JSON text, to be freed, if key signed the token, else NULL. */
static char *signed_members(const char *token, const uint8_t key[32])
{
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, token, key, 32) != 0)
        return NULL;
    char *json = jwt_get_alg(jwt) == JWT_ALG_HS256 ? known_members(jwt) : NULL;
    jwt_free(jwt);
    return json;
}

static char *find_signer(const struct token_keys *keys, const char *token, enum token_kind *kind)
{
    for (int k = 0; k < TOKEN_KINDS; k++)
        for (size_t i = 0; i < keys->kind[k].n; i++) {
            char *json = signed_members(token, keys->kind[k].key[i]);
            *kind = (enum token_kind)k;
            if (json != NULL)
                return json;
        }
    return NULL;
}

/* libjwt parses the payload leniently (duplicates) and writes each member again for us; that text
 * is then checked strictly. */
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
    err = read_members(json_top(doc), kind, now_s, who, expires_s);
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
