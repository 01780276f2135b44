/* yajl generates the text; this checks what it does not: the nesting, one value at the top, and
 * strict UTF-8. */
#include "lib/base/utf8.h"
#include "lib/wire/json.h"
#include "lib/wire/json_arena.h"
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#define NESTING_MAX 16
#define GENERATOR_BYTES 2048 /* yajl allocates about 700, all at the start */

/* yajl's generator does not detect an array closed as an object, so the nesting is recorded here.
 */
struct json_writer {
    yajl_gen gen;
    struct buf *out;
    size_t depth;
    bool object[NESTING_MAX];
    bool done; /* the one value at the top was written */
    struct json_arena arena;
    alignas(max_align_t) char memory[GENERATOR_BYTES]; /* of the arena */
};

static void print_to_buf(void *ctx, const char *text, size_t len)
{
    buf_append(ctx, text, len);
}

struct json_writer *json_writer_new(struct buf *out)
{
    struct json_writer *w = malloc(sizeof *w);
    if (w == NULL)
        return NULL;
    w->depth = 0;
    w->done = false;
    w->out = out;
    w->arena = (struct json_arena){w->memory, w->memory + sizeof w->memory};
    yajl_alloc_funcs funcs = {json_arena_malloc, json_arena_realloc, json_arena_free, &w->arena};
    w->gen = yajl_gen_alloc(&funcs);
    yajl_gen_config(w->gen, yajl_gen_validate_utf8, 1);
    yajl_gen_config(w->gen, yajl_gen_print_callback, print_to_buf, out);
    return w;
}

void json_writer_free(struct json_writer *w)
{
    if (w == NULL)
        return;
    if (w->depth > 0 || !w->done)
        w->out->failed = true;
    free(w); /* the generator's memory, too */
}

static void writer_check(struct json_writer *w, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        w->out->failed = true;
}

static void writer_text(struct json_writer *w, const char *text)
{
    size_t len = strlen(text);
    /* yajl's own check accepts overlong forms and surrogates */
    if (!utf8_valid(text, len))
        w->out->failed = true;
    else
        writer_check(w, yajl_gen_string(w->gen, (const unsigned char *)text, len));
}

/* Prepare for the next value: write its key. Return false if no value may come here. */
static bool writer_begin(struct json_writer *w, const char *key)
{
    bool in_object = w->depth > 0 && w->object[w->depth - 1];
    if ((key != NULL) != in_object || (w->depth == 0 && w->done))
        w->out->failed = true;
    if (w->out->failed)
        return false;
    if (key != NULL)
        writer_text(w, key);
    w->done = true;
    return !w->out->failed;
}

static void nest_open(struct json_writer *w, const char *key, bool object)
{
    if (!writer_begin(w, key))
        return;
    if (w->depth == NESTING_MAX) {
        w->out->failed = true;
        return;
    }
    w->object[w->depth++] = object;
    writer_check(w, object ? yajl_gen_map_open(w->gen) : yajl_gen_array_open(w->gen));
}

static void nest_close(struct json_writer *w, bool object)
{
    if (w->depth == 0 || w->object[w->depth - 1] != object)
        w->out->failed = true;
    if (w->out->failed)
        return;
    w->depth--;
    writer_check(w, object ? yajl_gen_map_close(w->gen) : yajl_gen_array_close(w->gen));
}

void json_open_object(struct json_writer *w, const char *key)
{
    nest_open(w, key, true);
}

void json_close_object(struct json_writer *w)
{
    nest_close(w, true);
}

void json_open_array(struct json_writer *w, const char *key)
{
    nest_open(w, key, false);
}

void json_close_array(struct json_writer *w)
{
    nest_close(w, false);
}

void json_put_string(struct json_writer *w, const char *key, const char *text)
{
    if (writer_begin(w, key))
        writer_text(w, text);
}

void json_put_int(struct json_writer *w, const char *key, int64_t n)
{
    if (writer_begin(w, key))
        writer_check(w, yajl_gen_integer(w->gen, n));
}

void json_put_bool(struct json_writer *w, const char *key, bool b)
{
    if (writer_begin(w, key))
        writer_check(w, yajl_gen_bool(w->gen, b));
}

void json_put_null(struct json_writer *w, const char *key)
{
    if (writer_begin(w, key))
        writer_check(w, yajl_gen_null(w->gen));
}
