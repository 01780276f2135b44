/* yajl is an event parser; this builds a flat tree of its events in one allocation, whose size
 * follows from the length of the text, and refuses what yajl accepts but this service does not. */
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/wire/json.h"
#include "lib/wire/json_arena.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define DEPTH_MAX 4
#define TEXT_MAX_BYTES ((size_t)1 << 24) /* far above every limit of a body or token */

/* One allocation: the document, its values, and the bytes of their texts. */
struct json_doc {
    size_t n_nodes, max_nodes;
    char *text; /* next free byte */
    char *text_end;
    struct json_value nodes[];
};

struct json_reader {
    struct json_doc *doc;
    struct json_value *open[DEPTH_MAX]; /* the enclosing objects and arrays */
    struct json_value *last[DEPTH_MAX]; /* the last child of each */
    size_t depth;
    const char *key; /* of the next value */
    enum err error;  /* why a callback stopped the parser */
    char *member;
    size_t member_cap;
    /* json_parse_known only */
    const char *const *names; /* NULL: every member is known */
    size_t n_names;
    size_t skipping; /* nested values of an ignored one that are open */
    bool skip_next;  /* the value of an unknown member follows */
};

static int reader_refuse(struct json_reader *r, enum err error, const char *member)
{
    r->error = error;
    if (member != NULL && r->member_cap > 0 &&
        !str_set(r->member, r->member_cap, member, strlen(member)))
        r->member[0] = '\0';
    return 0;
}

/* Copy text[0..len) and a NUL into the document. The room suffices, because in the input every text
 * has quotes or a delimiter. */
static const char *reader_copy(struct json_reader *r, const char *text, size_t len)
{
    struct json_doc *d = r->doc;
    bool has_nul = memchr(text, '\0', len) != NULL;
    if ((has_nul && r->names == NULL) || !utf8_valid(text, len)) {
        reader_refuse(r, ERR_INVALID_JSON, NULL);
        return NULL;
    }
    if ((size_t)(d->text_end - d->text) < len + 1) {
        reader_refuse(r, ERR_FAULT, NULL);
        return NULL;
    }
    char *copy = d->text;
    memcpy(copy, text, len);
    copy[len] = '\0';
    d->text += len + 1;
    return copy;
}

static struct json_value *reader_add(struct json_reader *r, enum json_type type, const char *text,
                                     size_t len)
{
    struct json_doc *d = r->doc;
    if (d->n_nodes == d->max_nodes) {
        reader_refuse(r, ERR_INVALID_REQUEST, NULL);
        return NULL;
    }
    struct json_value *v = &d->nodes[d->n_nodes++];
    *v = (struct json_value){.type = type, .key = r->key, .text = text, .len = len};
    r->key = NULL;
    if (r->depth > 0) {
        struct json_value **last = &r->last[r->depth - 1];
        if (*last == NULL)
            r->open[r->depth - 1]->first = v;
        else
            (*last)->next = v;
        *last = v;
        r->open[r->depth - 1]->count++;
    }
    return v;
}

/* Return true if the value that begins is ignored, as a whole or as part of another. */
static bool reader_skips(struct json_reader *r)
{
    bool skips = r->skip_next || r->skipping > 0;
    r->skip_next = false;
    return skips;
}

static int on_null(void *ctx)
{
    if (reader_skips(ctx))
        return 1;
    return reader_add(ctx, JSON_NULL, "null", 4) != NULL;
}

static int on_boolean(void *ctx, int value)
{
    if (reader_skips(ctx))
        return 1;
    return reader_add(ctx, JSON_BOOL, value ? "true" : "false", value ? 4 : 5) != NULL;
}

