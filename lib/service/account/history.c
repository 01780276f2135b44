/* Lists that only their owner sees. They may lag, so they come from the replica; the balance does
 * not, so it comes from the primary. */
#include "lib/service/account/history.h"
#include "lib/service/common/replica.h"
#include <string.h>

/* Give session back after a read that ended with err. Any error means "no answer", and leaves the
 * session usable. */
static enum err history_end(const struct account_service *s, struct session *session,
                            struct store *store, enum err err)
{
    if (err != ERR_OK) {
        store->ops->rollback(store);
        err = err_class(err) == CLASS_FAULT ? err : ERR_UNAVAILABLE;
    }
    session_pool_give(s->sessions, session, err);
    return err;
}

/* The microseconds [from_us, to_us) of a year at the site's offset. */
struct year_range {
    int year;
    int64_t from_us, to_us;
};

static struct year_range year_range_of(const struct runtime *runtime, int year)
{
    int offset_min = (int)runtime->config->year_offset_min;
    if (year == 0)
        year = clock_year_of(runtime->clock->wall_us(runtime->clock->self), offset_min);
    return (struct year_range){.year = year,
                               .from_us = clock_year_start_us(year, offset_min),
                               .to_us = clock_year_start_us(year + 1, offset_min)};
}

/* Each list reads one row more than its limit, which shows whether there is a further page. Drop
 * that row; return true if there was one. */
static bool cut_to_limit(size_t *n, size_t limit)
{
    bool more = *n > limit;
    if (more)
        *n = limit;
    return more;
}

enum err history_me(const struct account_service *s, const struct who *who, int64_t deadline_us,
                    struct me_view *out)
{
    struct session *session = session_pool_take(s->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    struct store *store = session->store;
    memset(out, 0, sizeof *out);
    enum err err = store->ops->account_get(store, who->user, &out->account, &out->pending_fen);
    memcpy(out->account.user, who->user, sizeof out->account.user);
    memcpy(out->account.name, who->name, sizeof out->account.name);
    return history_end(s, session, store, err);
}

/* ---- lists, from the replica while it may be asked ---- */

struct list_read {
    const struct account_service *s;
    const struct history_query *q;
    struct year_range range;
    void *view; /* out: of the list */
};

/* Ask the replica; without an answer, the primary. */
static enum err history_list(const struct list_read *r,
                             enum err (*read)(struct store *store, const struct list_read *r))
{
    struct replica *replica = r->s->runtime->replica;
    struct session *session = session_pool_take(r->s->sessions, r->q->deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    if (replica_enter(replica)) {
        enum err err = read(session->replica, r);
        replica_leave(replica, err == ERR_OK);
        if (err == ERR_OK)
            return history_end(r->s, session, session->replica, err);
        session->replica->ops->rollback(session->replica);
    }
    return history_end(r->s, session, session->store, read(session->store, r));
}

static enum err read_sent(struct store *store, const struct list_read *r)
{
    struct sent_view *out = r->view;
    const char *user = r->q->who->user;
    enum err err = store->ops->year_totals_get(store, user, r->range.year, r->range.from_us,
                                               r->range.to_us, &out->totals);
    return err != ERR_OK
               ? err
               : store->ops->sent_page(store, user, r->range.from_us, r->range.to_us, &r->q->after,
                                       r->q->limit + 1, out->items, &out->n);
}

enum err history_sent(const struct account_service *s, const struct history_query *q,
                      struct sent_view *out)
{
    const struct list_read r = {s, q, year_range_of(s->runtime, q->year), out};
    enum err err = history_list(&r, read_sent);
    if (err != ERR_OK)
        return err;
    out->year = r.range.year;
    out->next = (struct page_after){.set = false};
    if (cut_to_limit(&out->n, q->limit))
        out->next = (struct page_after){.set = true, .id = out->items[q->limit - 1].id};
    return ERR_OK;
}

static enum err read_received(struct store *store, const struct list_read *r)
{
    struct received_view *out = r->view;
    const char *user = r->q->who->user;
    enum err err = store->ops->year_totals_get(store, user, r->range.year, r->range.from_us,
                                               r->range.to_us, &out->totals);
    return err != ERR_OK
               ? err
               : store->ops->received_page(store, user, r->range.from_us, r->range.to_us,
                                           &r->q->after, r->q->limit + 1, out->items, &out->n);
}

enum err history_received(const struct account_service *s, const struct history_query *q,
                          struct received_view *out)
{
    const struct list_read r = {s, q, year_range_of(s->runtime, q->year), out};
    enum err err = history_list(&r, read_received);
    if (err != ERR_OK)
        return err;
    out->year = r.range.year;
    out->next = (struct page_after){.set = false};
    if (cut_to_limit(&out->n, q->limit))
        out->next = out->items[q->limit - 1].cursor;
    return ERR_OK;
}

static enum err read_ledger(struct store *store, const struct list_read *r)
{
    struct account account;
    int64_t pending_fen;
    struct ledger_view *out = r->view;
    enum err err = store->ops->account_get(store, r->q->who->user, &account, &pending_fen);
    if (err != ERR_OK)
        return err;
    out->balance_fen = account.exists ? account.balance_fen : 0;
    return store->ops->ledger_page(store, r->q->who->user, &r->q->after, r->q->limit + 1,
                                   out->items, &out->n, &out->balance_fen);
}

enum err history_ledger(const struct account_service *s, const struct history_query *q,
                        struct ledger_view *out)
{
    const struct list_read r = {.s = s, .q = q, .view = out};
    enum err err = history_list(&r, read_ledger);
    if (err != ERR_OK)
        return err;
    out->next = (struct page_after){.set = false};
    if (cut_to_limit(&out->n, q->limit))
        out->next = (struct page_after){.set = true, .seq = out->items[q->limit - 1].entry};
    return ERR_OK;
}
