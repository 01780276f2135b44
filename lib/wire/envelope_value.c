/* Driven by the table of members, so that a new fixed member is cached without a change here.
 * Lines instead of words, because names and greetings hold spaces. */
#include "lib/wire/envelope_value.h"
#include "lib/base/str.h"
#include "lib/domain/envelope_members.h"
#include <string.h>

#define FORMAT "r2" /* raise it when the format of a line changes */

static void member_write(struct buf *out, const struct envelope *e, const struct envelope_member *m)
{
    const void *at = envelope_member_at(e, m);
    switch (m->kind) {
    case MEMBER_ID:
    case MEMBER_BYTES:
        buf_put_hex(out, at, m->size);
        break;
    case MEMBER_USER:
    case MEMBER_TEXT:
        buf_puts(out, at);
        break;
    default:
        buf_put_i64(out, envelope_member_number(e, m));
    }
    buf_putc(out, '\n');
}

void envelope_value_write(struct buf *out, const uint8_t generation[16], const struct envelope *e)
{
    buf_puts(out, FORMAT "\n");
    buf_put_hex(out, generation, 16);
    buf_putc(out, '\n');
    for (size_t i = 0; i < envelope_members_n; i++)
        if (envelope_members[i].change == MEMBER_FIXED)
            member_write(out, e, &envelope_members[i]);
}

/* Take one line of *at: set *line and return its length; -1 if there is none. */
static ptrdiff_t take_line(const char **at, const char **line)
{
    const char *end = strchr(*at, '\n');
    if (end == NULL)
        return -1;
    *line = *at;
    *at = end + 1;
    return end - *line;
}

static bool member_read(struct envelope *e, const struct envelope_member *m, const char *line,
                        size_t len)
{
    int64_t n;
    switch (m->kind) {
    case MEMBER_ID:
    case MEMBER_BYTES:
        return str_from_hex(envelope_member_of(e, m), m->size, line, len);
    case MEMBER_USER:
    case MEMBER_TEXT:
        return str_set(envelope_member_of(e, m), m->size, line, len);
    default:
        if (!str_to_i64(line, len, &n) || n < m->low || n > m->high)
            return false;
        envelope_member_set(e, m, n);
        return true;
    }
}

bool envelope_value_read(struct envelope *e, const char *text, const uint8_t generation[16],
                         const struct id *id)
{
    const char *line = text;
    uint8_t seen[16];
    memset(e, 0, sizeof *e);
    if (take_line(&text, &line) != sizeof FORMAT - 1 ||
        memcmp(line, FORMAT, sizeof FORMAT - 1) != 0)
        return false;
    ptrdiff_t len = take_line(&text, &line);
    if (len < 0 || !str_from_hex(seen, sizeof seen, line, (size_t)len) ||
        memcmp(seen, generation, sizeof seen) != 0)
        return false;
    for (size_t i = 0; i < envelope_members_n; i++) {
        if (envelope_members[i].change != MEMBER_FIXED)
            continue;
        len = take_line(&text, &line);
        if (len < 0 || !member_read(e, &envelope_members[i], line, (size_t)len))
            return false;
    }
    return *text == '\0' && e->expires_us >= e->created_us && id_compare(&e->id, id) == 0;
}
