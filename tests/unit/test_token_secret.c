/* Files of secrets: whatever is not exactly one or two keys, or not private, is refused. */
#include "lib/base/crypto.h"
#include "lib/wire/secret.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY_B "FFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0EFEEEDECEBEAE9E8E7E6E5E4E3E2E1E0"

static int setup(void **state)
{
    (void)state;
    return crypto_init() == ERR_OK ? 0 : -1;
}

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
                                          KEY_A "\n\n",
                                          ZEROS,
                                          KEY_A "\n" ZEROS "\n",
                                          KEY_A "\n" KEY_A "\n"};
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
    static const mode_t open_modes[] = {0404, 0402, 0401, 0644, 0440, 0420, 0410, 0640};
    for (size_t i = 0; i < COUNT(open_modes); i++)
        assert_int_equal(load(&pair, KEY_A "\n", open_modes[i]), ERR_FAULT);
    assert_int_equal(load(&pair, KEY_A, 0400), ERR_OK);
    assert_int_equal(pair.n, 1);
    assert_int_equal(load(&pair, KEY_A "\n", 0600), ERR_OK);
    assert_int_equal(pair.n, 1);
    assert_int_equal(pair.key[0][31], 0x1f);
    assert_int_equal(load(&pair, KEY_B "\n" KEY_A "\n", 0600), ERR_OK);
    assert_int_equal(pair.n, 2);
    assert_int_equal(pair.key[0][0], 0xff);
    assert_int_equal(pair.key[1][1], 0x01);
    assert_int_equal(load(&pair, KEY_B "\n" KEY_A, 0600), ERR_OK);
    assert_int_equal(pair.n, 2);
}

/* systemd gives a service's user access by an ACL, whose mask shows in the group bits. */
static void acl_for_a_user_is_private(void **state)
{
    /* version 2; owner r, user 4711 r or group 4711 r, group none, mask r, others none */
    uint8_t acl[] = {2, 0,    0,    0,   1,   0,   4,  0, 255, 255, 255, 255, 2,   0,  4,
                     0, 0x67, 0x12, 0,   0,   4,   0,  0, 0,   255, 255, 255, 255, 16, 0,
                     4, 0,    255,  255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};
    char path[] = "/tmp/test_token.XXXXXX";
    struct secret_pair pair;
    struct buf message;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, KEY_A, 64), 64);
    assert_int_equal(fchmod(fd, 0400), 0);
    buf_init(&message, 400);
    bool supported = fsetxattr(fd, "system.posix_acl_access", acl, sizeof acl, 0) == 0;
    if (supported)
        assert_int_equal(secret_load(&pair, path, &message), ERR_OK);
    /* entries are sorted by tag: the group's own, then the named group */
    memcpy(acl + 12, (uint8_t[]){4, 0, 0, 0, 255, 255, 255, 255, 8, 0, 4, 0, 0x67, 0x12, 0, 0}, 16);
    if (supported && fsetxattr(fd, "system.posix_acl_access", acl, sizeof acl, 0) == 0)
        assert_int_equal(secret_load(&pair, path, &message), ERR_FAULT);
    close(fd);
    unlink(path);
    buf_free(&message);
    if (!supported)
        skip(); /* the file system has no ACLs */
}

static void finds_a_key_in_two_files(void **state)
{
    struct secret_pair a = {.n = 2, .key = {{1}, {2}}}, b = {.n = 2, .key = {{3}, {2}}};
    struct secret_pair c = {.n = 1, .key = {{3}, {2}}}, none = {.n = 0};
    (void)state;
    assert_true(secret_overlaps(&a, &b));
    assert_false(secret_overlaps(&a, &c));
    assert_false(secret_overlaps(&none, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_files),
        cmocka_unit_test(acl_for_a_user_is_private),
        cmocka_unit_test(finds_a_key_in_two_files),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
