/* An envelope's transitions: what must not be first, then sums, luckiest, closing. */
#include "lib/domain/envelope.h"
#include "lib/domain/ledger.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define NOW_US INT64_C(1000000000)

static struct envelope make(enum envelope_mode mode, int64_t total_fen, int64_t shares)
{
    struct envelope e;
    memset(&e, 0, sizeof e);
    memcpy(e.sender, "alice", 6);
    e.mode = mode;
    e.total_fen = total_fen;
    e.shares = shares;
    e.cap_fen = 20000;
    e.created_us = NOW_US;
    e.expires_us = 2 * NOW_US;
    e.has_seed = true;
    e.version = 1;
    memset(e.seed, 7, sizeof e.seed);
    return e;
}

static void contradictions_are_seen(void **state)
{
    const struct envelope good = make(MODE_LUCKY, 100, 4);
    struct envelope e = good;
    (void)state;
    assert_true(envelope_consistent(&e));
    e.opened_shares = 5;
    assert_false(envelope_consistent(&e));
    e = good;
    e.opened_fen = 98; /* 4 shares cannot be made of 2 fen */
    assert_false(envelope_consistent(&e));
    e = good;
    e.refunded_fen = 1; /* while open */
    assert_false(envelope_consistent(&e));
    e = good;
    e.state = STATE_SOLD_OUT;
    assert_false(envelope_consistent(&e));
    e = good;
    e.total_fen = 3;
    assert_false(envelope_consistent(&e));
    e = good;
    e.cap_fen = 24;
    assert_false(envelope_consistent(&e));
}

static void damage_is_seen_before_anything_changes(void **state)
{
    const struct envelope good = make(MODE_LUCKY, 100, 4), equal = make(MODE_EQUAL, 101, 4);
    struct envelope bad[9];
    (void)state;
    assert_false(envelope_damaged(&good) || envelope_damaged(&equal));
    for (size_t i = 0; i < 9; i++)
        bad[i] = i < 7 ? good : equal;
    bad[0].has_seed = false;
    bad[1].mode = (enum envelope_mode)7;
    bad[2].state = (enum envelope_state)7;
    bad[3].opened_fen = INT64_MAX;
    bad[4].refunded_fen = INT64_MAX;
    bad[5].cap_fen = INT64_MAX;
    bad[6].version = INT64_MAX;
    bad[7].opened_shares = 1; /* the first equal share of 101 is 26 */
    bad[7].opened_fen = 25;
    bad[8].cap_fen = 25;
    for (size_t i = 0; i < 9; i++)
        assert_true(envelope_damaged(&bad[i]) && !envelope_may_change(&bad[i]));
}

static void the_last_share_takes_all_and_closes(void **state)
{
    struct envelope e = make(MODE_LUCKY, 1000, 7);
    struct claim c;
    int64_t sum = 0, largest = 0, luckiest_seq = 0;
    (void)state;
    for (int64_t seq = 1; seq <= 7; seq++) {
        assert_int_equal(e.state, STATE_OPEN);
        envelope_open_next(&e, "bob", "Bob", NOW_US + seq, &c);
        assert_int_equal(c.seq, seq);
        assert_int_equal(e.version, 1 + seq);
        sum += c.amount_fen;
        if (c.amount_fen > largest) {
            largest = c.amount_fen;
            luckiest_seq = seq;
        }
    }
    assert_int_equal(sum, 1000);
    assert_int_equal(e.state, STATE_SOLD_OUT);
    assert_int_equal(e.closed_us, NOW_US + 7);
    assert_int_equal(e.luckiest_fen, largest);
    assert_int_equal(e.luckiest_seq, luckiest_seq); /* the earliest of equals */
}

static void equal_shares_have_no_luckiest(void **state)
{
    struct envelope e = make(MODE_EQUAL, 100, 3);
    struct claim c;
    (void)state;
    for (int i = 0; i < 3; i++)
        envelope_open_next(&e, "bob", "Bob", NOW_US, &c);
    assert_int_equal(c.amount_fen, 33);
    assert_int_equal(e.luckiest_seq, 0);
}

/* Whoever learns the claims of others comes to the same envelope, but not to its end. */
static void learning_is_adding_up(void **state)
{
    (void)state;
    for (int mode = MODE_LUCKY; mode <= MODE_EQUAL; mode++) {
        struct envelope e = make((enum envelope_mode)mode, 1000, 5), reader = e;
        for (int64_t seq = 1; seq <= 5; seq++) {
            struct claim c, wrong;
            envelope_open_next(&e, "bob", "Bob", NOW_US + seq, &c);
            const struct envelope before = reader;
            wrong = c;
            wrong.seq++;
            assert_false(envelope_learn(&reader, &wrong));
            wrong = c;
            wrong.amount_fen = 0;
            assert_false(envelope_learn(&reader, &wrong));
            wrong.amount_fen = 1000 - reader.opened_fen; /* nothing would be left for the others */
            assert_false(envelope_learn(&reader, &wrong));
            assert_memory_equal(&reader, &before, sizeof before);
            assert_int_equal(envelope_learn(&reader, &c), seq < 5);
            if (seq < 5)
                assert_memory_equal(&reader, &e, sizeof e);
        }
        assert_int_equal(reader.state, STATE_OPEN);
        assert_int_equal(reader.opened_shares, 4);
    }
}

