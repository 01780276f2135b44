/* A grab decides on this text alone, so every number in it is range-checked when it is read. */
#include "lib/wire/gate_value.h"
#include "lib/base/str.h"
#include "lib/wire/value_reader.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t gate_write(char out[GATE_TEXT_SIZE], const struct gate *g)
{
    char generation[33], id[ID_HEX_SIZE];
    str_to_hex(generation, g->generation, 16);
    str_to_hex(id, g->id.b, ID_SIZE);
    int len = snprintf(out, GATE_TEXT_SIZE,
                       "g2 %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64
                       " %" PRId64 " %d %" PRId64 " %d %d %" PRId64 " %" PRId64,
                       generation, id, g->nonce, g->before[0], g->before[1], g->before[2],
                       g->expires_us, g->shares, (int)g->state, g->left, g->restricted, g->guest,
                       g->refill_factor, g->refill_opened + 1);
    return (size_t)len;
}

bool gate_read(struct gate *out, const char *text, size_t len, const uint8_t generation[16],
               const struct id *id)
{
    struct value_reader r = {.at = text, .left = len, .ok = true};
    struct gate g;
    memset(&g, 0, sizeof g);
    value_tag(&r, "g2");
    value_hex(&r, g.generation, sizeof g.generation);
    value_hex(&r, g.id.b, ID_SIZE);
    g.nonce = value_u64(&r, 0, UINT64_MAX);
    for (size_t i = 0; i < GATE_NONCES; i++)
        g.before[i] = value_u64(&r, 0, UINT64_MAX);
    g.expires_us = value_i64(&r, 0, INT64_MAX);
    g.shares = value_i64(&r, 1, SHARES_LIMIT);
    g.state = (enum envelope_state)value_i64(&r, STATE_OPEN, STATE_EXPIRED);
    g.left = value_i64(&r, 0, g.shares);
    g.restricted = value_i64(&r, 0, 1) != 0;
    g.guest = value_i64(&r, 0, 1) != 0;
    g.refill_factor = value_i64(&r, 1, GATE_FACTOR_MAX);
    g.refill_opened = value_i64(&r, 0, g.shares + 1) - 1;
    bool doubled = (g.refill_factor & (g.refill_factor - 1)) == 0;
    if (!r.ok || r.left > 0 || !doubled || memcmp(g.generation, generation, 16) != 0 ||
        id_compare(&g.id, id) != 0)
        return false;
    *out = g;
    return true;
}
