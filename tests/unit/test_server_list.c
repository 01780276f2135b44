/* Lists of servers, and which of them is in use. */
#include "lib/base/server_list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void servers_of_a_list(void **state)
{
    (void)state;
    static const struct server_address good[] = {
        {"/run/a.sock", 0}, {"db1", 3306}, {"db2", 3307},
        {"10.0.0.3", 1},    {"::1", 3306}, {"fe80::2", 65535},
    };
    struct server_list s;
    char name[SERVER_ADDRESS_SIZE + 16];
    assert_true(server_list_init(
        &s, " /run/a.sock,db1, db2:3307 ,10.0.0.3:1, [::1], [fe80::2]:65535", 3306));
    assert_int_equal(s.n, sizeof good / sizeof good[0]);
    for (size_t i = 0; i < s.n; i++) {
        assert_string_equal(s.at[i].address, good[i].address);
        assert_int_equal(s.at[i].port, good[i].port);
    }
    server_name(&s.at[0], name, sizeof name);
    assert_string_equal(name, "/run/a.sock");
    server_name(&s.at[2], name, sizeof name);
    assert_string_equal(name, "db2:3307");
    server_name(&s.at[4], name, sizeof name);
    assert_string_equal(name, "[::1]:3306");
}

static void lists_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      ",",    "db:0",   "db:65536", "db:x", "db:",      "db:1:2",
        ":3306", "[::1", "[::1]x", "[]",       "[]:1", "db1,db2:", "a,b,c,d,e,f,g,h,i",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct server_list s;
        if (server_list_init(&s, bad[i], 3306))
            fail_msg("accepted: \"%s\"", bad[i]);
        assert_int_equal(s.n, 0);
    }
}

static void sessions_move_when_the_server_in_use_changes(void **state)
{
    (void)state;
    struct server_list s;
    assert_true(server_list_init(&s, "a,b", 3306));
    unsigned turn = s.turn;
    assert_false(server_list_use(&s, 0));
    assert_int_equal(s.turn, turn);
    server_list_leave(&s, 1); /* not in use */
    assert_int_equal(s.turn, turn);
    server_list_leave(&s, 0);
    assert_int_not_equal(s.turn, turn);
    turn = s.turn;
    assert_true(server_list_use(&s, 1));
    assert_int_not_equal(s.turn, turn);
    assert_int_equal(s.current, 1);
}

static void the_only_server_is_not_left(void **state)
{
    (void)state;
    struct server_list s;
    assert_true(server_list_init(&s, "a", 3306));
    unsigned turn = s.turn;
    server_list_leave(&s, 0);
    assert_int_equal(s.turn, turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_of_a_list),
        cmocka_unit_test(lists_that_are_none),
        cmocka_unit_test(sessions_move_when_the_server_in_use_changes),
        cmocka_unit_test(the_only_server_is_not_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
