/* Reads an envelope from the database in the version that it has now, waits until that version is
 * durable, and remembers it for later looks. Rows newer than the envelope row belong to a later
 * version, whose durability is not known, and are left out. */
#include "lib/service/look/look_database.h"
#include <string.h>

/* Any error of a read means "no answer", and leaves the session usable. */
static enum err look_failed(struct store *store, enum err err)
{
    store->ops->rollback(store);
    return err_class(err) == CLASS_FAULT ? err : ERR_UNAVAILABLE;
}

static void publish_version(const struct look_service *s, struct cache *cache,
                            const struct envelope *e)
{
    newest_version_hint_read(s->runtime, cache, e);
    cache->ops->flush(cache, false);
}

/* ---- a remembered page whose version the cache did not know ---- */

/* If the database has a lower version than page, the cache announced one that never existed. */
static bool is_newest(struct look_service *s, struct store *store, const struct page *page)
{
    const struct envelope *e = &page->envelope;
    int64_t newest;
    if (store->ops->version_get(store, &e->id, &newest) != ERR_OK) {
        store->ops->rollback(store);
        return false;
    }
    if (newest < e->version) {
        page_cache_forget(s->pages, &e->id);
        claimer_set_forget(s->claimers, &e->id);
    }
    return newest == e->version;
}

/* Answer from a remembered page if the database still has its version. Nothing is remembered of a
 * version that is not durable, so there is no barrier to wait for. */
static bool look_unchanged(struct look_service *s, const struct session *session,
                           struct look_request *r)
{
    const struct claim *mine = NULL;
    struct page *page = page_cache_get(s->pages, r->id, 1, r->after_seq, r->limit);
    bool known = page != NULL && look_may_show(page, r->who) && is_newest(s, session->store, page);
    if (known) {
        publish_version(s, session->cache, &page->envelope);
        known = look_find_mine(s, r, page, &mine);
    }
    if (known)
        look_answer(r, page, mine);
    else
        page_release(page);
    return known;
}

/* ---- the envelope and the reader's own claim ---- */

static enum err check_reader(const struct who *who, const struct envelope *e, bool has_mine)
{
    if (who == NULL)
        return e->to_kind == TO_ANYONE ? ERR_OK : ERR_UNAUTHORIZED;
    if (strcmp(e->sender, who->user) == 0 || has_mine ||
        envelope_admits(e, who->user, who->groups, who->n_groups))
        return ERR_OK;
    return ERR_NOT_RECIPIENT;
}

/* Read the envelope into *e and the reader's claim into r. */
static enum err read_rows(struct look_service *s, struct store *store, struct look_request *r,
                          struct envelope *e)
{
    const struct store_ops *ops = store->ops;
    int64_t now_us;
    bool found;
    enum err err = ops->envelope_get(store, r->id, e, &found, &now_us);
    if (err == ERR_OK && !found)
        return ERR_NOT_FOUND;
    if (err != ERR_OK)
        return look_failed(store, err);
    if (r->who == NULL || e->opened_shares == 0 ||
        claimer_set_without(s->claimers, r->id, e->opened_shares, r->who->user))
        return ERR_OK;
    err = ops->claim_get(store, r->id, r->who->user, &r->mine, &r->has_mine);
    if (err == ERR_OK && r->has_mine && r->mine.seq > e->opened_shares)
        err = ops->envelope_get(store, r->id, e, &found, &now_us); /* claimed in between */
    return err == ERR_OK ? ERR_OK : look_failed(store, err);
}

static enum err read_envelope(struct look_service *s, const struct session *session,
                              struct look_request *r, struct envelope *e)
{
    r->has_mine = false;
    enum err err = read_rows(s, session->store, r, e);
    if (err == ERR_OK)
        err = check_reader(r->who, e, r->has_mine);
    if (err != ERR_OK)
        return err;
    /* version 1 is as it was sent, and the sender was answered only after the commit */
    if ((e->version > 1 || r->has_mine) &&
        durable_wait(s->durable, session->store, r->id, e->version) != ERR_OK)
        return ERR_UNAVAILABLE;
    publish_version(s, session->cache, e);
    return ERR_OK;
}

/* ---- the page of claims ---- */

/* Read on from the claims known until all are; an error leaves the rest unknown. */
static void learn_claimers(struct look_service *s, struct store *store, const struct page *page)
{
    const struct envelope *e = &page->envelope;
    struct claim more[PAGE_MAX];
    size_t n = page->n_claims;
    claimer_set_add(s->claimers, &e->id, page->claims, n);
    if (e->opened_shares > CLAIMER_SET_MAX)
        return;
    for (int64_t known = claimer_set_known(s->claimers, &e->id); known < e->opened_shares && n > 0;
         known += (int64_t)n) {
        if (store->ops->claims_page(store, &e->id, known, PAGE_MAX, more, &n) != ERR_OK) {
            store->ops->rollback(store);
            return;
        }
        while (n > 0 && more[n - 1].seq > e->opened_shares)
            n--;
        claimer_set_add(s->claimers, &e->id, more, n);
    }
}

static enum err read_page(struct look_service *s, struct store *store, const struct look_request *r,
                          const struct envelope *e, struct page **out)
{
    struct claim claims[PAGE_MAX];
    size_t n = 0;
    enum err err = store->ops->claims_page(store, r->id, r->after_seq, r->limit, claims, &n);
    if (err != ERR_OK)
        return look_failed(store, err);
    while (n > 0 && claims[n - 1].seq > e->opened_shares)
        n--;
    struct page *page = page_new(e, r->after_seq, r->limit, claims, n);
    if (page == NULL)
        return ERR_FAULT;
    if (e->to_kind == TO_ANYONE) {
        page_cache_put(s->pages, page);
        learn_claimers(s, store, page);
    }
    *out = page;
    return ERR_OK;
}

enum err look_from_database(struct look_service *s, struct session *session, struct look_request *r)
{
    struct envelope e;
    if (r->who != NULL && !r->newest.known && look_unchanged(s, session, r))
        return ERR_OK;
    enum err err = read_envelope(s, session, r, &e);
    if (err != ERR_OK)
        return err;
    r->version = e.version;
    r->mine_seq = r->has_mine ? r->mine.seq : 0;
    if (r->who == NULL)
        r->page = page_new(&e, 0, 0, NULL, 0);
    else if (r->is_current(r->context, r->version, r->mine_seq))
        return ERR_OK;
    else
        err = read_page(s, session->store, r, &e, &r->page);
    return err == ERR_OK && r->page == NULL ? ERR_FAULT : err;
}
