/* The only user of utf8proc. */
#ifndef HONGBAO_BASE_UTF8_H
#define HONGBAO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True if text[0..len) is well-formed UTF-8: no overlong form, surrogate or value over 10FFFF. */
bool utf8_valid(const char *text, size_t len);
/* Number of code points of valid UTF-8. */
size_t utf8_length(const char *text, size_t len);
/* True if valid UTF-8 with no control (Cc, incl. NUL and DEL), no format (Cf) character other than
 * U+200D ZERO WIDTH JOINER (emoji), no line or paragraph separator, no bidi control, no unassigned,
 * private or noncharacter. */
bool utf8_printable(const char *text, size_t len);

#endif
