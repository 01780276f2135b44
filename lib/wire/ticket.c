/* A ticket is checked without any lookup, so an open pool can refuse a forged one before it touches
 * the database. Both keys are always tried, so that the time does not depend on which one matches.
 */
#include "lib/wire/ticket.h"
#include "lib/base/str.h"
#include <string.h>

#define TICKET_VERSION 1
#define MAC_SIZE 24
#define TICKET_BYTES (1 + 4 + MAC_SIZE)
#define PREFIX "hongbao-ticket-1"

static void ticket_put_u32(uint8_t *out, uint32_t n)
{
    for (int i = 3; i >= 0; i--, n >>= 8)
        out[i] = (uint8_t)n;
}

static void ticket_sign(uint8_t mac[32], const uint8_t key[32], const uint8_t generation[16],
                        const struct id *envelope, const char *user, uint32_t expires_s)
{
    uint8_t message[sizeof PREFIX - 1 + 16 + ID_SIZE + 4 + USER_SIZE], *p = message;
    size_t user_len = strlen(user);
    memcpy(p, PREFIX, sizeof PREFIX - 1);
    p += sizeof PREFIX - 1;
    memcpy(p, generation, 16);
    memcpy(p + 16, envelope->b, ID_SIZE);
    ticket_put_u32(p + 16 + ID_SIZE, expires_s);
    p += 16 + ID_SIZE + 4;
    memcpy(p, user, user_len);
    hash_hmac256(mac, key, message, (size_t)(p - message) + user_len);
}

void ticket_make(char *out, const struct secret_pair *keys, const uint8_t generation[16],
                 const struct id *envelope, const char *user, int64_t expires_s)
{
    uint8_t mac[32], bytes[TICKET_BYTES];
    ticket_sign(mac, keys->key[0], generation, envelope, user, (uint32_t)expires_s);
    bytes[0] = TICKET_VERSION;
    ticket_put_u32(bytes + 1, (uint32_t)expires_s);
    memcpy(bytes + 5, mac, MAC_SIZE);
    if (!base64url_encode(out, TICKET_SIZE, bytes, sizeof bytes))
        out[0] = '\0';
}

enum err ticket_check(const char *text, size_t len, const struct secret_pair *keys,
                      const uint8_t generation[16], const struct id *envelope, const char *user,
                      int64_t now_s)
{
    uint8_t bytes[TICKET_BYTES], mac[32];
    size_t size;
    bool genuine = false;
    if (!base64url_decode(bytes, sizeof bytes, &size, text, len) || size != sizeof bytes ||
        bytes[0] != TICKET_VERSION)
        return ERR_TICKET_INVALID;
    uint32_t expires_s = 0;
    for (int i = 1; i <= 4; i++)
        expires_s = expires_s << 8 | bytes[i];
    for (size_t i = 0; i < keys->n; i++) {
        ticket_sign(mac, keys->key[i], generation, envelope, user, expires_s);
        genuine |= bytes_equal(mac, bytes + 5, MAC_SIZE);
    }
    if (!genuine)
        return ERR_TICKET_INVALID;
    return now_s < (int64_t)expires_s ? ERR_OK : ERR_TICKET_EXPIRED;
}
