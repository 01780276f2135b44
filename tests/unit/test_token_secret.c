/* Files of secrets: whatever is not exactly one or two keys, or not private, is refused. */
#include "lib/wire/token.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "FFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0EFEEEDECEBEAE9E8E7E6E5E4E3E2E1E0"

static enum err load(struct secret_pair *pair, const char *text, mode_t mode)
{
    char path[] = "/tmp/test_token.XXXXXX";
    struct buf message;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    buf_init(&message, 400);
    enum err err = secret_load(pair, path, &message);
    unlink(path);
    if (err != ERR_OK) { /* it says which file, and not what is in it */
        assert_non_null(strstr(message.data, path));
        assert_null(strstr(message.data, "0102"));
        assert_int_equal(pair->n, 0);
    }
    buf_free(&message);
    return err;
}

static void secret_files(void **state)
{
    static const char *const refused[] = {"",
                                          "\n",
                                          "x",
                                          KEY_A "0",
                                          KEY_A "\n\n" KEY_B,
                                          "\n" KEY_A,
                                          KEY_A " " KEY_B,
                                          KEY_A "\nx",
                                          KEY_A "\n" KEY_B "0\n",
                                          KEY_A "\n" KEY_B "\n" KEY_A "\n",
                                          KEY_A "\n" KEY_B "\nx",
                                          " " KEY_A,
                                          KEY_A " \n",
                                          "000102",
                                          KEY_A "\n000102",
                                          KEY_A "\n\n"};
    struct secret_pair pair;
    struct buf message;
    (void)state;
    buf_init(&message, 400);
    assert_int_equal(secret_load(&pair, "/nonexistent/key", &message), ERR_FAULT);
    assert_non_null(strstr(message.data, "/nonexistent/key"));
    buf_reset(&message);
    assert_int_equal(secret_load(&pair, "/tmp", &message), ERR_FAULT);
    assert_true(message.len > 0);
    buf_free(&message);
    for (size_t i = 0; i < COUNT(refused); i++)
        if (load(&pair, refused[i], 0400) != ERR_FAULT)
            fail_msg("loaded: %s", refused[i]);
    static const mode_t open_modes[] = {0404, 0402, 0401, 0644};
    for (size_t i = 0; i < COUNT(open_modes); i++)
        assert_int_equal(load(&pair, KEY_A "\n", open_modes[i]), ERR_FAULT);
    assert_int_equal(load(&pair, KEY_A, 0400), ERR_OK);
    assert_int_equal(pair.n, 1);
    assert_int_equal(load(&pair, KEY_A "\n", 0440), ERR_OK);
    assert_int_equal(pair.n, 1);
    assert_int_equal(pair.key[0][31], 0x1f);
    assert_int_equal(load(&pair, KEY_B "\n" KEY_A "\n", 0600), ERR_OK);
    assert_int_equal(pair.n, 2);
    assert_int_equal(pair.key[0][0], 0xff);
    assert_int_equal(pair.key[1][1], 0x01);
    assert_int_equal(load(&pair, KEY_B "\n" KEY_A, 0600), ERR_OK);
    assert_int_equal(pair.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
