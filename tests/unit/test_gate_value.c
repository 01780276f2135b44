/* The texts of cache items: what is not exactly one of ours is no value. */
#include "lib/base/str.h"
#include "lib/wire/envelope_value.h"
#include "lib/wire/gate_value.h"
#include "lib/wire/item_key.h"
#include "lib/wire/user_value.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define GEN "000102030405060708090a0b0c0d0e0f"
#define ID "019c665f10007000800102030405060a"
#define HEAD "g2 " GEN " " ID " 7 6 5 0 "

static uint8_t generation[16];
static struct id id;

static int setup(void **state)
{
    (void)state;
    return str_from_hex(generation, 16, GEN, 32) && str_from_hex(id.b, 16, ID, 32) ? 0 : -1;
}

static struct gate sample(void)
{
    struct gate g;
    memset(&g, 0, sizeof g);
    memcpy(g.generation, generation, 16);
    g.id = id;
    g.nonce = 7;
    g.before[0] = 6;
    g.before[1] = 5;
    g.expires_us = 1771257600000000;
    g.shares = 10;
    g.left = 4;
    g.refill_factor = 1;
    g.refill_opened = -1;
    return g;
}

static bool reads(const char *text, size_t len)
{
    struct gate g;
    return gate_read(&g, text, len, generation, &id);
}

/* expires shares state left restricted guest factor opened+1 */
static void refuses_other_texts(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "0",
        "9 ",
        "g2",
        "g2 ",
        "g1 " GEN " " ID " 7 1 10 0 4 0 0 1 0", /* of an older version */
        "g3 " GEN " " ID " 7 6 5 0 1 10 0 4 0 0 1 0",
        "g2 " GEN " " ID " 7 6 5 1 10 0 4 0 0 1 0",
        "g2 " GEN " " ID " 7 6 -5 0 1 10 0 4 0 0 1 0",
        "g2  " GEN " " ID " 7 1 10 0 4 0 0 1 0",
        " " HEAD "1 10 0 4 0 0 1 0",
        HEAD "1 10 0 4 0 0 1 0 ",
        HEAD "1 10 0 4 0 0 1 0\n",
        HEAD "1 10 0 4 0 0 1 0 0",
        HEAD "1 10 0 4 0 0 1",
        HEAD "1 10 0 4 0 0 1 ",
        HEAD "1 10 0  4 0 0 1 0",
        HEAD "1 10 0 11 0 0 1 0", /* left > shares */
        HEAD "1 10 0 -1 0 0 1 0",
        HEAD "1 10 0 04 0 0 1 0",
        HEAD "1 10 0 +4 0 0 1 0",
        HEAD "1 10 0 18446744073709551620 0 0 1 0", /* 4 once it wraps */
        HEAD "1 10 3 4 0 0 1 0",
        HEAD "1 10 o 4 0 0 1 0",
        HEAD "1 10 0 4 2 0 1 0",
        HEAD "1 10 0 4 0 2 1 0",
        HEAD "1 10 0 4 0 0 0 0",
        HEAD "1 10 0 4 0 0 3 0", /* no power of two */
        HEAD "1 10 0 4 0 0 65 0",
        HEAD "1 10 0 4 0 0 128 0",
        HEAD "1 10 0 4 0 0 1 12", /* more opened than shares */
        HEAD "1 0 0 0 0 0 1 0",
        HEAD "1 1000001 0 4 0 0 1 0",
        HEAD "-1 10 0 4 0 0 1 0",
        HEAD "9223372036854775808 10 0 4 0 0 1 0",
        "g2 " GEN " " ID " -7 6 5 0 1 10 0 4 0 0 1 0",
        "g2 " GEN " " ID " 18446744073709551616 6 5 0 1 10 0 4 0 0 1 0",
        "g2 " GEN "00 " ID " 7 6 5 0 1 10 0 4 0 0 1 0",
        "g2 " GEN " xx9c665f10007000800102030405060a 7 6 5 0 1 10 0 4 0 0 1 0",
        "g2 " GEN
        " 019c665f10007000800102030405060b 7 6 5 0 1 10 0 4 0 0 1 0", /* another envelope */
        "g2 100102030405060708090a0b0c0d0e0f " ID
        " 7 6 5 0 1 10 0 4 0 0 1 0", /* another generation */
    };
    struct gate g = {.left = 77};
    (void)state;
    assert_true(reads(HEAD "1 10 0 4 0 0 1 0", strlen(HEAD "1 10 0 4 0 0 1 0")));
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (gate_read(&g, cases[i], strlen(cases[i]), generation, &id))
            fail_msg("read: %s", cases[i]);
        assert_int_equal(g.left, 77); /* untouched */
    }
    static const char zero[] = HEAD "1 10 0 4 0 0 1 0\0";
    assert_false(reads(zero, sizeof zero - 1));
}

/* Nothing outside the given bytes is read, and no part of a gate is a gate. */
static void refuses_every_part(void **state)
{
    struct gate g = sample(), back;
    char text[GATE_TEXT_SIZE];
    (void)state;
    g.left = 10;
    g.refill_opened = 8; /* its text ends in a digit that means something else without the next */
    size_t len = gate_write(text, &g);
    for (size_t n = 0; n < len; n++)
        assert_false(reads(text, n));
    assert_true(gate_read(&back, text, len, generation, &id));
}

