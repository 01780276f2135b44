/* A bump allocator. A block is preceded by its size, so that it can be copied when it grows; the
 * old copy stays. yajl's buffers double, so all copies of one are less than twice the last. */
#include "lib/wire/json_arena.h"
#include <assert.h>
#include <stdalign.h>
#include <string.h>

#define ALIGNMENT alignof(max_align_t)
#define HEADER_BYTES ALIGNMENT
#define STATE_BYTES 2048  /* parser, lexer, and the headers of their buffers */
#define BUFFER_BYTES 2048 /* yajl's smallest buffer */
#define STACK_STEP 128    /* yajl's stack of states grows by this, one byte per level */

size_t json_arena_parser_size(size_t len, size_t depth)
{
    /* two buffers of up to 2 * (len + 1) bytes or the smallest size, each with its smaller copies,
     * and the stack with its copies */
    size_t buffer = 2 * (len + 1) > BUFFER_BYTES ? 2 * (len + 1) : BUFFER_BYTES;
    size_t steps = (depth + 2) / STACK_STEP + 1;
    return STATE_BYTES + 2 * 2 * buffer + steps * (steps + 1) / 2 * (STACK_STEP + HEADER_BYTES) +
           64 * HEADER_BYTES;
}

void *json_arena_malloc(void *ctx, size_t size)
{
    struct json_arena *a = ctx;
    size_t room = HEADER_BYTES + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    assert(size <= (size_t)(a->end - a->at) && room <= (size_t)(a->end - a->at));
    memcpy(a->at, &size, sizeof size);
    char *block = a->at + HEADER_BYTES;
    a->at += room;
    return block;
}

void *json_arena_realloc(void *ctx, void *p, size_t size)
{
    size_t old = 0;
    if (p != NULL)
        memcpy(&old, (char *)p - HEADER_BYTES, sizeof old);
    void *block = json_arena_malloc(ctx, size);
    if (p != NULL)
        memcpy(block, p, old < size ? old : size);
    return block;
}

void json_arena_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}
