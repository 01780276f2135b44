/* The host's row and the notice of a restore. */
#include "lib/service/settle/host.h"
#include "tests/fake/fake_service.h"
#include "tests/fake/memory_store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static int set_up(void **state)
{
    static struct fake_service f;
    fake_service_init(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fake_service_end(*state);
    return 0;
}

/* Beat as a pool's worker that works with the generation whose first byte this is; 0: with none. */
static void beat(struct fake_service *f, uint8_t first)
{
    const uint8_t generation[16] = {first};
    const struct metric_worker w = {.program = PROGRAM_GRAB,
                                    .ready = true,
                                    .generation = first != 0 ? metrics_generation(generation) : 0};
    metrics_beat(f->runtime.metrics, &w, f->clock.mono_us);
}

/* Return true if the row has the runtime's generation. */
static bool follows(struct fake_service *f)
{
    uint8_t row[16];
    bool restored = true;
    assert_int_equal(host_step(&f->runtime, f->store, "web1", &restored), ERR_OK);
    assert_false(restored);
    assert_string_equal(memory_db_host(f->db, row), "web1");
    return bytes_equal(row, f->runtime.generation, sizeof row);
}

static void a_host_follows_with_its_last_process(void **state)
{
    struct fake_service *f = *state;
    uint8_t generation[16] = {7};
    memory_db_set_generation(f->db, generation);
    memcpy(f->runtime.generation, generation, sizeof generation);
    assert_true(follows(f)); /* no process */
    beat(f, 6);
    assert_false(follows(f));
    fixed_clock_advance(&f->clock, 30 * FAKE_US_PER_S); /* it exists: it may have been stopped */
    assert_false(follows(f));
    beat(f, 0);
    assert_true(follows(f));
    beat(f, 7);
    assert_true(follows(f));
}

static void a_process_that_is_gone_does_not_count(void **state)
{
    struct fake_service *f = *state;
    f->runtime.generation[0] = 7;
    memory_db_set_generation(f->db, f->runtime.generation);
    beat(f, 6);
    fixed_clock_advance(&f->clock, 61 * FAKE_US_PER_S);
    assert_true(follows(f));
}

static void a_restore_is_noticed_and_no_row_written(void **state)
{
    struct fake_service *f = *state;
    uint8_t generation[16] = {8}, row[16];
    bool restored = false;
    f->runtime.generation[0] = 7;
    memory_db_set_generation(f->db, generation);
    assert_int_equal(host_step(&f->runtime, f->store, "web1", &restored), ERR_OK);
    assert_true(restored);
    assert_string_equal(memory_db_host(f->db, row), "");
}

static void a_database_that_is_away_says_nothing(void **state)
{
    struct fake_service *f = *state;
    uint8_t row[16];
    bool restored = true;
    memory_db_fail(f->db, MEMORY_GENERATION, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(host_step(&f->runtime, f->store, "web1", &restored), ERR_UNAVAILABLE);
    assert_false(restored);
    memory_db_set_generation(f->db, f->runtime.generation);
    memory_db_fail(f->db, MEMORY_HOST_BEAT, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(host_step(&f->runtime, f->store, "web1", &restored), ERR_UNAVAILABLE);
    assert_string_equal(memory_db_host(f->db, row), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_host_follows_with_its_last_process),
        TEST(a_process_that_is_gone_does_not_count),
        TEST(a_restore_is_noticed_and_no_row_written),
        TEST(a_database_that_is_away_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