static void reads_what_it_wrote(void **state)
{
    struct gate back, g = sample();
    char text[GATE_TEXT_SIZE];
    (void)state;
    for (enum envelope_state s = STATE_OPEN; s <= STATE_EXPIRED; s++)
        for (int flags = 0; flags < 4; flags++)
            for (int64_t factor = 1; factor <= 64; factor *= 2) {
                g.state = s;
                g.restricted = (flags & 1) != 0;
                g.guest = (flags & 2) != 0;
                g.refill_factor = factor;
                g.refill_opened = flags == 3 ? 10 : flags - 1;
                size_t len = gate_write(text, &g);
                assert_int_equal(len, strlen(text));
                assert_true(gate_read(&back, text, len, generation, &id));
                assert_int_equal(back.nonce, g.nonce);
                assert_memory_equal(back.before, g.before, sizeof g.before);
                assert_int_equal(back.expires_us, g.expires_us);
                assert_int_equal(back.shares, 10);
                assert_int_equal(back.state, s);
                assert_int_equal(back.left, 4);
                assert_int_equal(back.restricted, g.restricted);
                assert_int_equal(back.guest, g.guest);
                assert_int_equal(back.refill_factor, factor);
                assert_int_equal(back.refill_opened, g.refill_opened);
            }
    g.nonce = g.before[0] = g.before[1] = g.before[2] = UINT64_MAX;
    g.expires_us = INT64_MAX;
    g.shares = g.left = g.refill_opened = SHARES_LIMIT;
    g.refill_factor = 64;
    size_t len = gate_write(text, &g);
    assert_true(len < GATE_TEXT_SIZE);
    for (size_t i = 0; i < len; i++)
        assert_true(text[i] >= ' ' && text[i] <= '~');
    assert_true(gate_read(&back, text, len, generation, &id));
    assert_true(back.nonce == UINT64_MAX && back.refill_opened == SHARES_LIMIT);
}

static void user_items(void **state)
{
    static const char *const refused[] = {"",
                                          "o1",
                                          "t1",
                                          "x1 " ID " 5",
                                          "t1 " ID,
                                          "t1 " ID " ",
                                          "t1 " ID " 5 ",
                                          "t1 " ID " 5 6",
                                          "t1 " ID " -5",
                                          "t1 " ID " 4294967296",
                                          "t1 019c665f10007000800102030405060b 5",
                                          "t1 zz 5",
                                          "o1 " ID " 5",
                                          "o1 " ID " 0 1 2",
                                          "o1 " ID " 5 0 2",
                                          "o1 " ID " 5 1",
                                          "o1 " ID " 5 1 2 3",
                                          "o1 " ID " 1000000000001 1 2",
                                          "o1 " ID " 5 1000001 2",
                                          "o1 " ID " 5 1 -2",
                                          "o1 " ID " 5 1 253402300800000000",
                                          "o1 " ID " 5.0 1 2",
                                          "o1 019c665f10007000800102030405060b 5 1 2",
                                          "t2 " ID " 5"};
    struct user_value u = {.seq = 77}, back;
    char text[GATE_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (user_value_read(&u, refused[i], strlen(refused[i]), &id))
            fail_msg("read: %s", refused[i]);
        assert_int_equal(u.seq, 77);
    }
    u = (struct user_value){.opened = true,
                            .amount_fen = AMOUNT_MAX_FEN,
                            .seq = SHARES_LIMIT,
                            .opened_us = INT64_C(253402300799999999)};
    size_t len = user_value_write(text, &u, &id);
    assert_int_equal(len, strlen(text));
    assert_true(user_value_read(&back, text, len, &id));
    assert_true(back.opened && back.amount_fen == u.amount_fen && back.seq == u.seq &&
                back.opened_us == u.opened_us);
    u = (struct user_value){.ticket_expires_s = 1771257600};
    len = user_value_write(text, &u, &id);
    assert_true(user_value_read(&back, text, len, &id));
    assert_true(!back.opened && back.ticket_expires_s == u.ticket_expires_s);
}

/* The part before the first '/' chooses the server: equal for all of one envelope. */
static void keys(void **state)
{
    char key[ITEM_KEY_SIZE], other[ITEM_KEY_SIZE], user[USER_SIZE];
    (void)state;
    item_key(key, ITEM_KEY_GATE, generation, &id);
    assert_string_equal(key, ID "/g/" GEN);
    item_key(key, ITEM_KEY_HOLD, generation, &id);
    assert_string_equal(key, ID "/h/" GEN);
    item_key(key, ITEM_KEY_UNKNOWN, generation, &id);
    assert_string_equal(key, ID "/x/" GEN);
    item_key_user(key, generation, &id, "guest:a.b_c@d-e");
    assert_string_equal(key, ID "/u/" GEN "/guest:a.b_c@d-e");
    memset(user, 'u', USER_MAX);
    user[64] = '\0';
    item_key_user(key, generation, &id, user);
    assert_int_equal(strlen(key), 32 + 3 + 32 + 1 + 64);
    user[64] = 'u';
    user[USER_MAX] = '\0';
    item_key_user(key, generation, &id, user);
    assert_int_equal(strlen(key), 32 + 3 + 32 + 2 + 64);
    assert_int_equal(key[32 + 3 + 32 + 1], '#');
    user[USER_MAX - 1] = 'v'; /* the hash tells them apart */
    item_key_user(other, generation, &id, user);
    assert_string_not_equal(key, other);
    item_key(key, ITEM_KEY_ENVELOPE, generation, &id);
    assert_string_equal(key, ID "/r/" GEN);
}

