/* A bounded stock of sessions: a thread takes one, uses it alone, gives it back. Connections are
 * made when first needed. Thread-safe. */
#ifndef HONGBAO_SERVICE_SESSIONS_H
#define HONGBAO_SERVICE_SESSIONS_H

#include "lib/service/env.h"

struct session {
    struct store *store; /* NULL in a stock without stores */
    struct cache *cache;
    struct session *next;
};
struct sessions;
/* At most max sessions exist at once. NULL: no memory. */
struct sessions *sessions_new(const struct env *env, unsigned max, bool with_store);
void sessions_free(struct sessions *s); /* all must have been given back */
/* NULL: all are taken, or no memory. Never waits. */
struct session *sessions_take(struct sessions *s);
void sessions_give(struct sessions *s, struct session *session);

#endif
