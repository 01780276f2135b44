#include "lib/service/look/query.h"
#include <string.h>

/* Any error of a read is "could not ask", and leaves the session usable. */
static enum err read_failed(struct store *store, enum err err)
{
    store->ops->rollback(store);
    return err_class(err) == CLASS_FAULT ? err : ERR_UNAVAILABLE;
}

/* The envelope, and the reader's own claim, if he has one in that version. */
static enum err read_both(const struct query_session *q, const struct who *who, const struct id *id,
                          struct envelope_view *out, bool *found)
{
    int64_t now_us;
    const struct store_ops *ops = q->store->ops;
    struct envelope *e = &out->envelope;
    enum err err = ops->envelope_get(q->store, id, e, found, &now_us);
    if (err != ERR_OK || !*found || who == NULL || e->opened_shares == 0 ||
        claimer_set_without(q->claimer_set, id, e->opened_shares, who->user))
        return err;
    err = ops->claim_get(q->store, id, who->user, &out->mine, &out->has_mine);
    if (err == ERR_OK && out->has_mine && out->mine.seq > e->opened_shares)
        err = ops->envelope_get(q->store, id, e, found, &now_us); /* he opened it in between */
    return err;
}

static enum err check_reader(const struct who *who, const struct envelope_view *v)
{
    const struct envelope *e = &v->envelope;
    if (who == NULL)
        return e->to_kind == TO_ANYONE ? ERR_OK : ERR_UNAUTHORIZED;
    if (strcmp(e->sender, who->user) == 0 || v->has_mine ||
        envelope_admits(e, who->user, who->groups, who->n_groups))
        return ERR_OK;
    return ERR_NOT_RECIPIENT;
}

/* For those who only ask whether anything has changed. */
static void tell_version(const struct query_session *q, const struct envelope *e)
{
    if (q->cache == NULL)
        return;
    newest_version_hint_read(q->runtime, q->cache, e);
    q->cache->ops->flush(q->cache, false);
}

void query_versions(const struct query_session *q, const struct newest_version_query *asked,
                    size_t n)
{
    for (size_t i = 0; q->cache == NULL && i < n; i++)
        asked[i].out->known = asked[i].out->has_mine = false;
    if (q->cache != NULL && n > 0)
        newest_versions_get(q->runtime, q->cache, asked, n);
}

/* The reader's own claim among those of the page. False: it may be elsewhere. */
static bool find_among(const struct query_session *q, const struct who *who,
                       struct envelope_view *v)
{
    const struct envelope *e = &v->envelope;
    for (size_t i = 0; i < v->n_claims; i++) {
        if (strcmp(v->claims[i].user, who->user) != 0)
            continue;
        v->mine = v->claims[i];
        v->has_mine = true;
        return true;
    }
    return claimer_set_without(q->claimer_set, &e->id, e->opened_shares, who->user);
}

/* Who has opened it, up to the version of v: read on from what is known. Errors only leave it
 * unknown. */
static void learn_claimers(const struct query_session *q, const struct envelope_view *v)
{
    const struct envelope *e = &v->envelope;
    struct claim more[PAGE_MAX];
    size_t n = v->n_claims;
    claimer_set_add(q->claimer_set, &e->id, v->claims, n);
    if (e->opened_shares > CLAIMER_SET_MAX)
        return;
    for (int64_t known = claimer_set_known(q->claimer_set, &e->id);
         known < e->opened_shares && n > 0; known += (int64_t)n) {
        if (q->store->ops->claims_page(q->store, &e->id, known, PAGE_MAX, more, &n) != ERR_OK) {
            q->store->ops->rollback(q->store);
            return;
        }
        while (n > 0 && more[n - 1].seq > e->opened_shares)
            n--; /* of a later version, not yet known durable */
        claimer_set_add(q->claimer_set, &e->id, more, n);
    }
}

/* Whoever remembers the version before the newest knows this one by the claims that made it, if
 * they add up. */
static void learn_version(const struct query_session *q, const struct id *id,
                          const struct newest_version *newest)
{
    if (page_cache_learn(q->page_cache, id, newest->version, newest->claims, newest->n_claims))
        claimer_set_add(q->claimer_set, id, newest->claims, newest->n_claims);
}

bool query_remembered(const struct query_session *q, const struct who *who, const struct id *id,
                      const struct newest_version *newest, int64_t after_seq, size_t limit,
                      struct envelope_view *out)
{
    if (!page_cache_get(q->page_cache, id, newest->version, after_seq, limit, out)) {
        learn_version(q, id, newest);
        if (!page_cache_get(q->page_cache, id, newest->version, after_seq, limit, out))
            return false;
    }
    if (!newest->has_mine)
        return find_among(q, who, out);
    if (newest->mine.seq > out->envelope.opened_shares)
        return false; /* his claim is of a version that the cache has not told of yet */
    out->has_mine = true;
    out->mine = newest->mine;
    return true;
}

/* Nothing is remembered of a version that is not durable, so nobody waits for that here. */
bool query_unchanged(const struct query_session *q, const struct who *who, const struct id *id,
                     int64_t after_seq, size_t limit, struct envelope_view *out)
{
    int64_t newest;
    if (!page_cache_get(q->page_cache, id, 1, after_seq, limit, out) ||
        user_is_guest(out->envelope.sender) != user_is_guest(who->user))
        return false;
    if (q->store->ops->version_get(q->store, id, &newest) != ERR_OK) {
        q->store->ops->rollback(q->store);
        return false;
    }
    if (newest < out->envelope.version) { /* the cache told of what never was */
        page_cache_forget(q->page_cache, id);
        claimer_set_forget(q->claimer_set, id);
    }
    if (newest != out->envelope.version)
        return false;
    tell_version(q, &out->envelope);
    return find_among(q, who, out);
}

