/* The cache is not trusted, so a value is either exactly what a writer of this version produces or
 * it is ignored. Errors are collected in one flag, which callers test once at the end. */
#include "lib/wire/value_reader.h"
#include "lib/base/str.h"
#include <string.h>

size_t value_word(struct value_reader *r, const char **word)
{
    const char *space = memchr(r->at, ' ', r->left);
    size_t len = space != NULL ? (size_t)(space - r->at) : r->left;
    size_t used = space != NULL ? len + 1 : len;
    *word = r->at;
    if (len == 0 || (space != NULL && used == r->left))
        r->ok = false;
    r->at += used;
    r->left -= used;
    return len;
}

void value_tag(struct value_reader *r, const char *tag)
{
    const char *word;
    size_t len = value_word(r, &word);
    r->ok = r->ok && len == strlen(tag) && memcmp(word, tag, len) == 0;
}

void value_hex(struct value_reader *r, uint8_t *out, size_t n)
{
    const char *word;
    size_t len = value_word(r, &word);
    r->ok = r->ok && str_from_hex(out, n, word, len);
}

uint64_t value_u64(struct value_reader *r, uint64_t low, uint64_t high)
{
    const char *word;
    uint64_t n = low;
    size_t len = value_word(r, &word);
    r->ok = r->ok && str_to_u64(word, len, &n) && n >= low && n <= high;
    return r->ok ? n : low;
}

int64_t value_i64(struct value_reader *r, int64_t low, int64_t high)
{
    return (int64_t)value_u64(r, (uint64_t)low, (uint64_t)high);
}
