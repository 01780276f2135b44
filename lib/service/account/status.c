/* Each function is one short read or write in a session of its own. Those without a deadline serve
 * hongbaoctl, where a person waits. */
#include "lib/service/account/status.h"
#include <string.h>

/* Give session back after an operation on its primary that ended with err. */
static enum err status_end(const struct account_service *s, struct session *session, enum err err)
{
    if (err != ERR_OK)
        session->store->ops->rollback(session->store);
    session_pool_give(s->sessions, session, err);
    return err;
}

enum err status_generation(const struct account_service *s, int64_t deadline_us, uint8_t out[16])
{
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    return status_end(s, session, session->store->ops->generation(session->store, out));
}

enum err status_schema(const struct account_service *s, int64_t deadline_us,
                       struct schema_state *out)
{
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = status_end(s, session, session->store->ops->schema(session->store, out));
    return err == ERR_OK && !schema_fits(out) ? ERR_SCHEMA : err;
}

static enum err status_barrier(const struct account_service *s, int64_t deadline_us)
{
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    metrics_add(s->runtime->metrics, METRIC_BARRIERS, 1);
    return status_end(s, session, session->store->ops->barrier(session->store));
}

bool status_cache_answers(const struct account_service *s)
{
    char text[8];
    struct cache_item item = {.key = "ready", .value = text, .value_cap = sizeof text};
    struct cache *cache = session_pool_take_cache(s->sessions);
    item.result = CACHE_UNKNOWN;
    if (cache != NULL)
        cache->ops->get(cache, &item, 1);
    session_pool_give_cache(s->sessions, cache);
    return item.result != CACHE_UNKNOWN;
}

static enum status_fault status_database(const struct account_service *s,
                                         const uint8_t generation[16], int64_t deadline_us,
                                         struct schema_state *schema)
{
    uint8_t now[16];
    enum err err = status_schema(s, deadline_us, schema);
    if (err == ERR_SCHEMA)
        return STATUS_SCHEMA_WRONG;
    if (err == ERR_OK)
        err = status_generation(s, deadline_us, now);
    if (err != ERR_OK)
        return STATUS_DATABASE_AWAY;
    if (generation != NULL && !bytes_equal(now, generation, sizeof now))
        return STATUS_DATABASE_RESTORED;
    return status_barrier(s, deadline_us) == ERR_OK ? STATUS_WORKS : STATUS_NOTHING_WRITTEN;
}

void status_check(const struct account_service *s, const uint8_t generation[16],
                  int64_t deadline_us, struct status_ready *out)
{
    const struct runtime *r = s->runtime;
    memset(out, 0, sizeof *out);
    out->fault = status_database(s, generation, deadline_us, &out->schema);
    int64_t now_us = r->clock->mono_us(r->clock->self);
    for (int p = PROGRAM_SEND; p <= PROGRAM_QUERY && out->fault == STATUS_WORKS; p++)
        if (metrics_ready(r->metrics, (enum metric_program)p, now_us) == 0) {
            out->fault = STATUS_POOL_DOWN;
            out->pool = (enum metric_program)p;
        }
    if (out->fault != STATUS_WORKS)
        return;
    out->cache = status_cache_answers(s);
    out->settle = metrics_ready(r->metrics, PROGRAM_SETTLE, now_us) > 0;
}

enum err status_clock(const struct account_service *s, int64_t deadline_us, bool *held)
{
    struct clock_row row = {.held_us = 0};
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = status_end(s, session, session->store->ops->clock_read(session->store, &row));
    *held = err == ERR_OK && row.held_us != 0;
    return err;
}

enum err status_queues(const struct account_service *s, int64_t deadline_us,
                       struct queue_state *out)
{
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    return status_end(s, session, session->store->ops->queue_state(session->store, out));
}

enum err status_envelope(const struct account_service *s, const struct id *id,
                         struct status_envelope *out)
{
    bool found = false;
    int64_t now_us;
    struct session *session = session_pool_take(s->sessions, 0);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    struct store *store = session->store;
    enum err err = store->ops->envelope_get(store, id, &out->envelope, &found, &now_us);
    if (err == ERR_OK && !found)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = store->ops->claims_page(store, id, 0, PAGE_MAX, out->claims, &out->n_claims);
    err = status_end(s, session, err);
    if (err != ERR_OK)
        return err;
    bool more = out->n_claims == PAGE_MAX && out->envelope.opened_shares > PAGE_MAX;
    out->next_seq = more ? PAGE_MAX : 0;
    return ERR_OK;
}

enum err status_account(const struct account_service *s, const char *user, struct me_view *out)
{
    struct session *session = session_pool_take(s->sessions, 0);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    struct store *store = session->store;
    enum err err = store->ops->account_get(store, user, &out->account, &out->pending_fen);
    if (err == ERR_OK && !out->account.exists && out->pending_fen == 0)
        err = ERR_NOT_FOUND;
    return status_end(s, session, err);
}

enum err status_frozen(const struct account_service *s, struct frozen *rows, size_t limit,
                       size_t *n)
{
    struct session *session = session_pool_take(s->sessions, 0);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    struct store *store = session->store;
    return status_end(s, session, store->ops->frozen_list(store, rows, limit, n));
}

enum err status_set_frozen(const struct account_service *s, const struct id *id, int64_t rule,
                           bool *changed)
{
    struct session *session = session_pool_take(s->sessions, 0);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    struct store *store = session->store;
    return status_end(s, session, store->ops->freeze(store, id, rule, changed));
}

void status_cache(const struct account_service *s, bool *answers, bool *has_cas)
{
    static const char key[] = "doctor";
    char text[8];
    struct cache_item item = {.value = text, .value_cap = sizeof text};
    struct cache *cache = session_pool_take_cache(s->sessions);
    memcpy(item.key, key, sizeof key);
    item.result = CACHE_UNKNOWN;
    *has_cas = true;
    if (cache != NULL)
        cache->ops->get(cache, &item, 1);
    *answers = item.result != CACHE_UNKNOWN;
    if (*answers && cache->ops->add(cache, key, "1", 1, 1) != CACHE_UNKNOWN) {
        cache->ops->get(cache, &item, 1);
        *has_cas = item.result != CACHE_HIT || item.cas != 0; /* evicted already: not known */
    }
    session_pool_give_cache(s->sessions, cache);
}
