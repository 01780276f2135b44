/* Every condition under which the books of an envelope do not agree: each row breaks one thing in
 * books that agree, and names the rule that must notice. */
#include "lib/base/crypto.h"
#include "lib/domain/books.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define SHARES 3
#define TOTAL_FEN 100
#define CLAIMS 2

struct case_books {
    struct envelope envelope;
    size_t n_claims;
    struct books_claim claims[SHARES + 1];
    int64_t sends, refunds, bookings_without_claim, send_fen, refund_fen;
    const char *send_user, *refund_user;
    bool seed_row, closing_row;
    int64_t seed_expires_us;
};

/* An expired envelope: two claims, one booked and one pending, the rest refunded. */
static void make(struct case_books *c)
{
    static const int64_t amounts[CLAIMS] = {40, 30};
    memset(c, 0, sizeof *c);
    struct envelope *e = &c->envelope;
    *e = (struct envelope){.mode = MODE_LUCKY,
                           .total_fen = TOTAL_FEN,
                           .shares = SHARES,
                           .cap_fen = 50,
                           .state = STATE_EXPIRED,
                           .opened_shares = CLAIMS,
                           .opened_fen = 70,
                           .refunded_fen = 30,
                           .closed_us = 9,
                           .expires_us = 8,
                           .has_seed = true,
                           .luckiest_seq = 1,
                           .luckiest_fen = 40,
                           .version = 4};
    memcpy(e->sender, "al", 3);
    memcpy(e->luckiest_user, "u1", 3);
    draw_seed_hash(e->seed_hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
    c->n_claims = CLAIMS;
    for (size_t i = 0; i < CLAIMS; i++) {
        struct books_claim *claim = &c->claims[i];
        claim->claim = (struct claim){.amount_fen = amounts[i], .seq = (int64_t)i + 1};
        snprintf(claim->claim.user, USER_SIZE, "u%zu", i + 1);
        memcpy(claim->credited_user, claim->claim.user, USER_SIZE);
        claim->credited = i == 0;
        claim->pending = !claim->credited;
        claim->pending_seq = claim->claim.seq;
        claim->pending_fen = claim->credited_fen = amounts[i];
    }
    c->sends = c->refunds = 1;
    c->send_fen = TOTAL_FEN;
    c->refund_fen = 30;
    c->send_user = c->refund_user = "al";
}

static enum books_rule check(const struct case_books *c)
{
    static struct books b;
    memset(&b, 0, sizeof b);
    b.envelope = c->envelope;
    b.seed_row = c->seed_row;
    b.closing_row = c->closing_row;
    b.seed_expires_us = c->seed_expires_us;
    for (size_t i = 0; i < c->n_claims; i++) {
        books_add_claim(&b, &c->claims[i]);
        if (c->claims[i].credited)
            books_add_transfer(&b, TRANSFER_CLAIM, c->claims[i].credited_user,
                               c->claims[i].credited_fen);
    }
    for (int64_t i = 0; i < c->sends; i++)
        books_add_transfer(&b, TRANSFER_SEND, c->send_user, c->send_fen);
    for (int64_t i = 0; i < c->refunds; i++)
        books_add_transfer(&b, TRANSFER_REFUND, c->refund_user, c->refund_fen);
    for (int64_t i = 0; i < c->bookings_without_claim; i++)
        books_add_transfer(&b, TRANSFER_CLAIM, "u9", 1);
    return books_check(&b);
}

/* The envelope is open again, with its seed where it belongs. */
static void reopen(struct case_books *c)
{
    c->envelope.state = STATE_OPEN;
    c->envelope.refunded_fen = c->envelope.closed_us = 0;
    c->envelope.has_seed = false;
    c->refunds = 0;
    c->seed_row = true;
    c->seed_expires_us = c->envelope.expires_us;
}

#define EACH_CASE(X)                                                                               \
    X(BOOKS_ENVELOPE_SUMS, c->envelope.refunded_fen--)                                             \
    X(BOOKS_ENVELOPE_SUMS, c->envelope.opened_fen++)                                               \
    X(BOOKS_ENVELOPE_SUMS, c->envelope.state = STATE_SOLD_OUT)                                     \
    X(BOOKS_ENVELOPE_SUMS, c->envelope.closed_us = 0)                                              \
    X(BOOKS_CLAIMS_MATCH_ENVELOPE, c->n_claims = 1)                                                \
    X(BOOKS_CLAIMS_MATCH_ENVELOPE, c->claims[1].claim.amount_fen++)                                \
    X(BOOKS_SEQ_WITHOUT_HOLES, c->claims[1].claim.seq = 3)                                         \
    X(BOOKS_SEQ_WITHOUT_HOLES, c->claims[1].claim.seq = 1)                                         \
    X(BOOKS_SEQ_WITHOUT_HOLES, c->claims[0].claim.seq = 0)                                         \
    X(BOOKS_SHARE_WITHIN_CAP,                                                                      \
      (c->claims[0].claim.amount_fen = 51, c->claims[1].claim.amount_fen = 19))                    \
    X(BOOKS_SHARE_WITHIN_CAP,                                                                      \
      (c->claims[0].claim.amount_fen = 0, c->claims[1].claim.amount_fen = 70))                     \
    X(BOOKS_LUCKIEST, c->envelope.luckiest_seq = 2)                                                \
    X(BOOKS_LUCKIEST, c->envelope.luckiest_fen--)                                                  \
    X(BOOKS_LUCKIEST, c->envelope.luckiest_user[1] = '2')                                          \
    X(BOOKS_ENVELOPE_SUMS, c->envelope.mode = MODE_EQUAL)                                          \
    X(BOOKS_SEND_TRANSFER, c->sends = 0)                                                           \
    X(BOOKS_SEND_TRANSFER, (c->sends = 2, c->send_fen = TOTAL_FEN / 2))                            \
    X(BOOKS_SEND_TRANSFER, c->send_fen--)                                                          \
    X(BOOKS_SEND_TRANSFER, c->send_user = "eve")                                                   \
    X(BOOKS_REFUND_TRANSFER, c->refunds = 0)                                                       \
    X(BOOKS_REFUND_TRANSFER, (c->refunds = 2, c->refund_fen = 15))                                 \
    X(BOOKS_REFUND_TRANSFER, c->refund_fen++)                                                      \
    X(BOOKS_REFUND_TRANSFER, c->refund_user = "eve")                                               \
    X(BOOKS_REFUND_TRANSFER, (reopen(c), c->refunds = 1))                                          \
    X(BOOKS_CLAIM_CREDITED_ONCE, c->claims[0].pending = true)                                      \
    X(BOOKS_CREDIT_MATCHES_CLAIM, c->claims[1].pending_fen++)                                      \
    X(BOOKS_CREDIT_MATCHES_CLAIM, c->claims[1].pending_seq++)                                      \
    X(BOOKS_TRANSFER_MATCHES_CLAIM, c->claims[0].credited_fen++)                                   \
    X(BOOKS_TRANSFER_MATCHES_CLAIM, c->claims[0].credited_user[1] = '9')                           \
    X(BOOKS_NO_TRANSFER_WITHOUT_CLAIM, c->bookings_without_claim = 1)                              \
    X(BOOKS_SEED_ONLY_WHILE_OPEN, c->envelope.has_seed = false)                                    \
    X(BOOKS_SEED_ONLY_WHILE_OPEN, c->seed_row = true)                                              \
    X(BOOKS_SEED_ONLY_WHILE_OPEN, (reopen(c), c->seed_row = false))                                \
    X(BOOKS_SEED_ONLY_WHILE_OPEN, (reopen(c), c->envelope.has_seed = true))                        \
    X(BOOKS_SEED_ONLY_WHILE_OPEN, (reopen(c), c->seed_expires_us++))                               \
    X(BOOKS_SEED_HASH, c->envelope.seed[31] ^= 1)                                                  \
    X(BOOKS_SEED_HASH, c->envelope.seed_hash[0] ^= 1)                                              \
    X(BOOKS_CLOSING_WHEN_CLOSED, (reopen(c), c->closing_row = true))                               \
    X(BOOKS_AGREE, reopen(c))                                                                      \
    X(BOOKS_AGREE, c->closing_row = true)                                                          \
    X(BOOKS_AGREE, c->claims[1].pending = false) /* lost, and can be queued again */

#define CASE_ROW(rule, change) {rule, #change},
static const struct {
    enum books_rule rule;
    const char *change;
} cases[] = {EACH_CASE(CASE_ROW)};

static void apply(struct case_books *c, size_t number)
{
    size_t at = 0;
#define APPLY(rule, change)                                                                        \
    if (at++ == number)                                                                            \
        (void)(change);
    EACH_CASE(APPLY)
}

static void test_each_broken_condition_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct case_books c;
        make(&c);
        assert_int_equal(check(&c), BOOKS_AGREE);
        apply(&c, i);
        enum books_rule found = check(&c);
        if (found != cases[i].rule)
            fail_msg("%s: %s instead of %s", cases[i].change, books_rule_name(found),
                     books_rule_name(cases[i].rule));
    }
}

