/* The generation is part of every key, so that nothing written before a restore of the database is
 * ever read again. */
#include "lib/wire/item_key.h"
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include <stdio.h>
#include <string.h>

/* Longer ids are hashed: a key has at most 250 bytes. A hash is longer than any plain id, so no id
 * looks like it. */
#define PLAIN_USER_MAX 64

static void key_format(char *out, const uint8_t generation[16], const struct id *id, char letter)
{
    str_to_hex(out, id->b, ID_SIZE);
    out[32] = '/';
    out[33] = letter;
    out[34] = '/';
    str_to_hex(out + 35, generation, 16);
}

void item_key(char *out, enum item_kind kind, const uint8_t generation[16], const struct id *id)
{
    static const char letters[] = {[ITEM_KEY_GATE] = 'g',
                                   [ITEM_KEY_HOLD] = 'h',
                                   [ITEM_KEY_UNKNOWN] = 'x',
                                   [ITEM_KEY_VERSION] = 'v',
                                   [ITEM_KEY_ENVELOPE] = 'r'};
    key_format(out, generation, id, letters[kind]);
}

void item_key_user(char *out, const uint8_t generation[16], const struct id *id, const char *user)
{
    key_format(out, generation, id, 'u');
    size_t len = strlen(out), user_len = strlen(user);
    if (user_len <= PLAIN_USER_MAX) {
        snprintf(out + len, ITEM_KEY_SIZE - len, "/%s", user);
        return;
    }
    uint8_t digest[32];
    char hex[2 * sizeof digest + 1];
    hash_sha256(digest, user, user_len);
    str_to_hex(hex, digest, sizeof digest);
    snprintf(out + len, ITEM_KEY_SIZE - len, "/#%s", hex);
}