static void expiry_returns_exactly_what_is_left(void **state)
{
    struct envelope e = make(MODE_LUCKY, 1000, 3);
    struct claim c;
    (void)state;
    envelope_open_next(&e, "bob", "Bob", NOW_US, &c);
    assert_false(envelope_past_due(&e, e.expires_us - 1));
    assert_true(envelope_past_due(&e, e.expires_us));
    assert_int_equal(envelope_expire(&e, CLOSER_DEADLINE, e.expires_us), 1000 - c.amount_fen);
    assert_int_equal(e.state, STATE_EXPIRED);
    assert_int_equal(e.refunded_fen + e.opened_fen, 1000);
    assert_true(envelope_consistent(&e));
}

static void what_closed_it_is_known(void **state)
{
    struct envelope e = make(MODE_LUCKY, 1000, 1), early = e;
    struct claim c;
    (void)state;
    e.closed_by = CLOSER_SENDER; /* of a damaged row */
    assert_int_equal(envelope_closer(&e), CLOSER_NONE);
    envelope_expire(&early, CLOSER_SENDER, NOW_US);
    assert_int_equal(envelope_closer(&early), CLOSER_SENDER);
    early.closed_by = CLOSER_NONE; /* stored by a program of before */
    assert_int_equal(envelope_closer(&early), CLOSER_OPERATOR);
    early.closed_us = early.expires_us;
    assert_int_equal(envelope_closer(&early), CLOSER_DEADLINE);
    early.closed_by = CLOSER_COUNT;
    assert_int_equal(envelope_closer(&early), CLOSER_DEADLINE);
    envelope_open_next(&e, "bob", "Bob", NOW_US, &c);
    assert_int_equal(e.closed_by, CLOSER_CLAIMS);
    e.closed_by = CLOSER_NONE;
    assert_int_equal(envelope_closer(&e), CLOSER_CLAIMS);
    assert_null(envelope_closer_name(CLOSER_NONE));
    assert_null(envelope_closer_name(CLOSER_COUNT));
    assert_string_equal(envelope_closer_name(CLOSER_OPERATOR), "operator");
}

static void only_recipients_are_admitted(void **state)
{
    const char groups[2][GROUP_SIZE] = {"family", "work"};
    struct envelope e = make(MODE_LUCKY, 100, 2);
    (void)state;
    assert_true(envelope_admits(&e, "anybody", NULL, 0));
    assert_false(envelope_admits(&e, "guest:1", NULL, 0));
    e.to_kind = TO_USERS;
    memcpy(e.to, "bob carol", 10);
    assert_false(envelope_admits(&e, "bo", NULL, 0));
    assert_false(envelope_admits(&e, "bobc", NULL, 0));
    assert_true(envelope_admits(&e, "carol", NULL, 0));
    e.to_kind = TO_GROUP;
    memcpy(e.to, "work", 5);
    assert_false(envelope_admits(&e, "bob", groups, 1));
    assert_true(envelope_admits(&e, "bob", groups, 2));
}

static void a_claim_has_one_journal_for_ever(void **state)
{
    struct id envelope = {{1, 2, 3}};
    (void)state;
    struct transfer a = transfer_for_claim("bob", &envelope, 3, 50, NOW_US);
    struct transfer b = transfer_for_claim("bob", &envelope, 3, 50, NOW_US);
    struct transfer c = transfer_for_claim("bob", &envelope, 4, 50, NOW_US);
    assert_int_equal(a.ref_len, 20);
    assert_memory_equal(a.ref, b.ref, 20);
    assert_int_equal(id_compare(&a.id, &b.id), 0);
    assert_memory_not_equal(a.ref, c.ref, 20);
    assert_int_not_equal(id_compare(&a.id, &c.id), 0);
    assert_int_equal(transfer_sign(TRANSFER_SEND), -1);
    assert_int_equal(transfer_sign(TRANSFER_CLAIM), 1);
}

static void amounts_are_veiled_from_those_who_may_still_open(void **state)
{
    struct envelope e = make(MODE_LUCKY, 100, 3);
    (void)state;
    assert_false(envelope_veiled(&e, "alice", false));
    assert_true(envelope_veiled(&e, "bob", false));
    assert_false(envelope_veiled(&e, "bob", true));
    e.state = STATE_EXPIRED;
    assert_false(envelope_veiled(&e, "bob", false));
    e.state = STATE_SOLD_OUT;
    assert_false(envelope_veiled(&e, "bob", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictions_are_seen),
        cmocka_unit_test(damage_is_seen_before_anything_changes),
        cmocka_unit_test(the_last_share_takes_all_and_closes),
        cmocka_unit_test(equal_shares_have_no_luckiest),
        cmocka_unit_test(learning_is_adding_up),
        cmocka_unit_test(expiry_returns_exactly_what_is_left),
        cmocka_unit_test(what_closed_it_is_known),
        cmocka_unit_test(only_recipients_are_admitted),
        cmocka_unit_test(amounts_are_veiled_from_those_who_may_still_open),
        cmocka_unit_test(a_claim_has_one_journal_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
