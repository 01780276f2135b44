/* One transaction under the lock of the envelope, which orders the versions. Repeating it is safe:
 * the same thanks change nothing. */
#include "lib/service/account/thanks.h"
#include "lib/service/common/newest_version.h"
#include "lib/service/common/txn.h"
#include <stdlib.h>

#define TRIES_MAX 5

struct thanks_run {
    struct open_set *set; /* one envelope, one row */
    enum claim_thanks thanks;
    bool changed; /* out */
};

static enum err thanks_once(struct store *store, void *context)
{
    struct thanks_run *run = context;
    struct open_set *set = run->set;
    struct open_row *row = &set->rows[0];
    set->exists[0] = row->found = run->changed = false;
    enum err err = store->ops->open_read(store, set);
    if (err != ERR_OK)
        return err;
    run->changed = row->found && row->claim.thanks != run->thanks;
    if (!run->changed) {
        store->ops->rollback(store);
        return row->found ? store->ops->barrier(store) : ERR_OK;
    }
    row->claim.thanks = run->thanks;
    set->envelopes[0].version++;
    err = store->ops->thanks_write(store, &row->claim);
    return err == ERR_OK ? store->ops->commit(store) : err;
}

static enum err thanks_over(const struct account_service *s, const struct session *session,
                            struct thanks_run *run)
{
    static const struct txn_policy policy = {.tries_max = TRIES_MAX};
    enum err err = txn_run(s->runtime, session->store, thanks_once, run, &policy);
    if (err != ERR_OK)
        return err_class(err) == CLASS_FAULT ? err : ERR_UNAVAILABLE;
    if (!run->set->exists[0])
        return ERR_NOT_FOUND;
    if (!run->set->rows[0].found)
        return ERR_NOT_OPENED;
    if (run->changed) {
        newest_version_hint_made(s->runtime, session->cache, &run->set->envelopes[0], NULL, 0);
        session->cache->ops->flush(session->cache, true);
    }
    return ERR_OK;
}

enum err thanks_give(const struct account_service *s, const char *user, const struct id *id,
                     enum claim_thanks thanks, int64_t deadline_us, struct claim *out,
                     bool *replayed)
{
    struct open_set *set = calloc(1, sizeof *set); /* too large for a stack */
    if (set == NULL)
        return ERR_FAULT;
    struct thanks_run run = {.set = set, .thanks = thanks};
    set->n_envelopes = set->n_rows = 1;
    set->ids[0] = *id;
    set->rows[0] = (struct open_row){.envelope = *id, .user = user, .look = true};
    struct session *session = session_pool_take(s->sessions, deadline_us);
    enum err err = session != NULL ? thanks_over(s, session, &run) : ERR_UNAVAILABLE;
    if (session != NULL)
        session_pool_give(s->sessions, session, err);
    *replayed = err == ERR_OK && !run.changed;
    *out = set->rows[0].claim;
    free(set);
    return err;
}
