/* A table of fields describes what an object may hold; whatever is not in it is refused. */
#include "lib/wire/api_fields.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/domain/limits.h"
#include <stdio.h>
#include <string.h>

static const char *type_name(enum json_type type)
{
    static const char *const names[] = {"null",     "true or false", "a whole number",
                                        "a string", "an object",     "an array"};
    return names[type];
}

static const struct api_field *field_find(const struct api_field *fields, size_t n,
                                          const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* Write "prefix.name" to out, or name alone if prefix is empty. */
static void full_name(char out[80], const char *prefix, const char *name)
{
    snprintf(out, 80, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", name);
}

enum err api_check_object(const struct json_value *object, const char *prefix,
                          const struct api_field *fields, size_t n, struct problem *p)
{
    char name[80];
    if (object->type != JSON_OBJECT)
        return problem_set(p, ERR_INVALID_REQUEST, prefix, "%s", "a JSON object is expected");
    for (const struct json_value *v = object->first; v != NULL; v = v->next) {
        const struct api_field *field = field_find(fields, n, v->key);
        full_name(name, prefix, v->key);
        if (field == NULL)
            return problem_set(p, ERR_INVALID_REQUEST, name, "%s", "no such member");
        if (field->type != v->type)
            return problem_set(p, ERR_INVALID_REQUEST, name, "%s is expected",
                               type_name(field->type));
    }
    for (size_t i = 0; i < n; i++) {
        full_name(name, prefix, fields[i].name);
        if (fields[i].required && json_member(object, fields[i].name) == NULL)
            return problem_set(p, ERR_INVALID_REQUEST, name, "%s", "this member is required");
    }
    return ERR_OK;
}

struct json_doc *api_parse(const char *body, size_t len, const struct api_field *fields, size_t n,
                           struct problem *p)
{
    char member[64] = "";
    enum err err = ERR_OK;
    struct json_doc *doc = json_parse(body, len, &err, member, sizeof member);
    if (doc == NULL) {
        problem_set(p, err, member, "%s",
                    err == ERR_INVALID_JSON ? "the body is not one well-formed JSON document"
                                            : "duplicate member, or nesting too deep");
        return NULL;
    }
    if (api_check_object(json_top(doc), "", fields, n, p) == ERR_OK)
        return doc;
    json_free(doc);
    return NULL;
}

enum err api_number(const struct json_value *object, const char *name, int64_t low, int64_t high,
                    int64_t *out, struct problem *p)
{
    const struct json_value *v = json_member(object, name);
    int64_t n;
    if (v == NULL)
        return ERR_OK;
    if (!str_to_i64(v->text, v->len, &n))
        return problem_set(p, ERR_INVALID_REQUEST, name, "a whole number from %lld to %lld",
                           (long long)low, (long long)high);
    if (n < low || n > high)
        return problem_set_limit(p, ERR_INVALID_REQUEST, name, n < low ? low : high,
                                 "a whole number from %lld to %lld", (long long)low,
                                 (long long)high);
    *out = n;
    return ERR_OK;
}

enum err api_text(const struct json_value *object, const char *name, size_t points_max, char *out,
                  size_t cap, struct problem *p)
{
    const struct json_value *v = json_member(object, name);
    if (v == NULL)
        return ERR_OK;
    bool cut = false;
    if (utf8_clean(out, cap, v->text, v->len, points_max, &cut) > 0 && !cut)
        return ERR_OK;
    problem_set(p, ERR_INVALID_REQUEST, name, "1 to %zu characters, at least one of them visible",
                points_max);
    p->has_limit = cut;
    p->limit = (int64_t)points_max;
    return ERR_INVALID_REQUEST;
}

enum err api_user(const struct json_value *v, const char *name, char *out, struct problem *p)
{
    if (v->type != JSON_STRING || !user_valid(v->text, v->len) ||
        !str_set(out, USER_SIZE, v->text, v->len))
        return problem_set(p, ERR_INVALID_REQUEST, name,
                           "1 to %d printable ASCII characters without space", USER_MAX);
    return ERR_OK;
}

enum err api_group(const struct json_value *v, const char *name, char *out, struct problem *p)
{
    if (v->type != JSON_STRING || !utf8_is_label(v->text, v->len, GROUP_MAX) ||
        !str_set(out, GROUP_SIZE, v->text, v->len))
        return problem_set(p, ERR_INVALID_REQUEST, name, "1 to %d bytes without control characters",
                           GROUP_MAX);
    return ERR_OK;
}
