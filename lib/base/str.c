/* Strict parsers: input has exactly one spelling, so that equal values are equal text. */
#include "lib/base/str.h"
#include <string.h>

bool str_set(char *dst, size_t cap, const char *src, size_t len)
{
    dst[0] = '\0';
    if (len >= cap || memchr(src, '\0', len) != NULL)
        return false;
    memcpy(dst, src, len);
    dst[len] = '\0';
    return true;
}

bool str_to_u64(const char *text, size_t len, uint64_t *out)
{
    uint64_t n = 0;
    if (len == 0 || (text[0] == '0' && len > 1))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (text[i] < '0' || text[i] > '9' || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

bool str_to_i64(const char *text, size_t len, int64_t *out)
{
    uint64_t n;
    if (!str_to_u64(text, len, &n) || n > INT64_MAX)
        return false;
    *out = (int64_t)n;
    return true;
}

#define EXPONENT_MAX 100000 /* longer than any text that is parsed here */

/* Return the exponent of a number, text[0..len) from its "e" on; within +-EXPONENT_MAX. */
static int64_t read_exponent(const char *text, size_t len)
{
    int64_t n = 0;
    for (size_t i = 1; i < len; i++)
        if (text[i] >= '0' && text[i] <= '9' && n < EXPONENT_MAX)
            n = n * 10 + (text[i] - '0');
    n = n < EXPONENT_MAX ? n : EXPONENT_MAX;
    return len > 1 && text[1] == '-' ? -n : n;
}

/* The digits before the point, moved by the exponent, are the whole part; another digit than 0
 * behind it counts if the number is negative. */
int64_t str_floor(const char *text, size_t len, int64_t limit)
{
    size_t mantissa = 0, point, seen = 0;
    int64_t whole = 0;
    bool negative = len > 0 && text[0] == '-', fraction = false;
    while (mantissa < len && text[mantissa] != 'e' && text[mantissa] != 'E')
        mantissa++;
    const char *dot = memchr(text, '.', mantissa);
    point = (dot != NULL ? (size_t)(dot - text) : mantissa) - negative;
    int64_t digits = (int64_t)point + read_exponent(text + mantissa, len - mantissa);
    for (size_t i = negative; i < mantissa; i++) {
        if (text[i] == '.')
            continue;
        int digit = text[i] - '0';
        if ((int64_t)seen++ >= digits)
            fraction = fraction || digit != 0;
        else if (whole <= limit)
            whole = whole * 10 + digit;
    }
    for (; (int64_t)seen < digits && whole != 0 && whole <= limit; seen++)
        whole *= 10;
    whole = negative ? -whole - (fraction ? 1 : 0) : whole;
    return whole > limit ? limit : whole < -limit ? -limit : whole;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool str_from_hex(uint8_t *out, size_t n, const char *text, size_t len)
{
    if (len != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

void str_to_hex(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

uint64_t str_hash(const char *text, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
    return hash;
}

bool str_item(const char **at, char *out, size_t cap)
{
    const char *begin = *at + strspn(*at, ", ");
    size_t len = strcspn(begin, ",");
    *at = begin + len;
    while (len > 0 && begin[len - 1] == ' ')
        len--;
    out[0] = '\0';
    return len > 0 && str_set(out, cap, begin, len);
}
