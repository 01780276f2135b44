/* Names and greetings are shown to other users, so characters that are invisible or reorder text
 * are not printable here. */
#include "lib/base/utf8.h"
#include <utf8proc.h>

#define ZERO_WIDTH_JOINER 0x200D

/* Return the next code point, or -1 if it is malformed. Advances *text and *len. */
static utf8proc_int32_t next_point(const char **text, size_t *len)
{
    utf8proc_int32_t point;
    utf8proc_ssize_t used =
        utf8proc_iterate((const utf8proc_uint8_t *)*text, (utf8proc_ssize_t)*len, &point);
    if (used <= 0)
        return -1;
    *text += used;
    *len -= (size_t)used;
    return point;
}

bool utf8_valid(const char *text, size_t len)
{
    while (len > 0)
        if (next_point(&text, &len) < 0)
            return false;
    return true;
}

size_t utf8_length(const char *text, size_t len)
{
    size_t points = 0;
    while (len > 0 && next_point(&text, &len) >= 0)
        points++;
    return points;
}

static bool point_printable(utf8proc_int32_t point)
{
    if (point == ZERO_WIDTH_JOINER)
        return true;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF: /* includes every bidi control */
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
        return false;
    default:
        return true;
    }
}

bool utf8_printable(const char *text, size_t len)
{
    while (len > 0) {
        utf8proc_int32_t point = next_point(&text, &len);
        if (point < 0 || !point_printable(point))
            return false;
    }
    return true;
}
