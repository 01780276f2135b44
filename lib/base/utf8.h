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
/* Return true if text[0..len) is valid UTF-8 with no control character (Cc, which includes NUL and
 * DEL), no format character (Cf, which includes bidi controls) other than U+200D ZERO WIDTH JOINER
 * (emoji), no line or paragraph separator, and no unassigned, private or noncharacter code point.
 */
bool utf8_printable(const char *text, size_t len);

#endif
