/* Tickets: whatever is not exactly what was signed is refused. */
#include "lib/base/str.h"
#include "lib/wire/ticket.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define EXPIRES_S INT64_C(1771257600)
#define NOW_S (EXPIRES_S - 60)
#define TICKET_LEN 39

static const uint8_t generation[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const struct id envelope = {
    {0x01, 0x9c, 0x66, 0x5f, 0x10, 0x00, 0x70, 0x00, 0x80, 1, 2, 3, 4, 5, 6, 7}};
static struct secret_pair keys;

static int setup(void **state)
{
    (void)state;
    keys.n = 2;
    memset(keys.key[0], 0xA5, 32);
    memset(keys.key[1], 0x5A, 32);
    return crypto_init() == ERR_OK ? 0 : -1;
}

static void make(char out[TICKET_SIZE])
{
    ticket_make(out, &keys, generation, &envelope, "alice", EXPIRES_S);
}

static enum err check(const char *text, size_t len)
{
    return ticket_check(text, len, &keys, generation, &envelope, "alice", NOW_S);
}

static void refuses_other_texts(void **state)
{
    static const char *const cases[] = {"", "x", "AQ", "====", "not a ticket", "AQAAAAA"};
    char ticket[TICKET_SIZE], text[TICKET_SIZE + 8];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(check(cases[i], strlen(cases[i])), ERR_TICKET_INVALID);
    make(ticket);
    for (size_t len = 0; len < TICKET_LEN; len++)
        assert_int_equal(check(ticket, len), ERR_TICKET_INVALID);
    static const char *const tails[] = {"A", "=", "\n", " ", "AAAA"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        strcpy(text, ticket);
        strcat(text, tails[i]);
        assert_int_equal(check(text, strlen(text)), ERR_TICKET_INVALID);
    }
    assert_int_equal(check(ticket, TICKET_LEN + 1), ERR_TICKET_INVALID); /* with its NUL */
}

/* Also the bits that base64 leaves unused: there is one text for a ticket. */
static void refuses_every_other_character(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= ";
    char ticket[TICKET_SIZE];
    (void)state;
    make(ticket);
    for (size_t i = 0; i < TICKET_LEN; i++) {
        char right = ticket[i];
        for (size_t k = 0; k < sizeof alphabet - 1; k++) {
            ticket[i] = alphabet[k];
            if (alphabet[k] != right)
                assert_int_equal(check(ticket, TICKET_LEN), ERR_TICKET_INVALID);
        }
        ticket[i] = right;
    }
    assert_int_equal(check(ticket, TICKET_LEN), ERR_OK);
}

static void is_worthless_elsewhere(void **state)
{
    static const char *const others[] = {"bob", "alic", "alicee", "Alice", "alice:", ""};
    char ticket[TICKET_SIZE];
    struct id other_id = envelope;
    uint8_t other_generation[16];
    (void)state;
    make(ticket);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(
            ticket_check(ticket, TICKET_LEN, &keys, generation, &envelope, others[i], NOW_S),
            ERR_TICKET_INVALID);
    other_id.b[15] ^= 1;
    assert_int_equal(ticket_check(ticket, TICKET_LEN, &keys, generation, &other_id, "alice", NOW_S),
                     ERR_TICKET_INVALID);
    memcpy(other_generation, generation, 16);
    other_generation[0] ^= 0x80;
    assert_int_equal(
        ticket_check(ticket, TICKET_LEN, &keys, other_generation, &envelope, "alice", NOW_S),
        ERR_TICKET_INVALID);
    struct secret_pair strange = {.n = 2, .key = {{1}, {2}}};
    assert_int_equal(
        ticket_check(ticket, TICKET_LEN, &strange, generation, &envelope, "alice", NOW_S),
        ERR_TICKET_INVALID);
}

/* Forged is said before lapsed. */
static void lapses(void **state)
{
    char ticket[TICKET_SIZE];
    (void)state;
    make(ticket);
    static const int64_t late[] = {EXPIRES_S, EXPIRES_S + 1, INT64_MAX};
    static const int64_t early[] = {EXPIRES_S - 1, 0, -1};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            ticket_check(ticket, TICKET_LEN, &keys, generation, &envelope, "alice", late[i]),
            ERR_TICKET_EXPIRED);
        assert_int_equal(
            ticket_check(ticket, TICKET_LEN, &keys, generation, &envelope, "bob", late[i]),
            ERR_TICKET_INVALID);
        assert_int_equal(
            ticket_check(ticket, TICKET_LEN, &keys, generation, &envelope, "alice", early[i]),
            ERR_OK);
    }
}

static void keys_rotate(void **state)
{
    char ticket[TICKET_SIZE];
    struct secret_pair next = {.n = 2}, alone = {.n = 1}, after = {.n = 1};
    (void)state;
    make(ticket);
    memset(next.key[0], 0x11, 32);
    memcpy(next.key[1], keys.key[0], 32);
    assert_int_equal(ticket_check(ticket, TICKET_LEN, &next, generation, &envelope, "alice", NOW_S),
                     ERR_OK);
    /* the second key of a pair of one is no key */
    memset(alone.key[0], 0x11, 32);
    memcpy(alone.key[1], keys.key[0], 32);
    assert_int_equal(
        ticket_check(ticket, TICKET_LEN, &alone, generation, &envelope, "alice", NOW_S),
        ERR_TICKET_INVALID);
    memset(after.key[0], 0x11, 32);
    ticket_make(ticket, &next, generation, &envelope, "alice", EXPIRES_S);
    assert_int_equal(
        ticket_check(ticket, TICKET_LEN, &after, generation, &envelope, "alice", NOW_S), ERR_OK);
}

/* The text is what the header says, computed here by hand. */
static void is_as_described(void **state)
{
    char ticket[TICKET_SIZE], longest[USER_SIZE];
    uint8_t bytes[64], message[16 + 16 + 16 + 4 + 5], mac[32];
    static const uint8_t expiry[4] = {EXPIRES_S >> 24 & 255, EXPIRES_S >> 16 & 255,
                                      EXPIRES_S >> 8 & 255, EXPIRES_S & 255};
    size_t len;
    (void)state;
    make(ticket);
    assert_int_equal(strlen(ticket), TICKET_LEN);
    assert_true(base64url_decode(bytes, sizeof bytes, &len, ticket, TICKET_LEN));
    assert_int_equal(len, 29);
    assert_int_equal(bytes[0], 1);
    assert_memory_equal(bytes + 1, expiry, 4);
    memcpy(message, "hongbao-ticket-1", 16);
    memcpy(message + 16, generation, 16);
    memcpy(message + 32, envelope.b, 16);
    memcpy(message + 48, expiry, 4);
    memcpy(message + 52, "alice", 5);
    hash_hmac256(mac, keys.key[0], message, sizeof message);
    assert_memory_equal(bytes + 5, mac, 24);

    memset(longest, 'u', USER_MAX);
    longest[USER_MAX] = '\0';
    ticket_make(ticket, &keys, generation, &envelope, longest, EXPIRES_S);
    assert_int_equal(ticket_check(ticket, TICKET_LEN, &keys, generation, &envelope, longest, NOW_S),
                     ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(refuses_every_other_character),
        cmocka_unit_test(is_worthless_elsewhere),
        cmocka_unit_test(lapses),
        cmocka_unit_test(keys_rotate),
        cmocka_unit_test(is_as_described),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