static struct envelope envelope_sample(void)
{
    struct envelope e;
    memset(&e, 0, sizeof e);
    e.id = id;
    strcpy(e.sender, "alice");
    strcpy(e.sender_name, "\xe7\xa6\x8f");
    e.mode = MODE_EQUAL;
    e.total_fen = 100;
    e.shares = 3;
    e.cap_fen = 20000;
    strcpy(e.greeting, "a b");
    e.to_kind = TO_USERS;
    strcpy(e.to, "bob carol");
    e.created_us = 1;
    e.expires_us = 2;
    memset(e.seed_hash, 0xAB, 32);
    memset(e.seed, 0xCD, 32);
    e.has_seed = true;
    e.opened_shares = 2;
    return e;
}

static void envelope_items(void **state)
{
    struct envelope e = envelope_sample(), back;
    struct id other = id;
    struct buf text;
    (void)state;
    buf_init(&text, ENVELOPE_VALUE_TEXT_SIZE);
    envelope_value_write(&text, generation, &e);
    assert_null(strstr(text.data, "cdcdcd")); /* never the seed */
    other.b[0] ^= 1;
    assert_false(envelope_value_read(&back, text.data, generation, &other));
    assert_false(envelope_value_read(&back, text.data, (const uint8_t[16]){0}, &id));
    for (size_t n = 0; n < text.len; n++) {
        char part[ENVELOPE_VALUE_TEXT_SIZE];
        memcpy(part, text.data, n);
        part[n] = '\0';
        assert_false(envelope_value_read(&back, part, generation, &id));
    }
    assert_true(envelope_value_read(&back, text.data, generation, &id));
    e.has_seed = false;
    memset(e.seed, 0, sizeof e.seed);
    e.opened_shares = 0;
    assert_memory_equal(&back, &e, sizeof e);
    buf_putc(&text, '\n');
    assert_false(envelope_value_read(&back, text.data, generation, &id));
    buf_free(&text);
}

/* Copy text with its line replaced; lines count from 0. */
static void replace_line(char out[ENVELOPE_VALUE_TEXT_SIZE], const char *text, int line,
                         const char *by)
{
    const char *at = text;
    while (line-- > 0)
        at = strchr(at, '\n') + 1;
    snprintf(out, ENVELOPE_VALUE_TEXT_SIZE, "%.*s%s%s", (int)(at - text), text, by,
             strchr(at, '\n'));
}

static void refuses_altered_envelope_items(void **state)
{
    static const struct {
        int line;
        const char *by;
    } cases[] = {
        {0, "r3"},  {0, "r"},       {1, "00"},
        {2, "zz"}, /* format, generation, id */
        {5, "0"},   {5, "3"},       {5, "x"},
        {5, ""},                                          /* mode */
        {6, "0"},   {6, "01"},      {6, "1000000000001"}, /* total */
        {7, "0"},   {7, "1000001"},                       /* shares */
        {8, "0"},   {10, "6"},      {11, "3"},            /* cap, theme, kind of recipients */
        {13, "-1"}, {14, "0"},                            /* created, expires before that */
        {15, "ab"},                                       /* a short hash */
    };
    struct envelope e = envelope_sample(), back;
    char altered[ENVELOPE_VALUE_TEXT_SIZE], sender[USER_SIZE + 1];
    struct buf text;
    (void)state;
    buf_init(&text, ENVELOPE_VALUE_TEXT_SIZE - 1);
    envelope_value_write(&text, generation, &e);
    replace_line(altered, text.data, 3, "bob"); /* the helper alters nothing else */
    assert_true(envelope_value_read(&back, altered, generation, &id));
    memset(sender, 'a', USER_SIZE); /* one byte longer than fits */
    sender[USER_SIZE] = '\0';
    replace_line(altered, text.data, 3, sender);
    assert_false(envelope_value_read(&back, altered, generation, &id));
    for (size_t i = 0; i < COUNT(cases); i++) {
        replace_line(altered, text.data, cases[i].line, cases[i].by);
        if (envelope_value_read(&back, altered, generation, &id))
            fail_msg("line %d as \"%s\" was accepted", cases[i].line, cases[i].by);
    }
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(refuses_every_part),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(user_items),
        cmocka_unit_test(keys),
        cmocka_unit_test(envelope_items),
        cmocka_unit_test(refuses_altered_envelope_items),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
