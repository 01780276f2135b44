/* Claims are checked one by one: the look service adds them to a page that it remembers. */
#include "lib/wire/version_value.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/wire/value_reader.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A name may hold spaces, so it is written as hex; the letter in front makes an empty one a word.
 */
static size_t claim_write(char *out, size_t size, const struct claim *c)
{
    char name[2 * NAME_SIZE + 1];
    str_to_hex(name, (const uint8_t *)c->name, strlen(c->name));
    return (size_t)snprintf(out, size, " %s n%s %" PRId64 " %" PRId64 " %" PRId64, c->user, name,
                            c->amount_fen, c->seq, c->opened_us);
}

size_t version_value_write(char out[VERSION_TEXT_SIZE], const struct version_value *v,
                           const struct id *id)
{
    char hex[ID_HEX_SIZE];
    str_to_hex(hex, id->b, ID_SIZE);
    size_t len = (size_t)snprintf(out, VERSION_TEXT_SIZE, "v2 %s %" PRId64 " %d %zu", hex,
                                  v->version, v->guest, v->n_claims);
    for (size_t i = 0; i < v->n_claims; i++)
        len += claim_write(out + len, VERSION_TEXT_SIZE - len, &v->claims[i]);
    return len;
}

static bool name_valid(const char *name)
{
    size_t len = strlen(name);
    return utf8_valid(name, len) && utf8_length(name, len) <= NAME_MAX_POINTS;
}

static void claim_read(struct value_reader *r, const struct id *id, struct claim *c)
{
    const char *word;
    memset(c, 0, sizeof *c);
    c->envelope = *id;
    size_t len = value_word(r, &word);
    r->ok = r->ok && user_valid(word, len) && str_set(c->user, sizeof c->user, word, len);
    len = value_word(r, &word);
    r->ok = r->ok && word[0] == 'n' && len / 2 < sizeof c->name &&
            str_from_hex((uint8_t *)c->name, len / 2, word + 1, len - 1) && name_valid(c->name);
    c->amount_fen = value_i64(r, 1, AMOUNT_MAX_FEN);
    c->seq = value_i64(r, 1, SHARES_LIMIT);
    c->opened_us = value_i64(r, 0, VALUE_TIME_MAX_US);
}

bool version_value_read(struct version_value *out, const char *text, size_t len,
                        const struct id *id)
{
    struct value_reader r = {.at = text, .left = len, .ok = true};
    struct id seen = {{0}};
    value_tag(&r, "v2");
    value_hex(&r, seen.b, ID_SIZE);
    out->version = value_i64(&r, 1, INT64_MAX);
    out->guest = value_i64(&r, 0, 1) != 0;
    out->n_claims = (size_t)value_i64(&r, 0, VERSION_CLAIMS_MAX);
    for (size_t i = 0; r.ok && i < out->n_claims; i++)
        claim_read(&r, id, &out->claims[i]);
    return r.ok && r.left == 0 && id_compare(&seen, id) == 0;
}
