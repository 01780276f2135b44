/* What all tables say of one envelope at one moment, and whether they agree. Pure. */
#ifndef HONGBAO_DOMAIN_BOOKS_H
#define HONGBAO_DOMAIN_BOOKS_H

#include "lib/domain/envelope.h"
#include "lib/domain/ledger.h"

#define BOOKS_LOST_MAX 16

/* The invariants, in the order in which they are checked. The numbers are stored: add at the end.
 */
enum books_rule {
    BOOKS_AGREE = 0,
    BOOKS_ENVELOPE_SUMS,         /* sums, counts and state of the envelope's own row */
    BOOKS_CLAIMS_MATCH_ENVELOPE, /* opened shares and sum are those of the claims */
    BOOKS_SEQ_WITHOUT_HOLES,
    BOOKS_SHARE_WITHIN_CAP,
    BOOKS_LUCKIEST,
    BOOKS_SEND_JOURNAL,           /* paid for once, in full, by the sender */
    BOOKS_REFUND_JOURNAL,         /* what was refunded was booked once, to the sender */
    BOOKS_CLAIM_CREDITED_ONCE,    /* no claim is both pending and booked */
    BOOKS_CREDIT_MATCHES_CLAIM,   /* position and amount of what is pending */
    BOOKS_BOOKING_MATCHES_CLAIM,  /* user and amount of what is booked */
    BOOKS_NO_BOOKING_OF_NO_CLAIM, /* nothing is booked that nobody opened */
    BOOKS_SEED_ONLY_WHILE_OPEN,   /* the open have a secret seed, the closed show theirs */
    BOOKS_SEED_HASH,              /* the seed shown is the one promised */
    BOOKS_CLOSING_WHEN_CLOSED,    /* only closed envelopes wait for the yearly totals */
    BOOKS_RULES
};
/* Stable snake_case name of a rule; "unknown" for any other number. */
const char *books_rule_name(int64_t rule);

/* A claim, and what became of it. */
struct books_claim {
    struct claim claim;
    bool pending, booked;
    int64_t pending_seq, pending_fen, booked_fen;
    char booked_user[USER_SIZE];
};

struct books {
    struct envelope envelope; /* seed: as the row shows it, has_seed only if it does */
    bool seed_row, closing_row;
    int64_t seed_expires_us;
    /* added up by books_add_claim, in the order of seq */
    int64_t claims, claims_fen, claims_booked;
    struct claim largest; /* the first of the largest; seq 0: none */
    bool seq_wrong, share_wrong, twice, credit_wrong, booking_wrong;
    size_t n_lost; /* claims neither pending nor booked; the first of them are kept */
    struct claim lost[BOOKS_LOST_MAX];
    /* added up by books_add_transfer */
    int64_t sends, refunds, bookings, send_fen, refund_fen;
    bool send_user_wrong, refund_user_wrong;
};

void books_add_claim(struct books *b, const struct books_claim *c);
void books_add_transfer(struct books *b, enum transfer_kind kind, const char *user,
                        int64_t amount_fen);
/* The first rule that does not hold; BOOKS_AGREE: all do. Lost claims break none: they can be
 * queued again. */
MUST_USE enum books_rule books_check(const struct books *b);

#endif
