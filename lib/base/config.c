/* The file is checked against the table strictly: an unknown or repeated setting is an error,
 * because a misspelt one would silently keep its default. */
#include "lib/base/config.h"
#include "lib/base/config_table.h"
#include "lib/base/server_list.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS_MAX 128
#define LINE_SIZE 1024 /* of a line with its newline and NUL */
#define EXAMPLE_WIDTH 100

/* Parse a number that may be negative, which str_to_i64 does not accept. */
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

/* Store value in the field of s. Return false if it does not parse or is outside the range. */
static bool setting_store(struct config *c, const struct setting *s, const char *value)
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
        bool ok = setting_store(c, &config_table[i], config_table[i].value);
        assert(ok);
        (void)ok;
    }
}

struct loading {
    struct config *config;
    struct buf *message;
    FILE *file;
    int lines; /* read so far */
    bool seen[SETTINGS_MAX];
};

static void setting_describe(struct buf *out, const struct setting *s)
{
    if (s->type == SETTING_NUMBER)
        buf_printf(out, "%" PRId64 "..%" PRId64 "%s%s", s->low, s->high,
                   s->unit[0] == '\0' ? "" : " ", s->unit);
    else if (s->type == SETTING_BOOL)
        buf_puts(out, "yes or no");
    else
        buf_printf(out, "text of at most %zu bytes", s->size - 1);
}

/* Handler of libinih: return 1 to continue, 0 for an error. Only the first error is described. */
static int setting_take(void *user, const char *section, const char *name, const char *value)
{
    struct loading *l = user;
    for (size_t i = 0; i < config_table_n; i++) {
        const struct setting *s = &config_table[i];
        if (strcmp(s->section, section) != 0 || strcmp(s->name, name) != 0)
            continue;
        if (!l->seen[i] && setting_store(l->config, s, value)) {
            l->seen[i] = true;
            return 1;
        }
        if (l->message->len == 0) {
            buf_printf(l->message, "[%s] %s: %s; ", section, name,
                       l->seen[i] ? "set twice" : "bad value");
            setting_describe(l->message, s);
        }
        return 0;
    }
    if (l->message->len == 0)
        buf_printf(l->message, "[%s] %s: no such setting", section, name);
    return 0;
}

/* Reader of libinih, which would take the rest of a line that does not fit for another line. Skip
 * the rest of a comment; end the file at a setting that is too long. */
static char *line_read(char *line, int size, void *user)
{
    struct loading *l = user;
    if (fgets(line, size, l->file) == NULL)
        return NULL;
    l->lines++;
    size_t n = strlen(line);
    if (n + 1 < (size_t)size || line[n - 1] == '\n')
        return line;
    int c = fgetc(l->file);
    if (c != EOF && line[0] != '#' && line[0] != ';') {
        buf_printf(l->message, "more than %d bytes", size - 2);
        return NULL;
    }
    while (c != EOF && c != '\n')
        c = fgetc(l->file);
    return line;
}

/* Read the settings of l->file. Return ERR_INVALID_REQUEST for one that is not valid. */
static enum err settings_read(struct loading *l, const char *path)
{
#ifdef HAVE_INI_MAX_LINE
    ini_max_line = LINE_SIZE;
#endif
    int line = ini_parse_stream(line_read, l, setting_take, l);
    if (line == 0 && l->message->len == 0)
        return ERR_OK;
    if (l->message->len == 0)
        buf_puts(l->message, "not a setting");
    buf_printf(l->message, " (%s, line %d)", path, line != 0 ? line : l->lines);
    return ERR_INVALID_REQUEST;
}

/* Check the rules between settings. */
static bool settings_agree(const struct config *c, struct buf *message)
{
    const char *address = c->site_address;
    struct server_list servers;
    unsigned port = (unsigned)c->db_port;
    if (!server_list_init(&servers, c->db_servers, port) ||
        (c->db_replicas[0] != '\0' && !server_list_init(&servers, c->db_replicas, port))) {
        buf_printf(message,
                   "[database] servers, replicas: 1 to %d sockets, or hosts with or without a port",
                   SERVER_LIST_MAX);
        return false;
    }
    if (c->expires_min_s > c->expires_default_s || c->expires_default_s > c->expires_max_s) {
        buf_puts(message, "[limits] expires_min, expires_default, expires_max: not in this order");
        return false;
    }
    if (address[0] == '\0')
        return true;
    bool is_http = strncmp(address, "http://", 7) == 0 || strncmp(address, "https://", 8) == 0;
    if (is_http && address[strlen(address) - 1] == '/')
        return true;
    buf_puts(message, "[site] address: begins with http:// or https:// and ends with /");
    return false;
}

