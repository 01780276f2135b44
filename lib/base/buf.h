/* A growing byte buffer with a ceiling. Failure is sticky: after the first append that would pass
 * the ceiling or finds no memory, `failed` stays true and further appends do nothing; callers
 * check once at the end. */
#ifndef HONGBAO_BASE_BUF_H
#define HONGBAO_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NUL-terminated after every append; NULL before the first one */
    size_t len; /* bytes, without the NUL */
    size_t cap;
    size_t max; /* ceiling for len */
    bool failed;
};

/* Makes b empty with ceiling max bytes. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
/* Frees the storage; b may be used again after buf_init. */
void buf_free(struct buf *b);
/* Empties b, keeps the storage, clears failed. */
void buf_reset(struct buf *b);
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
/* Appends a decimal number. */
void buf_put_i64(struct buf *b, int64_t n);
void buf_put_u64(struct buf *b, uint64_t n);
/* Appends 2*len lower-case hex digits. */
void buf_put_hex(struct buf *b, const uint8_t *bytes, size_t len);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