enum err query_envelope(const struct query_session *q, const struct who *who, const struct id *id,
                        struct envelope_view *out)
{
    bool found;
    out->has_mine = false;
    out->n_claims = 0;
    out->next_seq = 0;
    enum err err = read_both(q, who, id, out, &found);
    if (err != ERR_OK)
        return read_failed(q->store, err);
    if (!found)
        return ERR_NOT_FOUND;
    err = check_reader(who, out);
    if (err != ERR_OK)
        return err;
    /* version 1: nothing happened since the send, and that was answered after its commit */
    if ((out->envelope.version > 1 || out->has_mine) &&
        durable_wait(q->durable, q->store, id, out->envelope.version) != ERR_OK)
        return ERR_UNAVAILABLE;
    tell_version(q, &out->envelope);
    return ERR_OK;
}

enum err query_claims(const struct query_session *q, int64_t after_seq, size_t limit,
                      struct envelope_view *out)
{
    enum err err = q->store->ops->claims_page(q->store, &out->envelope.id, after_seq, limit,
                                              out->claims, &out->n_claims);
    if (err != ERR_OK)
        return read_failed(q->store, err);
    /* claims newer than the envelope as it was read belong to a later version, not yet known
     * durable */
    while (out->n_claims > 0 && out->claims[out->n_claims - 1].seq > out->envelope.opened_shares)
        out->n_claims--;
    if (out->n_claims == limit && out->claims[limit - 1].seq < out->envelope.opened_shares)
        out->next_seq = out->claims[limit - 1].seq;
    if (out->envelope.to_kind == TO_ANYONE) {
        page_cache_put(q->page_cache, out, after_seq, limit);
        learn_claimers(q, out);
    }
    return ERR_OK;
}

enum err query_me(const struct query_session *q, const struct who *who, struct me_view *out)
{
    memset(out, 0, sizeof *out);
    enum err err =
        q->store->ops->account_get(q->store, who->user, &out->account, &out->pending_fen);
    if (err != ERR_OK)
        return read_failed(q->store, err);
    memcpy(out->account.user, who->user, sizeof out->account.user);
    memcpy(out->account.name, who->name, sizeof out->account.name);
    return ERR_OK;
}

/* The microseconds [*from_us, *to_us) of a year at the site's offset; year 0: the current one. */
static int year_range(const struct runtime *runtime, int year, int64_t *from_us, int64_t *to_us)
{
    int offset_min = (int)runtime->config->year_offset_min;
    if (year == 0)
        year = clock_year_of(runtime->clock->wall_us(runtime->clock->self), offset_min);
    *from_us = clock_year_start_us(year, offset_min);
    *to_us = clock_year_start_us(year + 1, offset_min);
    return year;
}

/* One row more than asked for says whether there is a further page. */
static size_t cut(size_t got, size_t limit, bool *more)
{
    *more = got > limit;
    return *more ? limit : got;
}

enum err query_sent(const struct query_session *q, const struct who *who, int year,
                    const struct page_after *after, size_t limit, struct sent_view *out)
{
    const struct store_ops *ops = q->replica->ops;
    int64_t from_us, to_us;
    bool more;
    out->year = year_range(q->runtime, year, &from_us, &to_us);
    enum err err =
        ops->year_totals_get(q->replica, who->user, out->year, from_us, to_us, &out->totals);
    if (err == ERR_OK)
        err = ops->sent_page(q->replica, who->user, from_us, to_us, after, limit + 1, out->items,
                             &out->n);
    if (err != ERR_OK)
        return read_failed(q->replica, err);
    out->n = cut(out->n, limit, &more);
    memset(&out->next, 0, sizeof out->next);
    if (more)
        out->next = (struct page_after){.set = true, .id = out->items[limit - 1].id};
    return ERR_OK;
}

enum err query_received(const struct query_session *q, const struct who *who, int year,
                        const struct page_after *after, size_t limit, struct received_view *out)
{
    const struct store_ops *ops = q->replica->ops;
    int64_t from_us, to_us;
    bool more;
    out->year = year_range(q->runtime, year, &from_us, &to_us);
    enum err err =
        ops->year_totals_get(q->replica, who->user, out->year, from_us, to_us, &out->totals);
    if (err == ERR_OK)
        err = ops->received_page(q->replica, who->user, from_us, to_us, after, limit + 1,
                                 out->items, &out->n);
    if (err != ERR_OK)
        return read_failed(q->replica, err);
    out->n = cut(out->n, limit, &more);
    memset(&out->next, 0, sizeof out->next);
    if (more)
        out->next = out->items[limit - 1].cursor;
    return ERR_OK;
}

enum err query_ledger(const struct query_session *q, const struct who *who,
                      const struct page_after *after, size_t limit, struct ledger_view *out)
{
    const struct store_ops *ops = q->replica->ops;
    struct account account;
    int64_t pending_fen;
    bool more;
    enum err err = ops->account_get(q->replica, who->user, &account, &pending_fen);
    if (err == ERR_OK)
        err = ops->ledger_page(q->replica, who->user, after, limit + 1, out->items, &out->n);
    if (err != ERR_OK)
        return read_failed(q->replica, err);
    out->balance_fen = account.exists ? account.balance_fen : 0;
    out->n = cut(out->n, limit, &more);
    memset(&out->next, 0, sizeof out->next);
    if (more)
        out->next = (struct page_after){.set = true, .id = out->items[limit - 1].id};
    return ERR_OK;
}