static void test_rules_have_distinct_names(void **state)
{
    (void)state;
    for (int64_t i = 0; i < BOOKS_RULES; i++)
        for (int64_t k = 0; k < i; k++)
            assert_string_not_equal(books_rule_name(i), books_rule_name(k));
    assert_string_equal(books_rule_name(-1), "unknown");
    assert_string_equal(books_rule_name(BOOKS_RULES), "unknown");
}

/* Each change contradicts an envelope that is consistent: kind 0 open, 1 sold out, 2 expired. */
#define EACH_CONTRADICTION(X)                                                                      \
    X(0, e->refunded_fen = 1)                                                                      \
    X(0, e->closed_us = 1)                                                                         \
    X(0, (e->opened_shares = SHARES, e->opened_fen = TOTAL_FEN))                                   \
    X(0, e->opened_fen = TOTAL_FEN - 1) /* one fen for two shares */                               \
    X(0, e->cap_fen = 39)               /* 79 fen for two shares */                                \
    X(0, e->shares = 0)                                                                            \
    X(0, e->shares = SHARES_LIMIT + 1)                                                             \
    X(0, e->total_fen = AMOUNT_MAX_FEN + 1)                                                        \
    X(0, e->cap_fen = 0)                                                                           \
    X(0, e->cap_fen = AMOUNT_MAX_FEN + 1)                                                          \
    X(0, e->opened_shares = -1)                                                                    \
    X(0, e->opened_fen = 0)                                                                        \
    X(0, e->state = (enum envelope_state)3)                                                        \
    X(1, e->opened_shares--)                                                                       \
    X(1, e->opened_fen--)                                                                          \
    X(1, e->refunded_fen++)                                                                        \
    X(1, e->closed_us = 0)                                                                         \
    X(1, e->opened_shares++)                                                                       \
    X(2, (e->opened_shares = SHARES, e->opened_fen = TOTAL_FEN, e->refunded_fen = 0))              \
    X(2, e->refunded_fen--)                                                                        \
    X(2, e->refunded_fen++)                                                                        \
    X(2, e->closed_us = 0)

