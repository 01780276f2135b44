/* Text, numbers, ids, clocks, rates: what must be refused, and the edges. */
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/base/metrics.h"
#include "lib/base/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void a_buffer_stops_at_its_ceiling(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 5);
    buf_puts(&b, "12345");
    assert_false(b.failed);
    buf_putc(&b, '6');
    assert_true(b.failed);
    buf_puts(&b, "");
    assert_true(b.failed);
    assert_string_equal(b.data, "12345");
    buf_reset(&b);
    buf_printf(&b, "%d", 1234);
    assert_string_equal(b.data, "1234");
    buf_free(&b);
}

static void only_plain_numbers_are_numbers(void **state)
{
    static const char *const bad[] = {"",    "-1", "+1", "01",  "1.0",
                                      "1e2", " 1", "1 ", "0x1", "9223372036854775808"};
    int64_t n = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(str_to_i64(bad[i], strlen(bad[i]), &n));
    assert_int_equal(n, 7);
    assert_true(str_to_i64("9223372036854775807", 19, &n));
    assert_true(n == INT64_MAX);
    assert_true(str_to_i64("0", 1, &n));
    assert_int_equal(n, 0);
}

static void ids_keep_their_time_and_order(void **state)
{
    char text[ID_TEXT_SIZE];
    struct id a, b;
    (void)state;
    assert_int_equal(crypto_init(), ERR_OK);
    struct id early = id_make(&rng_system, INT64_C(1700000000123456), 5);
    struct id late = id_make(&rng_system, INT64_C(1700000000124000), 0);
    assert_true(id_compare(&early, &late) < 0);
    assert_true(id_time_us(&early) == INT64_C(1700000000123000));
    assert_int_equal(id_set(&early), 5);
    id_format(text, &early);
    assert_true(id_parse(&a, text, 36));
    assert_int_equal(id_compare(&a, &early), 0);
    assert_false(id_parse(&b, text, 35));
    text[0] = 'A';
    assert_false(id_parse(&b, text, 36));
}

static void the_year_begins_where_the_site_is(void **state)
{
    const int64_t edge_us = INT64_C(1798732800000000); /* 2026-12-31T16:00:00Z */
    char text[CLOCK_TEXT_SIZE];
    (void)state;
    assert_int_equal(clock_year_of(edge_us - 1, 480), 2026);
    assert_int_equal(clock_year_of(edge_us, 480), 2027);
    assert_int_equal(clock_year_of(edge_us, 0), 2026);
    assert_true(clock_year_start_us(2027, 480) == edge_us);
    assert_int_equal(clock_day_of(edge_us, 480) - clock_day_of(edge_us - 1, 480), 1);
    clock_format(text, edge_us - 1);
    assert_string_equal(text, "2026-12-31T15:59:59.999Z");
}

static const struct rate ten_per_s = {.kind = RATE_GRABS, .interval_us = 100000, .burst = 20};

static void a_rate_allows_its_burst_and_no_more(void **state)
{
    struct metrics *m = metrics_private();
    int64_t wait_us = 0, now_us = 50000000;
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_true(metrics_rate_allow(m, &ten_per_s, "u", now_us, &wait_us));
    assert_false(metrics_rate_allow(m, &ten_per_s, "u", now_us, &wait_us));
    assert_int_equal(wait_us, 100000);
    assert_true(metrics_rate_allow(m, &ten_per_s, "v", now_us, &wait_us));
    assert_true(metrics_rate_allow(m, &ten_per_s, "u", now_us + 100000, &wait_us));
    assert_false(metrics_rate_allow(m, &ten_per_s, "u", now_us + 100000, &wait_us));
    struct rate other = ten_per_s;
    other.kind = RATE_SENDS;
    assert_true(metrics_rate_allow(m, &other, "u", now_us + 100000, &wait_us));
}

/* 200,000 others, more than there are buckets, each at its limit: none of them may cost this user a
 * request. */
static void a_rate_counts_one_user(void **state)
{
    struct metrics *m = metrics_private();
    struct rate once = {.kind = RATE_GRABS, .interval_us = 1000000, .burst = 1};
    int64_t wait_us = 0, now_us = 50000000;
    char other[16];
    (void)state;
    for (int i = 0; i < 200000; i++) {
        snprintf(other, sizeof other, "eve%d", i);
        assert_true(metrics_rate_allow(m, &once, other, now_us, &wait_us));
    }
    assert_true(metrics_rate_allow(m, &once, "alice", now_us, &wait_us));
    assert_false(metrics_rate_allow(m, &once, "alice", now_us, &wait_us));
}

/* After a restart of the machine the monotonic clock begins again, and the file may be old. */
static void a_rate_survives_a_restart(void **state)
{
    struct metrics *m = metrics_private();
    int64_t wait_us = 0;
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_true(metrics_rate_allow(m, &ten_per_s, "u", INT64_C(900000000000), &wait_us));
    assert_true(metrics_rate_allow(m, &ten_per_s, "u", 1000000, &wait_us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_stops_at_its_ceiling),
        cmocka_unit_test(only_plain_numbers_are_numbers),
        cmocka_unit_test(ids_keep_their_time_and_order),
        cmocka_unit_test(the_year_begins_where_the_site_is),
        cmocka_unit_test(a_rate_allows_its_burst_and_no_more),
        cmocka_unit_test(a_rate_counts_one_user),
        cmocka_unit_test(a_rate_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
