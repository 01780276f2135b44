/* An outage leaves two lines in the log, a log on a full disk no torn one. */
#include "lib/base/crypto.h"
#include "lib/base/log.h"
#include "lib/base/server_state.h"
#include "tests/fake/fixed_clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)

struct fixture {
    char path[64];
    char text[65536];
    struct fixed_clock clock;
    struct metrics *metrics;
    struct server_state *state;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    snprintf(f.path, sizeof f.path, "/tmp/hb-log-XXXXXX");
    int fd = mkstemp(f.path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(crypto_init(), ERR_OK);
    assert_int_equal(log_open(f.path, "test"), 0);
    fixed_clock_init(&f.clock);
    f.metrics = metrics_private();
    log_count_lost(f.metrics);
    f.state = server_state_new("database", &f.clock.clock, f.metrics, METRIC_DATABASE_UNREACHABLE);
    *state = &f;
    return f.state == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    server_state_free(f->state);
    unlink(f->path);
    return 0;
}

/* Return what is in the log now. */
static const char *logged(struct fixture *f)
{
    int fd = open(f->path, O_RDONLY);
    ssize_t n = read(fd, f->text, sizeof f->text - 1);
    close(fd);
    assert_true(n >= 0);
    f->text[n] = '\0';
    return f->text;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static void an_outage_is_two_lines(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 100; i++)
        server_state_failed(f->state, SERVER_UNREACHABLE, 2002, "can't connect");
    for (int i = 0; i < 100; i++) { /* a few connections still work */
        server_state_failed(f->state, SERVER_UNREACHABLE, 2013, "lost");
        server_state_answered(f->state, true);
        fixed_clock_advance(&f->clock, SECOND_US / 10);
    }
    assert_int_equal(count(logged(f), "\n"), 1);
    assert_non_null(strstr(f->text, "\"event\":\"database_unreachable\""));
    assert_non_null(strstr(f->text, "\"level\":\"warn\""));
    assert_non_null(strstr(f->text, "error 2002: can't connect"));
    fixed_clock_advance(&f->clock, SECOND_US);
    for (int i = 0; i < 100; i++)
        server_state_answered(f->state, false);
    assert_int_equal(count(logged(f), "\n"), 2);
    assert_int_equal(count(f->text, "\"event\":\"database_recovered\""), 1);
    assert_int_equal(metrics_get(f->metrics, METRIC_DATABASE_UNREACHABLE), 200);
}

/* Reads succeed all the time: only a write shows that the server is writable again. */
static void a_read_only_server_recovers_by_a_write(void **state)
{
    struct fixture *f = *state;
    server_state_failed(f->state, SERVER_READ_ONLY, 1290, "--read-only");
    for (int i = 0; i < 60; i++) {
        fixed_clock_advance(&f->clock, SECOND_US);
        server_state_answered(f->state, false);
    }
    assert_int_equal(count(logged(f), "\n"), 1);
    server_state_answered(f->state, true);
    assert_int_equal(count(logged(f), "database_recovered"), 1);
    assert_int_equal(metrics_get(f->metrics, METRIC_DATABASE_READ_ONLY), 1);
}

/* A missing privilege fails some statements while others succeed. */
static void a_refused_statement_is_logged_once(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 100; i++) {
        server_state_failed(f->state, SERVER_REFUSED, 1142, "SELECT command denied");
        fixed_clock_advance(&f->clock, 3 * SECOND_US);
        server_state_answered(f->state, true);
    }
    assert_int_equal(count(logged(f), "\n"), 1);
    server_state_failed(f->state, SERVER_REFUSED, 1045, "Access denied"); /* another reason */
    assert_int_equal(count(logged(f), "\n"), 2);
    fixed_clock_advance(&f->clock, 10 * SECOND_US);
    server_state_answered(f->state, false);
    assert_int_equal(count(logged(f), "database_recovered"), 1);
}

static void a_change_from_one_trouble_to_another_is_logged(void **state)
{
    struct fixture *f = *state;
    char text[64];
    server_state_failed(f->state, SERVER_UNREACHABLE, 2002, "gone");
    server_state_failed(f->state, SERVER_TOO_MANY_CONNECTIONS, 1040, "Too many connections");
    server_state_failed(f->state, SERVER_DISK_FULL, 1021, "Disk full");
    assert_int_equal(count(logged(f), "\n"), 3);
    assert_non_null(strstr(f->text, "database_too_many_connections"));
    assert_non_null(strstr(f->text, "database_disk_full"));
    server_state_text(f->state, text, sizeof text);
    assert_string_equal(text, "error 1021: Disk full");
}

static void no_state_is_accepted(void **state)
{
    char text[8] = "x";
    (void)state;
    server_state_failed(NULL, SERVER_ERROR, 1, "x");
    server_state_answered(NULL, true);
    server_state_text(NULL, text, sizeof text);
    assert_string_equal(text, "");
    server_state_free(NULL);
}

/* The file may grow to some bytes more than the lines so far: the disk is full in the next one. */
static void fill_disk(struct fixture *f, rlim_t more)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = more == RLIM_INFINITY ? limit.rlim_max : strlen(logged(f)) + more;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_loses_whole_lines_and_counts_them(void **state)
{
    struct fixture *f = *state;
    struct buf lines;
    const struct log_request request = {.method = "GET", .route = "me", .status = 200};
    buf_init(&lines, 65536);
    log_event(LOG_LEVEL_INFO, "first", "%s", "");
    for (int i = 0; i < 5; i++)
        log_request(&request, &lines);
    size_t one = lines.len / 5;
    fill_disk(f, 2 * one + one / 2); /* room for two of the five and a half */
    log_write(&lines);
    log_event(LOG_LEVEL_INFO, "lost", "a line that is longer than what is left of the disk: %0*d",
              (int)one, 0);
    fill_disk(f, RLIM_INFINITY);
    log_event(LOG_LEVEL_INFO, "last", "%s", "");
    const char *text = logged(f);
    assert_int_equal(count(text, "\n"), 4);
    assert_int_equal(count(text, "\"route\":\"me\""), 2);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_int_equal(line[0], '{');
        assert_int_equal(strchr(line, '\n')[-1], '}');
    }
    assert_null(strstr(text, "\"lost\""));
    assert_non_null(strstr(text, "\"last\""));
    assert_int_equal(metrics_get(f->metrics, METRIC_LOG_LINES_LOST), 4);
    buf_free(&lines);
}

static void a_503_is_a_warning(void **state)
{
    struct fixture *f = *state;
    struct buf lines;
    struct log_request request = {.method = "GET", .route = "me", .status = 503};
    buf_init(&lines, 65536);
    log_request(&request, &lines);
    request.status = 404;
    log_request(&request, &lines);
    log_write(&lines);
    const char *text = logged(f);
    assert_non_null(strstr(text, "\"level\":\"warn\""));
    assert_int_equal(count(text, "\"level\":\"warn\""), 1);
    buf_free(&lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_outage_is_two_lines),
        TEST(a_read_only_server_recovers_by_a_write),
        TEST(a_refused_statement_is_logged_once),
        TEST(a_change_from_one_trouble_to_another_is_logged),
        TEST(no_state_is_accepted),
        TEST(a_full_disk_loses_whole_lines_and_counts_them),
        TEST(a_503_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
