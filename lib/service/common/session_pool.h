/* A bounded stock of sessions: a thread takes one, uses it alone, gives it back. Connections are
 * made when first needed. Thread-safe. */
#ifndef HONGBAO_SERVICE_COMMON_SESSION_POOL_H
#define HONGBAO_SERVICE_COMMON_SESSION_POOL_H

#include "lib/service/common/runtime.h"

struct session {
    struct store *store; /* NULL in a stock without stores */
    struct cache *cache;
    struct session *next;
};
struct session_pool;
/* At most max sessions exist at once. NULL: no memory. */
struct session_pool *session_pool_new(const struct runtime *runtime, unsigned max, bool with_store);
void session_pool_free(struct session_pool *s); /* all must have been given back */
/* NULL: all are taken, or no memory. Never waits. */
struct session *session_pool_take(struct session_pool *s);
void session_pool_give(struct session_pool *s, struct session *session);

#endif
