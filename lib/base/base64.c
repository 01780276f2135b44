/* str.h's base64url, by libsodium. */
#include "lib/base/str.h"
#include <sodium.h>

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

bool str_to_base64url(char *out, size_t out_cap, const uint8_t *bytes, size_t n)
{
    if (out_cap < sodium_base64_ENCODED_LEN(n, VARIANT))
        return false;
    return sodium_bin2base64(out, out_cap, bytes, n, VARIANT) != NULL;
}

bool str_from_base64url(uint8_t *out, size_t out_cap, size_t *out_len, const char *text, size_t len)
{
    const char *end;
    return sodium_base642bin(out, out_cap, text, len, NULL, out_len, &end, VARIANT) == 0 &&
           end == text + len;
}
