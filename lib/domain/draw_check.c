/* One claim at a time in the order of seq, so that memory does not grow with the envelope. */
#include "lib/domain/draw_check.h"
#include "lib/base/crypto.h"
#include <string.h>

void draw_check_begin(struct draw_check *d, const struct envelope *e)
{
    uint8_t hash[32];
    *d = (struct draw_check){
        .id = e->id,
        .mode = e->mode,
        .total_fen = e->total_fen,
        .shares = e->shares,
        .left = {.left_fen = e->total_fen, .left_shares = e->shares, .cap_fen = e->cap_fen},
        .next_seq = 1};
    memcpy(d->seed, e->seed, sizeof d->seed);
    draw_seed_hash(hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
    d->wrong = !envelope_draws(e) || !e->has_seed || !bytes_equal(hash, e->seed_hash, sizeof hash);
}

static bool can_draw(const struct draw_left *left)
{
    return left->left_shares >= 1 && left->left_fen >= left->left_shares &&
           left->left_fen <= left->left_shares * left->cap_fen;
}

void draw_check_claim(struct draw_check *d, int64_t seq, int64_t amount_fen)
{
    d->wrong |= seq != d->next_seq || !can_draw(&d->left);
    if (d->wrong)
        return;
    int64_t drawn_fen = d->mode == MODE_EQUAL
                            ? draw_equal(d->total_fen, d->shares, seq)
                            : draw_lucky(d->seed, &d->id, (uint32_t)seq, &d->left);
    d->wrong = drawn_fen != amount_fen;
    d->next_seq++;
    d->left.left_fen -= drawn_fen;
    d->left.left_shares--;
}
