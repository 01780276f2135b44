/* Reading the text of cache items: words separated by one space. For the *_value files only. */
#ifndef HONGBAO_WIRE_VALUE_READER_H
#define HONGBAO_WIRE_VALUE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_TIME_MAX_US INT64_C(253402300799999999) /* the end of the year 9999 */

struct value_reader {
    const char *at; /* the next word */
    size_t left;    /* bytes from there to the end */
    bool ok;        /* turns false with the first error and stays false */
};

/* Take the next word: set *word, which is not NUL-terminated, and return its length. Clears r->ok
 * if the word is empty or nothing follows its space. */
size_t value_word(struct value_reader *r, const char **word);
/* Take the next word; clears r->ok unless it is tag. */
void value_tag(struct value_reader *r, const char *tag);
/* Take the next word as 2*n hex digits into n bytes at out; clears r->ok if it is not. */
void value_hex(struct value_reader *r, uint8_t *out, size_t n);
/* Take and return the next word as a decimal number in low..high; if it is not, clear r->ok and
 * return low. */
uint64_t value_u64(struct value_reader *r, uint64_t low, uint64_t high);
/* Take and return the next word as a decimal number in low..high, both >= 0; if it is not, clear
 * r->ok and return low. */
int64_t value_i64(struct value_reader *r, int64_t low, int64_t high);

#endif
