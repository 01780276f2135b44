#include "lib/wire/gate_value.h"
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FACTOR_MAX 64
#define TIME_MAX_US INT64_C(253402300799999999) /* the end of the year 9999 */

static void key(char *out, const uint8_t generation[16], const struct id *id, char kind)
{
    str_to_hex(out, id->b, ID_SIZE);
    out[32] = '/';
    out[33] = kind;
    out[34] = '/';
    str_to_hex(out + 35, generation, 16);
}

void gate_key(char *out, enum gate_key kind, const uint8_t generation[16], const struct id *id)
{
    static const char letters[] = {[GATE_KEY_GATE] = 'g',
                                   [GATE_KEY_HOLD] = 'h',
                                   [GATE_KEY_UNKNOWN] = 'x',
                                   [GATE_KEY_VERSION] = 'v'};
    key(out, generation, id, letters[kind]);
}

void gate_user_key(char *out, const uint8_t generation[16], const struct id *id, const char *user)
{
    key(out, generation, id, 'u');
    size_t len = strlen(out);
    snprintf(out + len, GATE_KEY_SIZE - len, "/%s", user);
}

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

/* Words separated by one space; ok turns false for good with the first fault. */
struct reader {
    const char *at;
    size_t left;
    bool ok;
};

static size_t take_word(struct reader *r, const char **word)
{
    const char *space = memchr(r->at, ' ', r->left);
    size_t len = space != NULL ? (size_t)(space - r->at) : r->left;
    size_t used = space != NULL ? len + 1 : len;
    *word = r->at;
    if (len == 0 || (space != NULL && used == r->left))
        r->ok = false;
    r->at += used;
    r->left -= used;
    return len;
}

static void read_tag(struct reader *r, const char *tag)
{
    const char *word;
    size_t len = take_word(r, &word);
    r->ok = r->ok && len == strlen(tag) && memcmp(word, tag, len) == 0;
}

static void read_hex(struct reader *r, uint8_t *out, size_t n)
{
    const char *word;
    size_t len = take_word(r, &word);
    r->ok = r->ok && str_from_hex(out, n, word, len);
}

static uint64_t read_u64(struct reader *r, uint64_t low, uint64_t high)
{
    const char *word;
    uint64_t n = low;
    size_t len = take_word(r, &word);
    r->ok = r->ok && str_to_u64(word, len, &n) && n >= low && n <= high;
    return r->ok ? n : low;
}

static int64_t read_i64(struct reader *r, int64_t low, int64_t high)
{
    return (int64_t)read_u64(r, (uint64_t)low, (uint64_t)high);
}

bool gate_read(struct gate *out, const char *text, size_t len, const uint8_t generation[16],
               const struct id *id)
{
    struct reader r = {.at = text, .left = len, .ok = true};
    struct gate g;
    memset(&g, 0, sizeof g);
    read_tag(&r, "g2");
    read_hex(&r, g.generation, sizeof g.generation);
    read_hex(&r, g.id.b, ID_SIZE);
    g.nonce = read_u64(&r, 0, UINT64_MAX);
    for (size_t i = 0; i < GATE_NONCES; i++)
        g.before[i] = read_u64(&r, 0, UINT64_MAX);
    g.expires_us = read_i64(&r, 0, INT64_MAX);
    g.shares = read_i64(&r, 1, SHARES_LIMIT);
    g.state = (enum envelope_state)read_i64(&r, STATE_OPEN, STATE_EXPIRED);
    g.left = read_i64(&r, 0, g.shares);
    g.restricted = read_i64(&r, 0, 1) != 0;
    g.guest = read_i64(&r, 0, 1) != 0;
    g.refill_factor = read_i64(&r, 1, FACTOR_MAX);
    g.refill_opened = read_i64(&r, 0, g.shares + 1) - 1;
    bool doubled = (g.refill_factor & (g.refill_factor - 1)) == 0;
    if (!r.ok || r.left > 0 || !doubled || memcmp(g.generation, generation, 16) != 0 ||
        id_compare(&g.id, id) != 0)
        return false;
    *out = g;
    return true;
}