static void make_envelope(struct envelope *e, int kind)
{
    *e = (struct envelope){.mode = MODE_LUCKY,
                           .total_fen = TOTAL_FEN,
                           .shares = SHARES,
                           .cap_fen = 50,
                           .opened_shares = 1,
                           .opened_fen = 21};
    if (kind == 1) {
        e->opened_shares = SHARES;
        e->opened_fen = TOTAL_FEN;
    }
    if (kind == 2)
        e->refunded_fen = TOTAL_FEN - 21;
    e->state = (enum envelope_state)kind;
    e->closed_us = kind == 0 ? 0 : 5;
}

static void test_each_contradiction_of_an_envelope_is_seen(void **state)
{
    struct envelope made, *e = &made;
    (void)state;
#define CONTRADICT(kind, change)                                                                   \
    make_envelope(e, kind);                                                                        \
    assert_true(envelope_consistent(e));                                                           \
    (void)(change);                                                                                \
    if (envelope_consistent(e))                                                                    \
        fail_msg("kind %d is still consistent after: %s", kind, #change);
    EACH_CONTRADICTION(CONTRADICT)
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init() == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_broken_condition_is_named),
        cmocka_unit_test(test_rules_have_distinct_names),
        cmocka_unit_test(test_each_contradiction_of_an_envelope_is_seen),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
