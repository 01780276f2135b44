/* Query strings: name=value pairs between '&', percent-encoded, '+' for a space. */
#include "lib/base/str.h"
#include "lib/wire/http.h"
#include <string.h>

struct slice {
    const char *text;
    size_t len;
};

/* Take the next pair of *at, skipping empty ones. Return false at the end. */
static bool next_pair(const char **at, struct slice *name, struct slice *value)
{
    *at += strspn(*at, "&");
    if (**at == '\0')
        return false;
    size_t len = strcspn(*at, "&");
    const char *equals = memchr(*at, '=', len);
    *name = (struct slice){*at, equals == NULL ? len : (size_t)(equals - *at)};
    *value = (struct slice){"", 0};
    if (equals != NULL)
        *value = (struct slice){equals + 1, len - name->len - 1};
    *at += len;
    return true;
}

/* Percent-decode s into out. Return false if s is malformed, holds a NUL, or does not fit. */
static bool slice_decode(struct slice s, char *out, size_t out_cap)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.text[i];
        if (c == '%') {
            uint8_t byte;
            if (s.len - i < 3 || !str_from_hex(&byte, 1, s.text + i + 1, 2) || byte == 0)
                return false;
            c = (char)byte;
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (n + 1 >= out_cap)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return true;
}

#define NAME_CAP 32 /* longer than any known parameter name */

static bool named(struct slice s, const char *name)
{
    char text[NAME_CAP];
    return slice_decode(s, text, sizeof text) && strcmp(text, name) == 0;
}

int http_query_get(const char *query, const char *name, char *out, size_t out_cap)
{
    struct slice seen, value;
    int found = 0;
    out[0] = '\0';
    while (next_pair(&query, &seen, &value)) {
        if (!named(seen, name))
            continue;
        if (found != 0 || !slice_decode(value, out, out_cap)) {
            out[0] = '\0';
            return -1;
        }
        found = 1;
    }
    return found;
}

bool http_query_unknown(const char *query, const char *const *names, size_t n, char *out,
                        size_t out_cap)
{
    struct slice seen, value;
    while (next_pair(&query, &seen, &value)) {
        size_t i = 0;
        while (i < n && !named(seen, names[i]))
            i++;
        if (i < n)
            continue;
        size_t len = seen.len < out_cap - 1 ? seen.len : out_cap - 1;
        for (size_t k = 0; k < len; k++)
            out[k] = seen.text[k] > ' ' && seen.text[k] <= '~' ? seen.text[k] : '?';
        out[len] = '\0';
        return true;
    }
    return false;
}
