/* Rows are summed up as they are read, so that an envelope with a million claims needs no more
 * memory than one without. */
#include "lib/domain/books.h"
#include <string.h>

const char *books_rule_name(int64_t rule)
{
    static const char *const names[BOOKS_RULES] = {
        [BOOKS_AGREE] = "agree",
        [BOOKS_ENVELOPE_SUMS] = "envelope_sums",
        [BOOKS_CLAIMS_MATCH_ENVELOPE] = "claims_match_envelope",
        [BOOKS_SEQ_WITHOUT_HOLES] = "seq_without_holes",
        [BOOKS_SHARE_WITHIN_CAP] = "share_within_cap",
        [BOOKS_LUCKIEST] = "luckiest",
        [BOOKS_SEND_TRANSFER] = "send_transfer",
        [BOOKS_REFUND_TRANSFER] = "refund_transfer",
        [BOOKS_CLAIM_CREDITED_ONCE] = "claim_credited_once",
        [BOOKS_CREDIT_MATCHES_CLAIM] = "credit_matches_claim",
        [BOOKS_TRANSFER_MATCHES_CLAIM] = "transfer_matches_claim",
        [BOOKS_NO_TRANSFER_WITHOUT_CLAIM] = "no_transfer_without_claim",
        [BOOKS_SEED_ONLY_WHILE_OPEN] = "seed_only_while_open",
        [BOOKS_SEED_HASH] = "seed_hash",
        [BOOKS_CLOSING_WHEN_CLOSED] = "closing_when_closed",
        [BOOKS_BY_OPERATOR] = "by_operator"};
    return rule >= 0 && rule < BOOKS_RULES ? names[rule] : "unknown";
}

/* Return amount_fen, or 0 if it is outside the range of amounts, in which case another rule finds
 * it: a damaged row must not overflow a sum. */
static int64_t summable(int64_t amount_fen)
{
    return amount_fen >= 0 && amount_fen <= AMOUNT_MAX_FEN ? amount_fen : 0;
}

void books_add_claim(struct books *b, const struct books_claim *c)
{
    const struct claim *claim = &c->claim;
    b->claims++;
    b->claims_fen += summable(claim->amount_fen);
    b->claims_credited += c->credited ? 1 : 0;
    b->seq_wrong |= claim->seq != b->claims;
    b->share_wrong |= claim->amount_fen < 1 || claim->amount_fen > b->envelope.cap_fen;
    b->twice |= c->pending && c->credited;
    b->credit_wrong |=
        c->pending && (c->pending_seq != claim->seq || c->pending_fen != claim->amount_fen);
    b->transfer_wrong |= c->credited && (c->credited_fen != claim->amount_fen ||
                                         strcmp(c->credited_user, claim->user) != 0);
    if (b->largest.seq == 0 || claim->amount_fen > b->largest.amount_fen)
        b->largest = *claim;
    if (!c->pending && !c->credited && b->n_lost++ < BOOKS_LOST_MAX)
        b->lost[b->n_lost - 1] = *claim;
}

void books_add_transfer(struct books *b, enum transfer_kind kind, const char *user,
                        int64_t amount_fen)
{
    bool other = strcmp(user, b->envelope.sender) != 0;
    if (kind == TRANSFER_SEND) {
        b->sends++;
        b->send_fen += summable(amount_fen);
        b->send_user_wrong |= other;
    } else if (kind == TRANSFER_REFUND) {
        b->refunds++;
        b->refund_fen += summable(amount_fen);
        b->refund_user_wrong |= other;
    } else {
        b->claim_transfers++;
    }
}

static bool luckiest_right(const struct books *b)
{
    const struct envelope *e = &b->envelope;
    if (e->mode == MODE_EQUAL)
        return e->luckiest_seq == 0;
    return e->luckiest_seq == b->largest.seq && e->luckiest_fen == b->largest.amount_fen &&
           strcmp(e->luckiest_user, b->largest.user) == 0;
}

static bool send_right(const struct books *b)
{
    return b->sends == 1 && b->send_fen == b->envelope.total_fen && !b->send_user_wrong;
}

static bool refund_right(const struct books *b)
{
    return b->refunds == (b->envelope.refunded_fen > 0 ? 1 : 0) &&
           b->refund_fen == b->envelope.refunded_fen && !b->refund_user_wrong;
}

static bool seed_right(const struct books *b)
{
    const struct envelope *e = &b->envelope;
    if (e->state != STATE_OPEN)
        return !b->seed_row && e->has_seed;
    return b->seed_row && !e->has_seed && b->seed_expires_us == e->expires_us;
}

static bool seed_hash_right(const struct envelope *e)
{
    uint8_t hash[32];
    if (!e->has_seed)
        return true;
    draw_seed_hash(hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
    return memcmp(hash, e->seed_hash, sizeof hash) == 0;
}

enum books_rule books_check(const struct books *b)
{
    const struct envelope *e = &b->envelope;
    const struct {
        enum books_rule rule;
        bool holds;
    } rules[] = {
        {BOOKS_ENVELOPE_SUMS, envelope_consistent(e)},
        {BOOKS_CLAIMS_MATCH_ENVELOPE,
         b->claims == e->opened_shares && b->claims_fen == e->opened_fen},
        {BOOKS_SEQ_WITHOUT_HOLES, !b->seq_wrong},
        {BOOKS_SHARE_WITHIN_CAP, !b->share_wrong},
        {BOOKS_LUCKIEST, luckiest_right(b)},
        {BOOKS_SEND_TRANSFER, send_right(b)},
        {BOOKS_REFUND_TRANSFER, refund_right(b)},
        {BOOKS_CLAIM_CREDITED_ONCE, !b->twice},
        {BOOKS_CREDIT_MATCHES_CLAIM, !b->credit_wrong},
        {BOOKS_TRANSFER_MATCHES_CLAIM, !b->transfer_wrong},
        {BOOKS_NO_TRANSFER_WITHOUT_CLAIM, b->claim_transfers == b->claims_credited},
        {BOOKS_SEED_ONLY_WHILE_OPEN, seed_right(b)},
        {BOOKS_SEED_HASH, seed_hash_right(e)},
        {BOOKS_CLOSING_WHEN_CLOSED, !b->closing_row || e->state != STATE_OPEN},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (!rules[i].holds)
            return rules[i].rule;
    return BOOKS_AGREE;
}
