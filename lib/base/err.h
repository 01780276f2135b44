/* Every outcome that a function in the tree can return. */
#ifndef HONGBAO_BASE_ERR_H
#define HONGBAO_BASE_ERR_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum err {
    ERR_OK = 0,

    /* Client: refused, nothing changed. Each has a stable problem code of the API (wire/problem).
     */
    ERR_INVALID_JSON,
    ERR_INVALID_REQUEST,
    ERR_IDEMPOTENCY_KEY_REQUIRED,
    ERR_UNAUTHORIZED,
    ERR_TOKEN_EXPIRED,
    ERR_TICKET_INVALID,
    ERR_TICKET_EXPIRED,
    ERR_NOT_RECIPIENT,
    ERR_NOT_SENDER,
    ERR_NOT_OPENED,
    ERR_WITHDRAWALS_OFF,
    ERR_USER_BLOCKED,
    ERR_SCOPE_REQUIRED,
    ERR_NOT_FOUND,
    ERR_METHOD_NOT_ALLOWED,
    ERR_IDEMPOTENCY_IN_PROGRESS,
    ERR_LENGTH_REQUIRED,
    ERR_BODY_TOO_LARGE,
    ERR_UNSUPPORTED_MEDIA_TYPE,
    ERR_IDEMPOTENCY_KEY_REUSED,
    ERR_REFERENCE_REUSED,
    ERR_INSUFFICIENT_FUNDS,
    ERR_LIMIT_EXCEEDED,
    ERR_RATE_LIMITED,

    /* Retry: the same call may succeed later. Nothing happened, except where the contract of an
     * operation allows otherwise for ERR_UNAVAILABLE. */
    ERR_UNAVAILABLE, /* server unreachable, deadline passed, stall: 503 to the client */
    ERR_DEADLOCK,    /* 1213: the server rolled the transaction back; run it again */
    ERR_LOCKED,      /* 1205 or NOWAIT: another transaction holds the row */
    ERR_SCHEMA,      /* the tables are older or newer than the program: run hongbaoctl migrate */

    /* Uncertain: may or may not have happened. Repeat only under a unique key. */
    ERR_UNCERTAIN,

    /* Data: the schema refused the statement; the transaction must be rolled back. */
    ERR_DUPLICATE, /* 1062 */
    ERR_RANGE,     /* out of range, check constraint, too long */

    /* Fault: a bug, a broken installation, no memory. Logged where it is first noticed. */
    ERR_FAULT,
    ERR_COUNT
};

enum err_class { CLASS_OK, CLASS_CLIENT, CLASS_RETRY, CLASS_UNCERTAIN, CLASS_DATA, CLASS_FAULT };

/* Return the class of e, as the sections of enum err give it; CLASS_FAULT if e is not in the list.
 */
enum err_class err_class(enum err e);

/* Return a short stable lower-case name of e for logs and tests ("invalid_json"). For a client
 * error and for ERR_UNAVAILABLE it is the problem code of the API. Never NULL; a static string. */
const char *err_name(enum err e);

#endif
