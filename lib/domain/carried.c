/* Sums are checked, because they grow for as long as a site runs. A MAC covers the members as text
 * with a space behind each; no user id has one. */
#include "lib/domain/carried.h"
#include "lib/base/clock.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t carried_day_us(int64_t at_us, int offset_min)
{
    return (clock_day_of(at_us, offset_min) * S_PER_DAY - offset_min * INT64_C(60)) * US_PER_S;
}

static bool add(int64_t *sum, int64_t n)
{
    return !__builtin_add_overflow(*sum, n, sum);
}

static void widen(struct carried *c, int64_t first, int64_t last)
{
    if (c->first_entry == 0 || first < c->first_entry)
        c->first_entry = first;
    if (last > c->last_entry)
        c->last_entry = last;
}

enum err carried_add(struct carried *c, enum transfer_kind kind, int64_t amount_fen, int64_t entry)
{
    assert(kind == TRANSFER_SEND || kind == TRANSFER_CLAIM || kind == TRANSFER_REFUND);
    int64_t *n = kind == TRANSFER_SEND    ? &c->sends
                 : kind == TRANSFER_CLAIM ? &c->claims
                                          : &c->refunds;
    int64_t *fen = kind == TRANSFER_SEND    ? &c->send_fen
                   : kind == TRANSFER_CLAIM ? &c->claim_fen
                                            : &c->refund_fen;
    widen(c, entry, entry);
    return add(n, 1) && add(fen, amount_fen) && add(&c->entry_sum, entry) ? ERR_OK : ERR_RANGE;
}

enum err carried_merge(struct carried *c, const struct carried *more)
{
    int64_t *const sums[] = {&c->sends,      &c->send_fen,    &c->claims,    &c->claim_fen,
                             &c->refunds,    &c->refund_fen,  &c->entry_sum, &c->opened_shares,
                             &c->opened_fen, &c->returned_fen};
    const int64_t terms[] = {more->sends,       more->send_fen,      more->claims,
                             more->claim_fen,   more->refunds,       more->refund_fen,
                             more->entry_sum,   more->opened_shares, more->opened_fen,
                             more->returned_fen};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        if (!add(sums[i], terms[i]))
            return ERR_RANGE;
    if (more->first_entry != 0)
        widen(c, more->first_entry, more->last_entry);
    return ERR_OK;
}

int64_t carried_fen(const struct carried *c)
{
    return (int64_t)((uint64_t)c->claim_fen + (uint64_t)c->refund_fen - (uint64_t)c->send_fen);
}

int64_t carried_count(const struct carried *c)
{
    return (int64_t)((uint64_t)c->sends + (uint64_t)c->claims + (uint64_t)c->refunds);
}

int carried_order(const void *a, const void *b)
{
    const struct carried *x = a, *y = b;
    int order = strcmp(x->user, y->user);
    return order != 0 ? order : (x->day_us > y->day_us) - (x->day_us < y->day_us);
}

/* ---- MACs ---- */

#define TEXT_SIZE 768 /* a user id, and 14 numbers of 20 digits */

static size_t put_numbers(char *text, size_t len, const int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, TEXT_SIZE - len, "%" PRId64 " ", numbers[i]);
    return len;
}

static void carried_mac(const struct carried *c, const uint8_t key[CARRIED_KEY_SIZE],
                        uint8_t mac[CARRIED_MAC_SIZE])
{
    const int64_t numbers[] = {c->day_us,      c->sends,     c->send_fen,      c->claims,
                               c->claim_fen,   c->refunds,   c->refund_fen,    c->first_entry,
                               c->last_entry,  c->entry_sum, c->opened_shares, c->opened_fen,
                               c->returned_fen};
    char text[TEXT_SIZE];
    size_t len = (size_t)snprintf(text, sizeof text, "hongbao-carried-1 %s ", c->user);
    len = put_numbers(text, len, numbers, sizeof numbers / sizeof numbers[0]);
    hash_hmac256(mac, key, text, len);
}

void carried_seal(struct carried *c, const uint8_t key[CARRIED_KEY_SIZE])
{
    carried_mac(c, key, c->mac);
}

bool carried_sealed(const struct carried *c, const uint8_t key[CARRIED_KEY_SIZE])
{
    uint8_t mac[CARRIED_MAC_SIZE];
    carried_mac(c, key, mac);
    return bytes_equal(mac, c->mac, sizeof mac);
}

static void archive_file_mac(const struct archive_file *f, const uint8_t key[CARRIED_KEY_SIZE],
                             uint8_t mac[CARRIED_MAC_SIZE])
{
    const int64_t numbers[] = {f->number, f->begun_us,  f->before_us, f->envelopes,
                               f->claims, f->transfers, f->sent_fen,  f->bytes};
    char text[TEXT_SIZE];
    size_t len = (size_t)snprintf(text, sizeof text, "hongbao-archive-1 ");
    len = put_numbers(text, len, numbers, sizeof numbers / sizeof numbers[0]);
    memcpy(text + len, f->sha256, sizeof f->sha256);
    hash_hmac256(mac, key, text, len + sizeof f->sha256);
}

void archive_file_seal(struct archive_file *f, const uint8_t key[CARRIED_KEY_SIZE])
{
    archive_file_mac(f, key, f->mac);
}

bool archive_file_sealed(const struct archive_file *f, const uint8_t key[CARRIED_KEY_SIZE])
{
    uint8_t mac[CARRIED_MAC_SIZE];
    archive_file_mac(f, key, mac);
    return bytes_equal(mac, f->mac, sizeof mac);
}
