/* The sender of an envelope never changes, so it is checked before the lock. All else is decided
 * under the lock, by the function that closes for the operator and the open pool, too. */
#include "lib/service/account/recall.h"
#include "lib/service/common/close.h"
#include <string.h>

/* Read envelope id into *e, and check that its sender is the user. */
static enum err recall_check(struct store *store, const char *user, const struct id *id,
                             struct envelope *e)
{
    bool found = false;
    int64_t now_us;
    enum err err = store->ops->envelope_get(store, id, e, &found, &now_us);
    if (err != ERR_OK) {
        store->ops->rollback(store);
        return err_class(err) == CLASS_FAULT ? err : ERR_UNAVAILABLE;
    }
    if (!found)
        return ERR_NOT_FOUND;
    return strcmp(e->sender, user) == 0 ? ERR_OK : ERR_NOT_SENDER;
}

enum err recall_envelope(const struct account_service *s, const char *user, const struct id *id,
                         int64_t deadline_us, struct envelope *out, bool *replayed)
{
    bool found = false;
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = recall_check(session->store, user, id, out);
    *replayed = err == ERR_OK && envelope_closer(out) == CLOSER_SENDER;
    if (err == ERR_OK)
        err = close_envelope(s->runtime, session->store, session->cache, id, CLOSER_SENDER, &found,
                             out);
    session_pool_give(s->sessions, session, err);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}
