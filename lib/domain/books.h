/* The books of an envelope: what all tables hold of it at one moment, and whether they agree. Pure.
 */
#ifndef HONGBAO_DOMAIN_BOOKS_H
#define HONGBAO_DOMAIN_BOOKS_H

#include "lib/domain/envelope.h"
#include "lib/domain/ledger.h"

#define BOOKS_LOST_MAX 16

/* The invariants, in the order in which they are checked. The numbers are stored in the column
 * frozen, so new rules are added at the end. */
enum books_rule {
    BOOKS_AGREE = 0,
    BOOKS_ENVELOPE_SUMS,         /* sums, counts and state of the envelope's own row */
    BOOKS_CLAIMS_MATCH_ENVELOPE, /* opened shares and sum are those of the claims */
    BOOKS_SEQ_WITHOUT_HOLES,
    BOOKS_SHARE_WITHIN_CAP,
    BOOKS_LUCKIEST,
    BOOKS_SEND_TRANSFER,             /* paid for once, in full, by the sender */
    BOOKS_REFUND_TRANSFER,           /* what was refunded was transferred once, to the sender */
    BOOKS_CLAIM_CREDITED_ONCE,       /* no claim is both pending and credited */
    BOOKS_CREDIT_MATCHES_CLAIM,      /* seq and amount of a pending credit */
    BOOKS_TRANSFER_MATCHES_CLAIM,    /* user and amount of a claim's transfer */
    BOOKS_NO_TRANSFER_WITHOUT_CLAIM, /* every claim transfer has its claim */
    BOOKS_SEED_ONLY_WHILE_OPEN,      /* open: secret seed; closed: published seed */
    BOOKS_SEED_HASH,                 /* the published seed is the promised one */
    BOOKS_CLOSING_WHEN_CLOSED,       /* only closed envelopes wait for the year totals */
    BOOKS_BY_OPERATOR,               /* no rule: an operator froze it */
    BOOKS_RULES
};
/* Return the stable snake_case name of rule, a static string; "unknown" for any other number. */
const char *books_rule_name(int64_t rule);

/* A claim, and the rows of other tables that belong to it. */
struct books_claim {
    struct claim claim;
    bool pending; /* it has a row in credit, with the next two members */
    int64_t pending_seq, pending_fen;
    bool credited; /* it has a transfer, with the next two members */
    int64_t credited_fen;
    char credited_user[USER_SIZE];
};

/* Zero it and fill the first three lines; the rest is summed up by books_add_*. */
struct books {
    struct envelope envelope; /* seed as the row shows it, has_seed only if it does */
    bool seed_row, closing_row;
    int64_t seed_expires_us; /* of the seed row */
    /* summed up by books_add_claim */
    int64_t claims, claims_fen, claims_credited;
    struct claim largest; /* the first of the largest; seq 0: none */
    bool seq_wrong, share_wrong, twice, credit_wrong, transfer_wrong;
    size_t n_lost; /* claims neither pending nor credited; the first BOOKS_LOST_MAX are kept */
    struct claim lost[BOOKS_LOST_MAX];
    /* summed up by books_add_transfer */
    int64_t sends, refunds, claim_transfers, send_fen, refund_fen;
    bool send_user_wrong, refund_user_wrong;
};

/* Add claim c of the envelope to b. Claims must come in the order of seq. */
void books_add_claim(struct books *b, const struct books_claim *c);
/* Add a transfer of the envelope to b: its kind, user and amount_fen. */
void books_add_transfer(struct books *b, enum transfer_kind kind, const char *user,
                        int64_t amount_fen);
/* Return the first rule that b violates, or BOOKS_AGREE. Lost claims violate none: their credits
 * can be queued again. */
MUST_USE enum books_rule books_check(const struct books *b);

#endif