static int on_text(struct json_reader *r, enum json_type type, const char *text, size_t len)
{
    if (reader_skips(r))
        return 1;
    const char *copy = reader_copy(r, text, len);
    return copy != NULL && reader_add(r, type, copy, len) != NULL;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    return on_text(ctx, JSON_NUMBER, text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    return on_text(ctx, JSON_STRING, (const char *)text, len);
}

static bool reader_knows(const struct json_reader *r, const char *name, size_t len)
{
    for (size_t i = 0; i < r->n_names; i++)
        if (strlen(r->names[i]) == len && memcmp(r->names[i], name, len) == 0)
            return true;
    return r->names == NULL;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct json_reader *r = ctx;
    if (r->skipping > 0)
        return 1;
    r->skip_next = !reader_knows(r, (const char *)text, len);
    if (r->skip_next)
        return 1;
    r->key = reader_copy(r, (const char *)text, len);
    if (r->key == NULL)
        return 0;
    if (json_member(r->open[r->depth - 1], r->key) != NULL)
        return reader_refuse(r, ERR_INVALID_REQUEST, r->key);
    return 1;
}

/* The depth at which json_parse_known keeps values but not what is in them: the top object, a
 * member, and the elements of an array. */
#define KNOWN_DEPTH 2

static int on_open(struct json_reader *r, enum json_type type)
{
    if (reader_skips(r)) {
        r->skipping++;
        return 1;
    }
    if (r->names != NULL && (r->depth == KNOWN_DEPTH || (r->depth == 1 && type == JSON_OBJECT))) {
        r->skipping = 1;
        return reader_add(r, type, "", 0) != NULL;
    }
    if (r->depth == DEPTH_MAX)
        return reader_refuse(r, ERR_INVALID_REQUEST, r->key);
    struct json_value *v = reader_add(r, type, "", 0);
    if (v == NULL)
        return 0;
    r->open[r->depth] = v;
    r->last[r->depth] = NULL;
    r->depth++;
    return 1;
}

static int on_object(void *ctx)
{
    return on_open(ctx, JSON_OBJECT);
}

static int on_array(void *ctx)
{
    return on_open(ctx, JSON_ARRAY);
}

static int on_close(void *ctx)
{
    struct json_reader *r = ctx;
    if (r->skipping > 0)
        r->skipping--;
    else
        r->depth--;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_array,
    .yajl_end_array = on_close,
};

/* Return the 16 bits of \uXXXX at text, or -1 if there is none. */
static int escaped_unit(const char *text, const char *end)
{
    uint8_t b[2];
    if (end - text < 6 || text[0] != '\\' || text[1] != 'u' || !str_from_hex(b, 2, text + 2, 4))
        return -1;
    return b[0] << 8 | b[1];
}

/* yajl replaces a lone surrogate by '?', so search for them before it runs. A backslash outside a
 * string is not JSON, so it does not matter where strings begin. */
static bool surrogates_paired(const char *text, size_t len)
{
    const char *end = text + len;
    for (const char *at = text; (at = memchr(at, '\\', (size_t)(end - at))) != NULL;) {
        int unit = escaped_unit(at, end);
        if (unit >= 0xD800 && unit <= 0xDBFF) {
            int low = escaped_unit(at + 6, end);
            if (low < 0xDC00 || low > 0xDFFF)
                return false;
            at += 12;
            continue;
        }
        if (unit >= 0xDC00 && unit <= 0xDFFF)
            return false;
        if (end - at < 2)
            return true; /* yajl refuses it */
        at += unit < 0 ? 2 : 6;
    }
    return true;
}

/* Every value but the first follows a comma, colon or bracket, so len / 2 + 1 nodes suffice. */
static struct json_doc *doc_new(size_t len, size_t nodes_max)
{
    size_t nodes = len / 2 + 1 < nodes_max ? len / 2 + 1 : nodes_max;
    size_t room = len + 2;
    if (len > TEXT_MAX_BYTES)
        return NULL;
    struct json_doc *d = malloc(sizeof *d + nodes * sizeof d->nodes[0] + room);
    if (d == NULL)
        return NULL;
    d->n_nodes = 0;
    d->max_nodes = nodes;
    d->text = (char *)&d->nodes[nodes];
    d->text_end = d->text + room;
    return d;
}

/* Run yajl in memory[0..size), which suffices. */
static enum err reader_run(struct json_reader *r, const char *text, size_t len, char *memory,
                           size_t size)
{
    struct json_arena arena = {memory, memory + size};
    yajl_alloc_funcs funcs = {json_arena_malloc, json_arena_realloc, json_arena_free, &arena};
    yajl_handle parser = yajl_alloc(&callbacks, &funcs, r);
    yajl_status status = yajl_parse(parser, (const unsigned char *)text, len);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(parser);
    if (status == yajl_status_ok && r->doc->n_nodes > 0)
        return ERR_OK;
    return r->error != ERR_OK ? r->error : ERR_INVALID_JSON;
}

/* Parse text[0..len), which is UTF-8, into r->doc. Return the document, or NULL with *error. */
static struct json_doc *reader_parse(struct json_reader *r, const char *text, size_t len,
                                     enum err *error)
{
    bool known = r->names != NULL;
    r->doc = doc_new(len, known ? SIZE_MAX : JSON_NODES_MAX);
    size_t size = json_arena_parser_size(len, known ? len : DEPTH_MAX);
    char *memory = r->doc != NULL ? malloc(size) : NULL;
    *error = memory != NULL ? reader_run(r, text, len, memory, size) : ERR_FAULT;
    free(memory);
    if (*error == ERR_OK)
        return r->doc;
    json_free(r->doc);
    return NULL;
}

struct json_doc *json_parse(const char *text, size_t len, enum err *error, char *member,
                            size_t member_cap)
{
    struct json_reader r = {.member = member, .member_cap = member_cap};
    member[0] = '\0';
    *error = ERR_INVALID_JSON;
    if (len == 0 || !utf8_valid(text, len) || !surrogates_paired(text, len))
        return NULL;
    return reader_parse(&r, text, len, error);
}

struct json_doc *json_parse_known(const char *text, size_t len, const char *const *names, size_t n,
                                  enum err *error)
{
    struct json_reader r = {.names = names, .n_names = n};
    *error = ERR_INVALID_JSON;
    if (len == 0 || !utf8_valid(text, len))
        return NULL;
    struct json_doc *doc = reader_parse(&r, text, len, error);
    if (doc == NULL || json_top(doc)->type == JSON_OBJECT)
        return doc;
    json_free(doc);
    *error = ERR_INVALID_JSON;
    return NULL;
}

const struct json_value *json_top(const struct json_doc *doc)
{
    return &doc->nodes[0];
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
    if (object->type != JSON_OBJECT)
        return NULL;
    for (const struct json_value *v = object->first; v != NULL; v = v->next)
        if (strcmp(v->key, name) == 0)
            return v;
    return NULL;
}

void json_free(struct json_doc *doc)
{
    free(doc);
}
