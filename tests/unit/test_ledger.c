/* Transfers: sign, reference and id. The reference is the unique key that makes a credit happen
 * once, so every bit of seq and of the envelope's id must be in it. */
#include "lib/base/crypto.h"
#include "lib/domain/ledger.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define OPENED_US INT64_C(1700000000123456)

static const struct id envelope = {{1, 2, 3, 4, 5, 6, 0x70, 7, 0x88, 9, 10, 11, 12, 13, 14, 15}};

static void test_reference_of_a_claim_is_envelope_and_seq(void **state)
{
    static const uint8_t expected[20] = {1,  2,  3,  4,  5,  6,  0x70, 7,    0x88, 9,
                                         10, 11, 12, 13, 14, 15, 0x00, 0x0a, 0xbc, 0xde};
    struct transfer t = transfer_for_claim("bob", &envelope, 0xabcde, 50, OPENED_US);
    (void)state;
    assert_int_equal(t.ref_len, sizeof expected);
    assert_memory_equal(t.ref, expected, sizeof expected);
    assert_int_equal(t.kind, TRANSFER_CLAIM);
    assert_string_equal(t.user, "bob");
    assert_int_equal(t.amount_fen, 50);
    assert_int_equal(t.at_us, OPENED_US);
}

static void test_id_of_a_claim_depends_on_envelope_and_seq_and_has_the_opening_time(void **state)
{
    struct id other = envelope;
    (void)state;
    other.b[15]++;
    struct id one = transfer_claim_id(&envelope, 1, OPENED_US);
    struct id again = transfer_claim_id(&envelope, 1, OPENED_US);
    struct id next = transfer_claim_id(&envelope, 2, OPENED_US);
    struct id far = transfer_claim_id(&envelope, 1 + 256, OPENED_US);
    struct id elsewhere = transfer_claim_id(&other, 1, OPENED_US);
    assert_int_equal(id_compare(&one, &again), 0);
    assert_int_not_equal(id_compare(&one, &next), 0);
    assert_int_not_equal(id_compare(&one, &far), 0);
    assert_int_not_equal(id_compare(&one, &elsewhere), 0);
    assert_int_equal(id_time_us(&one), OPENED_US / 1000 * 1000);
    assert_int_equal(id_set(&one), id_set(&envelope));
}

static void test_send_and_refund_refer_to_the_envelope(void **state)
{
    (void)state;
    struct transfer send = transfer_for_send(&rng_system, "al", &envelope, 7, OPENED_US);
    struct transfer refund = transfer_for_refund(&rng_system, "al", &envelope, 3, OPENED_US);
    assert_int_equal(send.kind, TRANSFER_SEND);
    assert_int_equal(refund.kind, TRANSFER_REFUND);
    assert_int_equal(send.ref_len, ID_SIZE);
    assert_memory_equal(send.ref, envelope.b, ID_SIZE);
    assert_memory_equal(refund.ref, envelope.b, ID_SIZE);
    assert_int_equal(send.balance_fen, -1);
    assert_int_equal(id_time_us(&send.id), OPENED_US / 1000 * 1000);
    assert_int_equal(id_set(&refund.id), id_set(&envelope));
}

static void test_sign_of_each_kind(void **state)
{
    static const int signs[] = {[TRANSFER_TOPUP] = 1,
                                [TRANSFER_WITHDRAW] = -1,
                                [TRANSFER_SEND] = -1,
                                [TRANSFER_CLAIM] = 1,
                                [TRANSFER_REFUND] = 1};
    (void)state;
    for (int kind = TRANSFER_TOPUP; kind <= TRANSFER_REFUND; kind++)
        assert_int_equal(transfer_sign((enum transfer_kind)kind), signs[kind]);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init() == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_of_a_claim_is_envelope_and_seq),
        cmocka_unit_test(test_id_of_a_claim_depends_on_envelope_and_seq_and_has_the_opening_time),
        cmocka_unit_test(test_send_and_refund_refer_to_the_envelope),
        cmocka_unit_test(test_sign_of_each_kind),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
