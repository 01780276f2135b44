/* The table of closed envelopes: an entry is of one envelope alone, whatever shares its place. */
#include "lib/service/grab/closed_table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct closed_table *table;

static int set_up(void **state)
{
    (void)state;
    table = closed_table_new();
    return table != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    closed_table_free(table);
    return 0;
}

/* Ids that differ in their first byte alone share a place. */
static struct id make(uint8_t first)
{
    struct id id = {.b = {first, [ID_SIZE - 1] = 7}};
    return id;
}

static void expect(const struct id *id, enum envelope_state state, bool restricted)
{
    bool found = !restricted;
    assert_int_equal(closed_table_get(table, id, &found), state);
    assert_int_equal(found, restricted);
}

static void what_was_put_is_found(void **state)
{
    struct id a = make(1), b = make(1);
    b.b[ID_SIZE - 4]++;
    (void)state;
    expect(&a, STATE_OPEN, false);
    closed_table_put(table, &a, STATE_SOLD_OUT, false);
    closed_table_put(table, &b, STATE_EXPIRED, true);
    expect(&a, STATE_SOLD_OUT, false);
    expect(&b, STATE_EXPIRED, true);
}

static void another_one_in_its_place_is_not_taken_for_it(void **state)
{
    struct id a = make(1), b = make(2);
    (void)state;
    assert_int_equal(id_slot(&a, SIZE_MAX), id_slot(&b, SIZE_MAX));
    closed_table_put(table, &a, STATE_SOLD_OUT, true);
    expect(&b, STATE_OPEN, false);
    closed_table_put(table, &b, STATE_EXPIRED, false);
    expect(&a, STATE_OPEN, false); /* evicted */
    expect(&b, STATE_EXPIRED, false);
}

static void an_id_of_zeros_is_not_found_in_an_empty_table(void **state)
{
    struct id zero = {.b = {0}};
    (void)state;
    expect(&zero, STATE_OPEN, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_put_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_one_in_its_place_is_not_taken_for_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_id_of_zeros_is_not_found_in_an_empty_table, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
