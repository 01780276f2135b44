/* Growing byte buffer with a ceiling. Failure is sticky: after the first append that would exceed
 * the ceiling or finds no memory, `failed` stays true and later appends do nothing, so callers
 * check once at the end. A buffer is used by one thread at a time. */
#ifndef HONGBAO_BASE_BUF_H
#define HONGBAO_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NUL-terminated after every append; NULL before the first one */
    size_t len; /* bytes, without the NUL */
    size_t cap; /* bytes allocated */
    size_t max; /* ceiling for len */
    bool failed;
};

/* Initialize b as an empty buffer that holds at most max bytes. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
/* Free the storage of b and empty it; the ceiling stays, so b can be used again. */
void buf_free(struct buf *b);
/* Empty b and clear failed; the storage stays allocated. */
void buf_reset(struct buf *b);
/* Append len bytes to b. bytes may be NULL if len is 0. */
void buf_append(struct buf *b, const void *bytes, size_t len);
/* Append the string text to b, without its NUL. */
void buf_puts(struct buf *b, const char *text);
/* Append the single byte c to b. */
void buf_putc(struct buf *b, char c);
/* Append n to b as a decimal number, with a minus sign if it is negative. */
void buf_put_i64(struct buf *b, int64_t n);
/* Append n to b as a decimal number. */
void buf_put_u64(struct buf *b, uint64_t n);
/* Append len bytes to b as 2*len lower-case hex digits. */
void buf_put_hex(struct buf *b, const uint8_t *bytes, size_t len);
/* Append formatted text to b, as printf does; an invalid format sets failed. */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
