/* UTF-8 validation and Unicode categories; utf8.c is the only user of utf8proc. */
#ifndef HONGBAO_BASE_UTF8_H
#define HONGBAO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Return true if text[0..len) is well-formed UTF-8: no overlong form, no surrogate, no value over
 * 10FFFF. */
bool utf8_valid(const char *text, size_t len);
/* Return the number of code points in text[0..len), which must be valid UTF-8. */
size_t utf8_length(const char *text, size_t len);
/* Return true if text[0..len) is valid UTF-8 of 1..max bytes without control characters (Cc). */
bool utf8_is_label(const char *text, size_t len, size_t max);
/* Write text[0..len), which others are shown, to out, which holds cap bytes, and a NUL: without
 * malformed bytes and invisible or reordering characters, without white space and combining marks
 * at the start and white space at the end, and at most points_max code points of it, cut between
 * two grapheme clusters (UAX 29). Joiners between letters or emoji and the tags of emoji stay, and
 * so do characters that are newer than the tables. Set *cut, unless cut is NULL, to whether points
 * or bytes were too few. Return the bytes written, 0 if nothing visible is left. */
size_t utf8_clean(char *out, size_t cap, const char *text, size_t len, size_t points_max,
                  bool *cut);

#endif
