#include "lib/wire/envelope_value.h"
#include "lib/base/str.h"
#include <stdio.h>
#include <string.h>

#define RECORD_VERSION "r1"

void envelope_value_key(char *out, const uint8_t generation[16], const struct id *id)
{
    char id_hex[ID_HEX_SIZE], generation_hex[33];
    str_to_hex(id_hex, id->b, ID_SIZE);
    str_to_hex(generation_hex, generation, 16);
    snprintf(out, ENVELOPE_VALUE_KEY_SIZE, "%s/r/%s", id_hex, generation_hex);
}

static void put_line(struct buf *out, const char *text)
{
    buf_puts(out, text);
    buf_putc(out, '\n');
}

static void put_number(struct buf *out, int64_t n)
{
    buf_put_i64(out, n);
    buf_putc(out, '\n');
}

static void put_bytes(struct buf *out, const uint8_t *bytes, size_t n)
{
    buf_put_hex(out, bytes, n);
    buf_putc(out, '\n');
}

void envelope_value_write(struct buf *out, const uint8_t generation[16], const struct envelope *e)
{
    put_line(out, RECORD_VERSION);
    put_bytes(out, generation, 16);
    put_bytes(out, e->id.b, ID_SIZE);
    put_line(out, e->sender);
    put_line(out, e->sender_name);
    put_number(out, e->mode);
    put_number(out, e->total_fen);
    put_number(out, e->shares);
    put_number(out, e->cap_fen);
    put_line(out, e->greeting);
    put_number(out, e->to_kind);
    put_line(out, e->to);
    put_number(out, e->created_us);
    put_number(out, e->expires_us);
    put_bytes(out, e->seed_hash, sizeof e->seed_hash);
}

/* Reads line by line; ok turns false for good with the first fault. */
struct reader {
    const char *at;
    bool ok;
};

static size_t take_line(struct reader *r, const char **line)
{
    *line = r->at;
    const char *end = strchr(r->at, '\n');
    if (end == NULL) {
        r->ok = false;
        return 0;
    }
    r->at = end + 1;
    return (size_t)(end - *line);
}

static void read_text(struct reader *r, char *out, size_t cap)
{
    const char *line;
    size_t len = take_line(r, &line);
    r->ok = str_set(out, cap, line, len) && r->ok;
}

static int64_t read_number(struct reader *r, int64_t low, int64_t high)
{
    const char *line;
    size_t len = take_line(r, &line);
    int64_t n = low;
    r->ok = str_to_i64(line, len, &n) && n >= low && n <= high && r->ok;
    return r->ok ? n : low;
}

static void read_bytes(struct reader *r, uint8_t *out, size_t n)
{
    const char *line;
    size_t len = take_line(r, &line);
    r->ok = str_from_hex(out, n, line, len) && r->ok;
}

bool envelope_value_read(struct envelope *e, const char *text, const uint8_t generation[16],
                         const struct id *id)
{
    struct reader r = {.at = text, .ok = true};
    char version[sizeof RECORD_VERSION];
    uint8_t seen_generation[16] = {0};
    memset(e, 0, sizeof *e);
    read_text(&r, version, sizeof version);
    read_bytes(&r, seen_generation, sizeof seen_generation);
    read_bytes(&r, e->id.b, ID_SIZE);
    read_text(&r, e->sender, sizeof e->sender);
    read_text(&r, e->sender_name, sizeof e->sender_name);
    e->mode = (enum envelope_mode)read_number(&r, MODE_LUCKY, MODE_EQUAL);
    e->total_fen = read_number(&r, 1, AMOUNT_MAX_FEN);
    e->shares = read_number(&r, 1, SHARES_LIMIT);
    e->cap_fen = read_number(&r, 1, AMOUNT_MAX_FEN);
    read_text(&r, e->greeting, sizeof e->greeting);
    e->to_kind = (enum recipients)read_number(&r, TO_ANYONE, TO_USERS);
    read_text(&r, e->to, sizeof e->to);
    e->created_us = read_number(&r, 0, INT64_MAX);
    e->expires_us = read_number(&r, e->created_us, INT64_MAX);
    read_bytes(&r, e->seed_hash, sizeof e->seed_hash);
    return r.ok && *r.at == '\0' && strcmp(version, RECORD_VERSION) == 0 &&
           memcmp(seen_generation, generation, sizeof seen_generation) == 0 &&
           id_compare(&e->id, id) == 0;
}