/* A list of one is what most have. */
static void place_servers(struct config *c)
{
    if (c->db_replicas[0] == '\0')
        snprintf(c->db_replicas, sizeof c->db_replicas, "%s", c->db_replica_socket);
    bool ipv6 = strchr(c->db_host, ':') != NULL;
    if (c->db_servers[0] == '\0' && c->db_socket[0] != '\0')
        snprintf(c->db_servers, sizeof c->db_servers, "%s", c->db_socket);
    else if (c->db_servers[0] == '\0')
        snprintf(c->db_servers, sizeof c->db_servers, ipv6 ? "[%s]:%lld" : "%s:%lld", c->db_host,
                 (long long)c->db_port);
}

/* A configuration of a version without archives has its secrets where it wants them. */
static void place_archive_key(struct config *c)
{
    const char *slash = strrchr(c->token_file, '/');
    int folder = slash != NULL ? (int)(slash - c->token_file) + 1 : 0;
    if (c->archive_key_file[0] == '\0')
        snprintf(c->archive_key_file, sizeof c->archive_key_file, "%.*sarchive.key", folder,
                 c->token_file);
}

enum err config_load(struct config *c, const char *path, struct buf *message)
{
    config_defaults(c);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        buf_printf(message, "%s: %s", path, strerror(errno));
        return ERR_INVALID_REQUEST;
    }
    struct loading l = {.config = c, .message = message, .file = file};
    enum err err = settings_read(&l, path);
    fclose(file);
    place_archive_key(c);
    place_servers(c);
    if (err != ERR_OK || settings_agree(c, message))
        return err;
    buf_printf(message, " (%s)", path);
    return ERR_INVALID_REQUEST;
}

/* Append text as a comment, broken at spaces into lines of at most EXAMPLE_WIDTH bytes. */
static void comment_print(struct buf *out, const char *text)
{
    while (strlen(text) > EXAMPLE_WIDTH - 2) {
        size_t n = EXAMPLE_WIDTH - 2;
        while (n > 1 && text[n] != ' ')
            n--;
        buf_printf(out, "# %.*s\n", (int)n, text);
        text += n + 1;
    }
    buf_printf(out, "# %s\n", text);
}

void config_print_example(struct buf *out)
{
    const char *section = "";
    struct buf comment;
    buf_init(&comment, LINE_SIZE);
    buf_puts(out,
             "# hongbao.conf: all settings and their defaults. To change one, remove the # and\n"
             "# edit the value. 1 fen is 1/100 of the currency unit. See hongbao.conf(5).\n");
    for (size_t i = 0; i < config_table_n; i++) {
        const struct setting *s = &config_table[i];
        if (strcmp(section, s->section) != 0)
            buf_printf(out, "\n[%s]\n", s->section);
        section = s->section;
        buf_reset(&comment);
        buf_printf(&comment, "%s (", s->help);
        setting_describe(&comment, s);
        buf_puts(&comment, ")");
        buf_puts(out, "\n");
        comment_print(out, comment.data);
        buf_printf(out, "#%s = %s\n", s->name, s->value);
    }
    buf_free(&comment);
}

/* FNV-1a */
static uint64_t hash_more(uint64_t hash, const void *bytes, size_t n)
{
    for (const unsigned char *at = bytes; n > 0; at++, n--)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t config_hash(const struct config *c)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < config_table_n; i++) {
        const struct setting *s = &config_table[i];
        const char *at = (const char *)c + s->offset;
        size_t size = s->type == SETTING_NUMBER ? sizeof(int64_t)
                      : s->type == SETTING_BOOL ? sizeof(bool)
                                                : strlen(at) + 1;
        hash = hash_more(hash, at, size);
    }
    return hash;
}
