/* What the services of accounts and of the operator work with. */
#ifndef HONGBAO_SERVICE_ACCOUNT_ACCOUNT_H
#define HONGBAO_SERVICE_ACCOUNT_ACCOUNT_H

#include "lib/service/common/session_pool.h"

/* Filled by the program; both must outlive every call. Functions that take one are thread-safe and
 * take a session of the pool for the length of the call. If the pool refuses one they return
 * ERR_UNAVAILABLE. deadline_us is monotonic, in microseconds; 0, with a pool without reserve_us:
 * none. */
struct account_service {
    const struct runtime *runtime;
    struct session_pool *sessions;
};

#endif
