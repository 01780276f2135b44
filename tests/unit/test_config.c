/* The file of settings: long lines, and what is refused with its line. */
#include "lib/base/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config config;
static struct buf message;

static int set_up(void **state)
{
    (void)state;
    buf_init(&message, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&message);
    return 0;
}

static enum err load(const char *text)
{
    char path[] = "/tmp/test_config_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    enum err err = config_load(&config, path, &message);
    unlink(path);
    return err;
}

/* Return before, n times c, after, in one static string. */
static const char *longer(const char *before, size_t n, char c, const char *after)
{
    static char text[8192];
    char middle[6000] = "";
    memset(middle, c, n);
    snprintf(text, sizeof text, "%s%s%s", before, middle, after);
    return text;
}

static void the_example_is_valid(void **state)
{
    (void)state;
    struct buf example;
    buf_init(&example, 1 << 16);
    config_print_example(&example);
    for (const char *line = example.data; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(line[0] != '#' || strcspn(line, "\n") <= 100);
    assert_int_equal(load(example.data), ERR_OK);
    buf_free(&example);
}

static void a_long_comment_is_skipped(void **state)
{
    (void)state;
    static const size_t lengths[] = {196, 197, 198, 199, 1019, 1020, 1021, 1022, 5000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const char *text =
            longer("# ", lengths[i], 'x', " demo_balance = 7\n[site]\ndemo_balance = 5\n");
        assert_int_equal(load(text), ERR_OK);
        assert_int_equal(config.demo_balance_fen, 5);
    }
    assert_int_equal(load(longer("[site]\ndemo_balance = 6\n# ", 5000, 'x', "")), ERR_OK);
    assert_int_equal(config.demo_balance_fen, 6);
}

static void a_setting_of_its_greatest_length_is_read(void **state)
{
    (void)state;
    assert_int_equal(load(longer("[cache]\nservers = ", 511, 'a', "\n")), ERR_OK);
    assert_int_equal(strlen(config.cache_servers), 511);
    assert_int_equal(load(longer("[cache]\nservers = ", 511, 'b', "")), ERR_OK);
    assert_int_equal(strlen(config.cache_servers), 511);
}

static void refuse(const char *text, const char *problem, const char *line)
{
    buf_reset(&message);
    assert_int_equal(load(text), ERR_INVALID_REQUEST);
    assert_non_null(strstr(message.data, problem));
    assert_non_null(strstr(message.data, line));
}

static void a_bad_setting_is_named_with_its_line(void **state)
{
    (void)state;
    refuse("[site]\n\ndemo_balance = 0\n", "[site] demo_balance: bad value", "line 3)");
    refuse("[site]\ndemo_balance = 1\ndemo_balance = 1\n", "set twice", "line 3)");
    refuse("[site]\nbalance = 1\n", "[site] balance: no such setting", "line 2)");
    refuse("[site]\nbalance\n", "not a setting", "line 2)");
    refuse(longer("[cache]\nservers = ", 512, 'a', "\n"), "[cache] servers: bad value", "line 2)");
    refuse(longer("\n[cache]\nservers = ", 2000, 'a', " = 1\n[site]\n"), "more than 1022 bytes",
           "line 3)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_example_is_valid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_comment_is_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_setting_of_its_greatest_length_is_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_bad_setting_is_named_with_its_line, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
