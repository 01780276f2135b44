/* What readyz and the metrics are made of: schema, generation, a write, the beats of processes, and
 * where the money is. */
#include "lib/service/account/status.h"
#include "lib/service/settle/gauges.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct fixture {
    struct fake_service fake;
    struct account_service service;
};

static void beat(struct fixture *f, enum metric_program program, bool ready)
{
    const struct metric_worker w = {.program = program, .ready = ready, .threads = 3, .busy = 1};
    metrics_beat(f->fake.runtime.metrics, &w, f->fake.clock.mono_us);
}

static int set_up(void **state)
{
    static const struct session_pool_settings one = {.threads = 4};
    static struct fixture f;
    fake_service_init(&f.fake);
    f.service = (struct account_service){.runtime = &f.fake.runtime,
                                         .sessions = session_pool_new(&f.fake.runtime, &one)};
    *state = &f;
    return f.service.sessions == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    session_pool_free(f->service.sessions);
    fake_service_end(&f->fake);
    return 0;
}

static enum status_fault fault(struct fixture *f, struct status_ready *out)
{
    status_check(&f->service, f->fake.runtime.generation, 0, out);
    return out->fault;
}

/* One process has one place, so a test can beat for one program only: the others are missing. */
static void a_pool_without_a_beat_is_down(void **state)
{
    struct fixture *f = *state;
    struct status_ready r;
    assert_int_equal(fault(f, &r), STATUS_POOL_DOWN);
    assert_int_equal(r.pool, PROGRAM_SEND);
    beat(f, PROGRAM_SEND, true);
    assert_int_equal(fault(f, &r), STATUS_POOL_DOWN);
    assert_int_equal(r.pool, PROGRAM_GRAB);
    beat(f, PROGRAM_SEND, false); /* it runs, and cannot work */
    assert_int_equal(fault(f, &r), STATUS_POOL_DOWN);
    assert_int_equal(r.pool, PROGRAM_SEND);
}

static void beats_age(void **state)
{
    struct fixture *f = *state;
    struct metrics *m = f->fake.runtime.metrics;
    beat(f, PROGRAM_OPEN, true);
    int64_t now_us = f->fake.clock.mono_us;
    assert_int_equal(metrics_ready(m, PROGRAM_OPEN, now_us), 1);
    assert_int_equal(metrics_ready(m, PROGRAM_OPEN, now_us - 1000), 1); /* read before the beat */
    assert_int_equal(metrics_ready(m, PROGRAM_OPEN, now_us + METRIC_BEAT_MAX_US), 1);
    assert_int_equal(metrics_ready(m, PROGRAM_OPEN, now_us + METRIC_BEAT_MAX_US + 1), 0);
    assert_int_equal(metrics_ready(m, PROGRAM_OPEN, 1000), 0); /* after a reboot */
    assert_int_equal(metrics_ready(m, PROGRAM_GRAB, now_us), 0);
    metrics_leave(m);
    assert_int_equal(metrics_ready(m, PROGRAM_OPEN, now_us), 0);
}

