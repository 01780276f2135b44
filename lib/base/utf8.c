/* Names and greetings are shown to other users, so characters that are invisible or reorder text
 * are removed. Nothing that a language or an emoji needs is: joiners stay where they join. */
#include "lib/base/utf8.h"
#include <string.h>
#include <utf8proc.h>

#define ZERO_WIDTH_NON_JOINER 0x200C
#define ZERO_WIDTH_JOINER 0x200D
#define BLACK_FLAG 0x1F3F4
#define TAG_FIRST 0xE0020
#define TAG_LAST 0xE007F
#define POINT_BYTES_MAX 4

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

bool utf8_is_label(const char *text, size_t len, size_t max)
{
    if (len < 1 || len > max)
        return false;
    while (len > 0) {
        utf8proc_int32_t point = next_point(&text, &len);
        if (point < 0 || utf8proc_category(point) == UTF8PROC_CATEGORY_CC)
            return false;
    }
    return true;
}

/* ---- cleaning ---- */

enum point_kind {
    POINT_DROPPED,  /* invisible, reordering, or no character */
    POINT_BLANK,    /* shows nothing, but takes room */
    POINT_JOINER,   /* ZWJ or ZWNJ: stays between two characters that it can join */
    POINT_TAG,      /* stays behind a black flag and its other tags */
    POINT_MARK,     /* combines with the character before it */
    POINT_JOINABLE, /* visible; letters, emoji, and what may become either */
    POINT_VISIBLE
};

struct point_range {
    utf8proc_int32_t first, last;
    enum point_kind kind;
};
/* Where the category is not enough. The Hangul fillers are letters, U+2800 is a symbol; U+034F and
 * the Khmer vowels inherent are marks that show nothing; the signs above numbers are formats that
 * are visible; of the unassigned, some are noncharacters or will be invisible
 * (Default_Ignorable_Code_Point). */
static const struct point_range exceptions[] = {
    {0x034F, 0x034F, POINT_DROPPED},   {0x0600, 0x0605, POINT_VISIBLE},
    {0x06DD, 0x06DD, POINT_VISIBLE},   {0x070F, 0x070F, POINT_VISIBLE},
    {0x0890, 0x0891, POINT_VISIBLE},   {0x08E2, 0x08E2, POINT_VISIBLE},
    {0x115F, 0x1160, POINT_BLANK},     {0x17B4, 0x17B5, POINT_DROPPED},
    {0x200C, 0x200D, POINT_JOINER},    {0x2065, 0x2065, POINT_DROPPED},
    {0x2800, 0x2800, POINT_BLANK},     {0x3164, 0x3164, POINT_BLANK},
    {0xFDD0, 0xFDEF, POINT_DROPPED},   {0xFFA0, 0xFFA0, POINT_BLANK},
    {0xFFF0, 0xFFF8, POINT_DROPPED},   {0x110BD, 0x110BD, POINT_VISIBLE},
    {0x110CD, 0x110CD, POINT_VISIBLE}, {TAG_FIRST, TAG_LAST, POINT_TAG},
    {0xE0100, 0xE01EF, POINT_MARK},    {0xE0000, 0xE0FFF, POINT_DROPPED},
};

static enum point_kind kind_of_category(utf8proc_category_t category)
{
    switch (category) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF: /* includes every bidi control */
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
        return POINT_DROPPED;
    case UTF8PROC_CATEGORY_ZS:
        return POINT_BLANK;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return POINT_MARK;
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_SO:
    case UTF8PROC_CATEGORY_SM: /* arrows of emoji */
    case UTF8PROC_CATEGORY_SK: /* skin tones */
    case UTF8PROC_CATEGORY_CN:
        return POINT_JOINABLE;
    default:
        return POINT_VISIBLE;
    }
}

static enum point_kind point_kind(utf8proc_int32_t point)
{
    if ((point & 0xFFFE) == 0xFFFE)
        return POINT_DROPPED; /* a noncharacter */
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (point >= exceptions[i].first && point <= exceptions[i].last)
            return exceptions[i].kind;
    return kind_of_category(utf8proc_category(point));
}

/* Text being cleaned. A joiner is held back until it is known what follows it. */
struct cleaner {
    char *out;
    size_t cap, len, points, points_max;
    size_t boundary;           /* bytes before the last grapheme cluster */
    utf8proc_int32_t previous; /* the last one written, 0 at the start */
    utf8proc_int32_t joiner;   /* held back, 0 if none */
    utf8proc_int32_t state;    /* of utf8proc's search for boundaries */
    bool full;
};

/* Append point, or cut the text at the last boundary if there is no room for it. */
static void cleaner_put(struct cleaner *c, utf8proc_int32_t point)
{
    utf8proc_uint8_t bytes[POINT_BYTES_MAX];
    size_t n = (size_t)utf8proc_encode_char(point, bytes);
    if (c->full)
        return;
    if (c->previous == 0 || utf8proc_grapheme_break_stateful(c->previous, point, &c->state))
        c->boundary = c->len;
    if (c->points == c->points_max || c->len + n + 1 > c->cap) {
        c->full = true;
        c->len = c->boundary;
        return;
    }
    memcpy(c->out + c->len, bytes, n);
    c->len += n;
    c->points++;
    c->previous = point;
}

static bool joins(utf8proc_int32_t point)
{
    return point_kind(point) == POINT_JOINABLE || point_kind(point) == POINT_MARK;
}

static bool is_tag(utf8proc_int32_t point)
{
    return point >= TAG_FIRST && point <= TAG_LAST;
}

static void cleaner_take(struct cleaner *c, utf8proc_int32_t point)
{
    enum point_kind kind = point_kind(point);
    bool first = c->len == 0;
    if (kind == POINT_DROPPED || (first && kind < POINT_JOINABLE))
        return;
    if (kind == POINT_TAG && c->previous != BLACK_FLAG && !is_tag(c->previous))
        return;
    if (kind == POINT_JOINER) {
        c->joiner = joins(c->previous) ? point : 0;
        return;
    }
    if (c->joiner != 0 && kind == POINT_JOINABLE)
        cleaner_put(c, c->joiner);
    c->joiner = 0;
    cleaner_put(c, point);
}

/* Return the length of text[0..len) without blanks and joiners at its end. */
static size_t trimmed_length(const char *text, size_t len)
{
    size_t end = 0;
    const char *at = text;
    for (size_t left = len; left > 0;) {
        enum point_kind kind = point_kind(next_point(&at, &left));
        if (kind != POINT_BLANK && kind != POINT_JOINER)
            end = len - left;
    }
    return end;
}

size_t utf8_clean(char *out, size_t cap, const char *text, size_t len, size_t points_max, bool *cut)
{
    struct cleaner c = {.out = out, .cap = cap, .points_max = points_max};
    while (len > 0 && !c.full) {
        utf8proc_int32_t point = next_point(&text, &len);
        if (point >= 0) {
            cleaner_take(&c, point);
        } else { /* skip one malformed byte */
            text++;
            len--;
        }
    }
    c.len = trimmed_length(out, c.len);
    out[c.len] = '\0';
    if (cut != NULL)
        *cut = c.full;
    return c.len;
}
