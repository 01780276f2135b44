/* User ids contain no space, because lists of them are separated by spaces. They may contain quotes
 * and backslashes: SQL, JSON and logs escape them. */
#include "lib/domain/limits.h"
#include <string.h>

bool user_valid(const char *id, size_t len)
{
    return key_valid(id, len, USER_MAX);
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
