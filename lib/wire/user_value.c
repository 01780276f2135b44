/* Two forms, distinguished by their tag: "o1" for an opened share, "t1" for a ticket. */
#include "lib/wire/user_value.h"
#include "lib/base/str.h"
#include "lib/wire/value_reader.h"
#include <inttypes.h>
#include <stdio.h>

size_t user_value_write(char out[USER_TEXT_SIZE], const struct user_value *u, const struct id *id)
{
    char hex[ID_HEX_SIZE];
    int len;
    str_to_hex(hex, id->b, ID_SIZE);
    if (u->opened)
        len = snprintf(out, USER_TEXT_SIZE, "o1 %s %" PRId64 " %" PRId64 " %" PRId64, hex,
                       u->amount_fen, u->seq, u->opened_us);
    else
        len = snprintf(out, USER_TEXT_SIZE, "t1 %s %" PRId64, hex, u->ticket_expires_s);
    return (size_t)len;
}

bool user_value_read(struct user_value *out, const char *text, size_t len, const struct id *id)
{
    struct value_reader r = {.at = text, .left = len, .ok = true};
    struct user_value u = {.opened = len > 0 && text[0] == 'o'};
    struct id seen = {{0}};
    value_tag(&r, u.opened ? "o1" : "t1");
    value_hex(&r, seen.b, ID_SIZE);
    if (u.opened) {
        u.amount_fen = value_i64(&r, 1, AMOUNT_MAX_FEN);
        u.seq = value_i64(&r, 1, SHARES_LIMIT);
        u.opened_us = value_i64(&r, 0, VALUE_TIME_MAX_US);
    } else {
        u.ticket_expires_s = value_i64(&r, 0, UINT32_MAX);
    }
    if (!r.ok || r.left > 0 || id_compare(&seen, id) != 0)
        return false;
    *out = u;
    return true;
}