static void faults_of_the_database_come_first(void **state)
{
    struct fixture *f = *state;
    struct status_ready r;
    memory_db_fail(f->fake.db, MEMORY_BARRIER, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(fault(f, &r), STATUS_NOTHING_WRITTEN);
    memory_db_set_generation(f->fake.db, (const uint8_t[16]){1});
    assert_int_equal(fault(f, &r), STATUS_DATABASE_RESTORED);
    status_check(&f->service, NULL, 0, &r); /* a process that has read no generation */
    assert_int_equal(r.fault, STATUS_POOL_DOWN);
    memory_db_set_schema(f->fake.db, SCHEMA_VERSION - 1, 0);
    assert_int_equal(fault(f, &r), STATUS_SCHEMA_WRONG);
    assert_int_equal(r.schema.version, SCHEMA_VERSION - 1);
    memory_db_set_away(f->fake.db, true);
    assert_int_equal(fault(f, &r), STATUS_DATABASE_AWAY);
    memory_db_set_away(f->fake.db, false);
}

static void newer_tables_fit_if_they_keep_this_version_working(void **state)
{
    struct fixture *f = *state;
    struct schema_state s;
    memory_db_set_schema(f->fake.db, SCHEMA_VERSION + 2, SCHEMA_VERSION);
    assert_int_equal(status_schema(&f->service, 0, &s), ERR_OK);
    memory_db_set_schema(f->fake.db, SCHEMA_VERSION + 2, SCHEMA_VERSION + 1);
    assert_int_equal(status_schema(&f->service, 0, &s), ERR_SCHEMA);
    memory_db_set_schema(f->fake.db, 0, 0);
    assert_int_equal(status_schema(&f->service, 0, &s), ERR_SCHEMA);
}

static void gauges_show_where_the_money_is(void **state)
{
    struct fixture *f = *state;
    struct envelope e = {.total_fen = 1000, .shares = 4}, other = {.total_fen = 500, .shares = 1};
    struct money_state m;
    memory_db_add_account(f->fake.db, "alice", 5000);
    fake_send(&f->fake, &e);
    fake_send(&f->fake, &other);
    int64_t amount_fen = fake_open(&f->fake, &e.id, "bob").amount_fen;
    (void)fake_open(&f->fake, &other.id, "bob"); /* closes it */
    memory_db_envelope(f->fake.db, &e.id)->frozen_rule = BOOKS_ENVELOPE_SUMS;
    assert_int_equal(f->fake.store->ops->money_state(f->fake.store, &m), ERR_OK);
    assert_int_equal(m.balances_fen, 3500); /* claims are not credited yet */
    assert_int_equal(m.open_envelopes, 1);
    assert_int_equal(m.open_fen, 1000 - amount_fen);
    assert_int_equal(m.frozen_envelopes, 1);
    assert_int_equal(gauges_refresh(&f->fake.runtime, f->fake.store), ERR_OK);
    memory_db_fail(f->fake.db, MEMORY_MONEY_STATE, ERR_UNAVAILABLE, false, 0, 1);
    assert_int_equal(gauges_refresh(&f->fake.runtime, f->fake.store), ERR_UNAVAILABLE);
    struct buf out;
    static const char *const no_routes[METRIC_ROUTES] = {NULL};
    buf_init(&out, 1 << 20);
    metrics_print(f->fake.runtime.metrics, no_routes, &out);
    assert_non_null(strstr(out.data, "\nhongbao_balances_fen 3500\n"));
    assert_non_null(strstr(out.data, "\nhongbao_frozen_envelopes 1\n"));
    buf_free(&out);
}

static void processes_are_printed_by_program(void **state)
{
    struct fixture *f = *state;
    struct buf out;
    beat(f, PROGRAM_OPEN, true);
    metrics_restart(f->fake.runtime.metrics, PROGRAM_OPEN);
    buf_init(&out, 1 << 20);
    metrics_print_workers(f->fake.runtime.metrics, f->fake.clock.mono_us, &out);
    assert_non_null(strstr(out.data, "hongbao_workers{program=\"open\"} 1\n"));
    assert_non_null(strstr(out.data, "hongbao_workers{program=\"grab\"} 0\n"));
    assert_non_null(strstr(out.data, "hongbao_threads{program=\"open\"} 3\n"));
    assert_non_null(strstr(out.data, "hongbao_worker_restarts_total{program=\"open\"} 1\n"));
    assert_null(strstr(out.data, "hongbao_resident_memory_bytes{program=\"open\"} 0\n"));
    assert_null(strstr(out.data, "hongbao_open_descriptors{program=\"open\"} 0\n"));
    assert_int_equal(metrics_program("hongbao-settle"), PROGRAM_SETTLE);
    assert_int_equal(metrics_program("nonsense"), METRIC_PROGRAMS);
    buf_free(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_pool_without_a_beat_is_down),
        TEST(beats_age),
        TEST(faults_of_the_database_come_first),
        TEST(newer_tables_fit_if_they_keep_this_version_working),
        TEST(gauges_show_where_the_money_is),
        TEST(processes_are_printed_by_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
