/* Memory for yajl, which does not check its allocations: one block whose size suffices, allocated
 * before yajl runs. Not thread-safe; one arena serves one parser or generator. */
#ifndef HONGBAO_WIRE_JSON_ARENA_H
#define HONGBAO_WIRE_JSON_ARENA_H

#include <stddef.h>

struct json_arena {
    char *at, *end; /* the free bytes; aligned for any type */
};

/* Return the bytes that a yajl parser needs at most to parse a text of len bytes, whose values are
 * nested at most depth deep. */
size_t json_arena_parser_size(size_t len, size_t depth);
/* Allocate size bytes from the arena ctx, a struct json_arena. Asserts that they fit. */
void *json_arena_malloc(void *ctx, size_t size);
/* Return a block of size bytes of the arena ctx with the contents of p, which may be NULL. */
void *json_arena_realloc(void *ctx, void *p, size_t size);
/* Do nothing: the memory of ctx is released as a whole. p is ignored. */
void json_arena_free(void *ctx, void *p);

#endif
