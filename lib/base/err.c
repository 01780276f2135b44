/* One table gives each outcome its class and name. */
#include "lib/base/err.h"
#include <stddef.h>

struct err_row {
    enum err_class class;
    const char *name;
};

static const struct err_row rows[ERR_COUNT] = {
    [ERR_OK] = {CLASS_OK, "ok"},
    [ERR_INVALID_JSON] = {CLASS_CLIENT, "invalid_json"},
    [ERR_INVALID_REQUEST] = {CLASS_CLIENT, "invalid_request"},
    [ERR_IDEMPOTENCY_KEY_REQUIRED] = {CLASS_CLIENT, "idempotency_key_required"},
    [ERR_UNAUTHORIZED] = {CLASS_CLIENT, "unauthorized"},
    [ERR_TOKEN_EXPIRED] = {CLASS_CLIENT, "token_expired"},
    [ERR_TICKET_INVALID] = {CLASS_CLIENT, "ticket_invalid"},
    [ERR_TICKET_EXPIRED] = {CLASS_CLIENT, "ticket_expired"},
    [ERR_NOT_RECIPIENT] = {CLASS_CLIENT, "not_recipient"},
    [ERR_NOT_SENDER] = {CLASS_CLIENT, "not_sender"},
    [ERR_NOT_OPENED] = {CLASS_CLIENT, "not_opened"},
    [ERR_WITHDRAWALS_OFF] = {CLASS_CLIENT, "withdrawals_off"},
    [ERR_USER_BLOCKED] = {CLASS_CLIENT, "user_blocked"},
    [ERR_SCOPE_REQUIRED] = {CLASS_CLIENT, "scope_required"},
    [ERR_NOT_FOUND] = {CLASS_CLIENT, "not_found"},
    [ERR_METHOD_NOT_ALLOWED] = {CLASS_CLIENT, "method_not_allowed"},
    [ERR_IDEMPOTENCY_IN_PROGRESS] = {CLASS_CLIENT, "idempotency_in_progress"},
    [ERR_LENGTH_REQUIRED] = {CLASS_CLIENT, "length_required"},
    [ERR_BODY_TOO_LARGE] = {CLASS_CLIENT, "body_too_large"},
    [ERR_UNSUPPORTED_MEDIA_TYPE] = {CLASS_CLIENT, "unsupported_media_type"},
    [ERR_IDEMPOTENCY_KEY_REUSED] = {CLASS_CLIENT, "idempotency_key_reused"},
    [ERR_REFERENCE_REUSED] = {CLASS_CLIENT, "reference_reused"},
    [ERR_INSUFFICIENT_FUNDS] = {CLASS_CLIENT, "insufficient_funds"},
    [ERR_LIMIT_EXCEEDED] = {CLASS_CLIENT, "limit_exceeded"},
    [ERR_RATE_LIMITED] = {CLASS_CLIENT, "rate_limited"},
    [ERR_UNAVAILABLE] = {CLASS_RETRY, "unavailable"},
    [ERR_DEADLOCK] = {CLASS_RETRY, "deadlock"},
    [ERR_LOCKED] = {CLASS_RETRY, "locked"},
    [ERR_SCHEMA] = {CLASS_RETRY, "schema"},
    [ERR_UNCERTAIN] = {CLASS_UNCERTAIN, "uncertain"},
    [ERR_DUPLICATE] = {CLASS_DATA, "duplicate"},
    [ERR_RANGE] = {CLASS_DATA, "range"},
    [ERR_FAULT] = {CLASS_FAULT, "fault"},
};

enum err_class err_class(enum err e)
{
    return (size_t)e < ERR_COUNT ? rows[e].class : CLASS_FAULT;
}

const char *err_name(enum err e)
{
    return (size_t)e < ERR_COUNT ? rows[e].name : "fault";
}
