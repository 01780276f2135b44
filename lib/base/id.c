/* UUIDv7 puts the time first, so that ids made later sort later: primary keys grow at one end, and
 * a range of ids is a range of times. */
#include "lib/base/id.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include <assert.h>
#include <string.h>

#define ID_VERSION 0x70
#define ID_VARIANT 0x80

static void id_put_time(struct id *id, int64_t wall_us)
{
    uint64_t ms = (uint64_t)(wall_us / US_PER_MS);
    for (int i = 5; i >= 0; i--, ms >>= 8)
        id->b[i] = (uint8_t)ms;
}

struct id id_make(const struct rng *rng, int64_t wall_us, unsigned set)
{
    assert(set <= 0xfff && wall_us >= 0);
    struct id id;
    id_put_time(&id, wall_us);
    rng->fill(rng->self, id.b + 8, 8);
    id.b[6] = (uint8_t)(ID_VERSION | (set >> 8));
    id.b[7] = (uint8_t)set;
    id.b[8] = (uint8_t)(ID_VARIANT | (id.b[8] & 0x3f));
    return id;
}

struct id id_floor(int64_t wall_us)
{
    struct id id = {{0}};
    id_put_time(&id, wall_us < 0 ? 0 : wall_us);
    return id;
}

int64_t id_time_us(const struct id *id)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->b[i];
    return ms * US_PER_MS;
}

unsigned id_set(const struct id *id)
{
    return (id->b[6] & 0x0fu) << 8 | id->b[7];
}

size_t id_slot(const struct id *id, size_t n)
{
    uint32_t random; /* the first bytes are the time */
    memcpy(&random, id->b + ID_SIZE - sizeof random, sizeof random);
    return random % n;
}

int id_compare(const struct id *a, const struct id *b)
{
    return memcmp(a->b, b->b, ID_SIZE);
}

int id_order(const void *a, const void *b)
{
    return id_compare(a, b);
}

/* Return true at the positions of hyphens in the canonical form. */
static bool is_hyphen(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

void id_format(char *out, const struct id *id)
{
    char hex[ID_HEX_SIZE];
    str_to_hex(hex, id->b, ID_SIZE);
    for (size_t at = 0, from = 0; at < ID_TEXT_SIZE - 1; at++)
        out[at] = is_hyphen(at) ? '-' : hex[from++];
    out[ID_TEXT_SIZE - 1] = '\0';
}

bool id_parse(struct id *out, const char *text, size_t len)
{
    char hex[ID_HEX_SIZE];
    size_t to = 0;
    struct id id;
    if (len != ID_TEXT_SIZE - 1)
        return false;
    for (size_t at = 0; at < len; at++) {
        if (is_hyphen(at) != (text[at] == '-') || (text[at] >= 'A' && text[at] <= 'F'))
            return false;
        if (!is_hyphen(at))
            hex[to++] = text[at];
    }
    if (!str_from_hex(id.b, ID_SIZE, hex, to) || (id.b[6] & 0xf0) != ID_VERSION ||
        (id.b[8] & 0xc0) != ID_VARIANT)
        return false;
    *out = id;
    return true;
}
