/* What archived transfers leave behind: sums, days, and a MAC over every member. */
#include "lib/base/clock.h"
#include "lib/domain/carried.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static const uint8_t KEY[CARRIED_KEY_SIZE] = {1, 2, 3}, OTHER[CARRIED_KEY_SIZE] = {1, 2, 4};

static struct carried make(void)
{
    struct carried c = {.day_us = 86400 * US_PER_S};
    memcpy(c.user, "alice", 6);
    assert_int_equal(carried_add(&c, TRANSFER_SEND, 100, 7), ERR_OK);
    assert_int_equal(carried_add(&c, TRANSFER_CLAIM, 30, 9), ERR_OK);
    assert_int_equal(carried_add(&c, TRANSFER_REFUND, 50, 8), ERR_OK);
    return c;
}

static void transfers_are_summed_up_by_kind(void **state)
{
    struct carried c = make();
    (void)state;
    assert_true(c.sends == 1 && c.send_fen == 100 && c.claims == 1 && c.claim_fen == 30);
    assert_true(c.refunds == 1 && c.refund_fen == 50);
    assert_true(c.first_entry == 7 && c.last_entry == 9 && c.entry_sum == 24);
    assert_int_equal(carried_fen(&c), -20);
    assert_int_equal(carried_count(&c), 3);
}

static void rows_of_a_day_are_merged(void **state)
{
    struct carried c = make(), more = make(), none = {.day_us = c.day_us};
    (void)state;
    more.first_entry = 3;
    more.last_entry = 5;
    more.opened_shares = 4;
    assert_int_equal(carried_merge(&c, &more), ERR_OK);
    assert_true(c.sends == 2 && c.claim_fen == 60 && c.entry_sum == 48 && c.opened_shares == 4);
    assert_true(c.first_entry == 3 && c.last_entry == 9);
    assert_int_equal(carried_merge(&c, &none), ERR_OK);
    assert_true(c.first_entry == 3 && c.last_entry == 9);
}

static void a_sum_that_overflows_is_refused(void **state)
{
    struct carried c = make(), more = {.refund_fen = INT64_MAX};
    (void)state;
    assert_int_equal(carried_merge(&c, &more), ERR_RANGE);
    c = make();
    c.claim_fen = INT64_MAX;
    assert_int_equal(carried_add(&c, TRANSFER_CLAIM, 1, 1), ERR_RANGE);
}

static void days_begin_at_the_offset(void **state)
{
    const int64_t day_us = S_PER_DAY * US_PER_S, hour_us = day_us / 24;
    (void)state;
    assert_int_equal(carried_day_us(day_us, 0), day_us);
    assert_int_equal(carried_day_us(day_us - 1, 0), 0);
    assert_int_equal(carried_day_us(day_us, 480), 16 * hour_us);
    assert_int_equal(carried_day_us(16 * hour_us - 1, 480), -8 * hour_us);
    assert_int_equal(carried_day_us(day_us, -60), hour_us);
}

static void rows_are_ordered_by_user_and_day(void **state)
{
    struct carried a = make(), b = make();
    (void)state;
    assert_int_equal(carried_order(&a, &b), 0);
    b.day_us++;
    assert_true(carried_order(&a, &b) < 0 && carried_order(&b, &a) > 0);
    memcpy(b.user, "alicd", 6);
    assert_true(carried_order(&a, &b) > 0);
}

static void every_member_is_sealed(void **state)
{
    struct carried c = make();
    (void)state;
    carried_seal(&c, KEY);
    assert_true(carried_sealed(&c, KEY));
    assert_false(carried_sealed(&c, OTHER));
    for (size_t at = offsetof(struct carried, day_us); at < offsetof(struct carried, mac);
         at += 8) {
        struct carried changed = c;
        ((uint8_t *)&changed)[at] ^= 1;
        assert_false(carried_sealed(&changed, KEY));
    }
    memcpy(c.user, "alicf", 6);
    assert_false(carried_sealed(&c, KEY));
}

static void every_member_of_a_file_is_sealed(void **state)
{
    struct archive_file f = {.number = 3, .envelopes = 10, .bytes = 1000, .sha256 = {9}};
    (void)state;
    archive_file_seal(&f, KEY);
    assert_true(archive_file_sealed(&f, KEY));
    assert_false(archive_file_sealed(&f, OTHER));
    for (size_t at = 0; at < offsetof(struct archive_file, mac); at += 8) {
        struct archive_file changed = f;
        ((uint8_t *)&changed)[at] ^= 1;
        assert_false(archive_file_sealed(&changed, KEY));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfers_are_summed_up_by_kind),
        cmocka_unit_test(rows_of_a_day_are_merged),
        cmocka_unit_test(a_sum_that_overflows_is_refused),
        cmocka_unit_test(days_begin_at_the_offset),
        cmocka_unit_test(rows_are_ordered_by_user_and_day),
        cmocka_unit_test(every_member_is_sealed),
        cmocka_unit_test(every_member_of_a_file_is_sealed),
    };
    return crypto_init() != ERR_OK ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
