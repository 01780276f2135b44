/* Sizes and limits that hold everywhere, and the forms of ids and keys. Pure. */
#ifndef HONGBAO_DOMAIN_LIMITS_H
#define HONGBAO_DOMAIN_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USER_MAX 255 /* bytes of a user id: printable ASCII without space */
#define USER_SIZE (USER_MAX + 1)
#define NAME_MAX_POINTS 32 /* code points */
#define NAME_SIZE (4 * NAME_MAX_POINTS + 1)
#define GREETING_SIZE (4 * 50 + 1) /* 50 code points is also the highest configurable */
#define RECIPIENTS_MAX 100
#define RECIPIENTS_SIZE 6501 /* ids separated by one space; fewer than RECIPIENTS_MAX long ones */
#define GROUPS_MAX 64
#define GROUP_MAX 128 /* bytes of a group name: UTF-8 without control characters */
#define GROUP_SIZE (GROUP_MAX + 1)
#define REFERENCE_MAX 64 /* printable ASCII without space */
#define REFERENCE_SIZE (REFERENCE_MAX + 1)
#define KEY_MAX 128 /* Idempotency-Key: printable ASCII */
#define KEY_SIZE (KEY_MAX + 1)
#define AMOUNT_MAX_FEN INT64_C(1000000000000) /* no amount, total or balance exceeds 10^12 fen */
#define SHARES_LIMIT 1000000
#define EXPIRES_LIMIT_S 2592000 /* the highest that the setting expires_max can be */
#define TICKET_SIZE 64          /* a ticket's text and its NUL */
#define GUEST_PREFIX "guest:"

/* Return true if id[0..len) is a valid user id: 1..255 bytes of printable ASCII without space. */
bool user_valid(const char *id, size_t len);
/* Return true if the user id is that of a guest. */
bool user_is_guest(const char *id);
/* Return true if key[0..len) is 1..max bytes of printable ASCII without space. */
bool key_valid(const char *key, size_t len, size_t max);

#endif
