/* User ids need no escaping in SQL, cache keys or paths, because of the characters allowed here. */
#include "lib/domain/limits.h"
#include <string.h>

static bool user_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._:@-", c) != NULL);
}

bool user_valid(const char *id, size_t len)
{
    if (len < 1 || len > USER_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!user_char(id[i]))
            return false;
    return true;
}

bool user_is_guest(const char *id)
{
    return strncmp(id, GUEST_PREFIX, sizeof GUEST_PREFIX - 1) == 0;
}

bool key_valid(const char *key, size_t len, size_t max)
{
    if (len < 1 || len > max)
        return false;
    for (size_t i = 0; i < len; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    return true;
}