/* A name may hold spaces: so it is hex, after a letter that tells of an empty one, too. */
static size_t write_claim(char *out, size_t size, const struct claim *c)
{
    char name[2 * NAME_SIZE + 1];
    str_to_hex(name, (const uint8_t *)c->name, strlen(c->name));
    return (size_t)snprintf(out, size, " %s n%s %" PRId64 " %" PRId64 " %" PRId64, c->user, name,
                            c->amount_fen, c->seq, c->opened_us);
}

size_t gate_version_write(char out[VERSION_TEXT_SIZE], const struct gate_version *v,
                          const struct id *id)
{
    char hex[ID_HEX_SIZE];
    str_to_hex(hex, id->b, ID_SIZE);
    size_t len = (size_t)snprintf(out, VERSION_TEXT_SIZE, "v2 %s %" PRId64 " %d %zu", hex,
                                  v->version, v->guest, v->n_claims);
    for (size_t i = 0; i < v->n_claims; i++)
        len += write_claim(out + len, VERSION_TEXT_SIZE - len, &v->claims[i]);
    return len;
}

static bool name_valid(const char *name)
{
    size_t len = strlen(name);
    return utf8_valid(name, len) && utf8_length(name, len) <= NAME_MAX_POINTS;
}

static void read_claim(struct reader *r, const struct id *id, struct claim *c)
{
    const char *word;
    memset(c, 0, sizeof *c);
    c->envelope = *id;
    size_t len = take_word(r, &word);
    r->ok = r->ok && user_valid(word, len) && str_set(c->user, sizeof c->user, word, len);
    len = take_word(r, &word);
    r->ok = r->ok && word[0] == 'n' && len / 2 < sizeof c->name &&
            str_from_hex((uint8_t *)c->name, len / 2, word + 1, len - 1) && name_valid(c->name);
    c->amount_fen = read_i64(r, 1, AMOUNT_MAX_FEN);
    c->seq = read_i64(r, 1, SHARES_LIMIT);
    c->opened_us = read_i64(r, 0, TIME_MAX_US);
}

bool gate_version_read(struct gate_version *out, const char *text, size_t len, const struct id *id)
{
    struct reader r = {.at = text, .left = len, .ok = true};
    struct id seen = {{0}};
    read_tag(&r, "v2");
    read_hex(&r, seen.b, ID_SIZE);
    out->version = read_i64(&r, 1, INT64_MAX);
    out->guest = read_i64(&r, 0, 1) != 0;
    out->n_claims = (size_t)read_i64(&r, 0, VERSION_CLAIMS_MAX);
    for (size_t i = 0; r.ok && i < out->n_claims; i++)
        read_claim(&r, id, &out->claims[i]);
    return r.ok && r.left == 0 && id_compare(&seen, id) == 0;
}

size_t gate_user_write(char out[GATE_TEXT_SIZE], const struct gate_user *u, const struct id *id)
{
    char hex[ID_HEX_SIZE];
    int len;
    str_to_hex(hex, id->b, ID_SIZE);
    if (u->opened)
        len = snprintf(out, GATE_TEXT_SIZE, "o1 %s %" PRId64 " %" PRId64 " %" PRId64, hex,
                       u->amount_fen, u->seq, u->opened_us);
    else
        len = snprintf(out, GATE_TEXT_SIZE, "t1 %s %" PRId64, hex, u->ticket_expires_s);
    return (size_t)len;
}

bool gate_user_read(struct gate_user *out, const char *text, size_t len, const struct id *id)
{
    struct reader r = {.at = text, .left = len, .ok = true};
    struct gate_user u = {.opened = len > 0 && text[0] == 'o'};
    struct id seen = {{0}};
    read_tag(&r, u.opened ? "o1" : "t1");
    read_hex(&r, seen.b, ID_SIZE);
    if (u.opened) {
        u.amount_fen = read_i64(&r, 1, AMOUNT_MAX_FEN);
        u.seq = read_i64(&r, 1, SHARES_LIMIT);
        u.opened_us = read_i64(&r, 0, TIME_MAX_US);
    } else {
        u.ticket_expires_s = read_i64(&r, 0, UINT32_MAX);
    }
    if (!r.ok || r.left > 0 || id_compare(&seen, id) != 0)
        return false;
    *out = u;
    return true;
}
