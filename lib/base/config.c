#include "lib/base/config.h"
#include "lib/base/config_table.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS_MAX 128

/* A number may be negative, which str_to_i64 does not know. */
static bool parse_number(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    if (!str_to_i64(text + negative, strlen(text) - negative, out))
        return false;
    *out = negative ? -*out : *out;
    return true;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        *out = i % 2 == 1;
        return true;
    }
    return false;
}

/* Stores value as s demands. False: it does not parse or lies outside the range. */
static bool set(struct config *c, const struct setting *s, const char *value)
{
    void *field = (char *)c + s->offset;
    int64_t n;
    switch (s->type) {
    case SETTING_NUMBER:
        if (!parse_number(value, &n) || n < s->low || n > s->high)
            return false;
        memcpy(field, &n, sizeof n);
        return true;
    case SETTING_BOOL:
        return parse_bool(value, field);
    case SETTING_TEXT:
    default:
        return utf8_valid(value, strlen(value)) && str_set(field, s->size, value, strlen(value));
    }
}

void config_defaults(struct config *c)
{
    memset(c, 0, sizeof *c);
    assert(config_table_n <= SETTINGS_MAX);
    for (size_t i = 0; i < config_table_n; i++) {
        bool ok = set(c, &config_table[i], config_table[i].value);
        assert(ok);
        (void)ok;
    }
}

struct loading {
    struct config *config;
    struct buf *message;
    const char *path;
    bool seen[SETTINGS_MAX];
};

static void describe(struct buf *out, const struct setting *s)
{
    if (s->type == SETTING_NUMBER)
        buf_printf(out, "%" PRId64 "..%" PRId64 "%s%s", s->low, s->high,
                   s->unit[0] == '\0' ? "" : " ", s->unit);
    else if (s->type == SETTING_BOOL)
        buf_puts(out, "yes or no");
    else
        buf_printf(out, "text of at most %zu bytes", s->size - 1);
}

/* libinih's handler: 1 goes on, 0 is an error. Only the first error is described. */
static int take(void *user, const char *section, const char *name, const char *value)
{
    struct loading *l = user;
    for (size_t i = 0; i < config_table_n; i++) {
        const struct setting *s = &config_table[i];
        if (strcmp(s->section, section) != 0 || strcmp(s->name, name) != 0)
            continue;
        if (!l->seen[i] && set(l->config, s, value)) {
            l->seen[i] = true;
            return 1;
        }
        if (l->message->len == 0) {
            buf_printf(l->message, "[%s] %s: %s; ", section, name,
                       l->seen[i] ? "set twice" : "bad value");
            describe(l->message, s);
        }
        return 0;
    }
    if (l->message->len == 0)
        buf_printf(l->message, "[%s] %s: no such setting", section, name);
    return 0;
}

/* Rules between settings. */
static bool agree(const struct config *c, struct buf *message)
{
    if (c->expires_min_s <= c->expires_default_s && c->expires_default_s <= c->expires_max_s)
        return true;
    buf_puts(message, "[limits] expires_min, expires_default, expires_max: not in this order");
    return false;
}

enum err config_load(struct config *c, const char *path, struct buf *message)
{
    struct loading l = {.config = c, .message = message, .path = path};
    config_defaults(c);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        buf_printf(message, "%s: %s", path, strerror(errno));
        return ERR_INVALID_REQUEST;
    }
    int line = ini_parse_file(file, take, &l);
    fclose(file);
    if (line != 0) {
        if (message->len == 0)
            buf_puts(message, "not a setting");
        buf_printf(message, " (%s, line %d)", path, line);
        return ERR_INVALID_REQUEST;
    }
    if (agree(c, message))
        return ERR_OK;
    buf_printf(message, " (%s)", path);
    return ERR_INVALID_REQUEST;
}

void config_print_example(struct buf *out)
{
    const char *section = "";
    buf_puts(out,
             "# hongbao.conf: all settings and their defaults. To change one, remove the # and\n"
             "# edit the value. 1 fen is 1/100 of the currency unit. See hongbao.conf(5).\n");
    for (size_t i = 0; i < config_table_n; i++) {
        const struct setting *s = &config_table[i];
        if (strcmp(section, s->section) != 0)
            buf_printf(out, "\n[%s]\n", s->section);
        section = s->section;
        buf_printf(out, "\n# %s (", s->help);
        describe(out, s);
        buf_printf(out, ")\n#%s = %s\n", s->name, s->value);
    }
}
