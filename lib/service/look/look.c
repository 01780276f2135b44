/* The doors of a look, and the answers that need no database. The cache names the newest
 * version; a remembered page of that version, or one brought up to it by the claims that the cache
 * names, is the answer. */
#include "lib/service/look/look.h"
#include "lib/service/look/look_database.h"
#include <stdlib.h>
#include <string.h>

struct look_service *look_service_new(const struct runtime *runtime, struct session_pool *sessions)
{
    struct look_service *s = malloc(sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct look_service){.runtime = runtime,
                               .sessions = sessions,
                               .durable = durable_new(runtime),
                               .pages = page_cache_new(),
                               .claimers = claimer_set_new()};
    if (s->durable != NULL && s->pages != NULL && s->claimers != NULL)
        return s;
    look_service_free(s);
    return NULL;
}

void look_service_free(struct look_service *s)
{
    if (s == NULL)
        return;
    durable_free(s->durable);
    page_cache_free(s->pages);
    claimer_set_free(s->claimers);
    free(s);
}

/* ---- answers ---- */

void look_answer(struct look_request *r, struct page *page, const struct claim *mine)
{
    r->err = ERR_OK;
    r->version = page->envelope.version;
    r->mine_seq = mine != NULL ? mine->seq : 0;
    if (r->is_current(r->context, r->version, r->mine_seq)) {
        page_release(page);
        return;
    }
    r->has_mine = mine != NULL;
    if (mine != NULL)
        r->mine = *mine;
    r->page = page;
}

void look_end(struct look_request *r)
{
    page_release(r->page);
    r->page = NULL;
}

bool look_may_show(const struct page *page, const struct who *who)
{
    return user_is_guest(page->envelope.sender) == user_is_guest(who->user);
}

bool look_find_mine(struct look_service *s, const struct look_request *r, const struct page *page,
                    const struct claim **mine)
{
    const struct envelope *e = &page->envelope;
    *mine = NULL;
    for (size_t i = 0; i < page->n_claims; i++)
        if (strcmp(page->claims[i].user, r->who->user) == 0) {
            *mine = &page->claims[i];
            return true;
        }
    return claimer_set_without(s->claimers, &e->id, e->opened_shares, r->who->user);
}

/* ---- from the cache and from memory ---- */

/* Read the newest versions of all whose reader is signed in: one round trip. */
static void look_read_versions(struct look_service *s, struct look_request **requests, size_t n)
{
    struct newest_version_query queries[NEWEST_VERSIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (requests[i]->who != NULL)
            queries[count++] = (struct newest_version_query){
                .who = requests[i]->who, .id = requests[i]->id, .out = &requests[i]->newest};
    struct cache *cache = count > 0 ? session_pool_take_cache(s->sessions) : NULL;
    if (cache != NULL)
        newest_versions_get(s->runtime, cache, queries, count);
    session_pool_give_cache(s->sessions, cache);
}

/* Return the page of r in the newest version or a later one, or NULL. A remembered page of an
 * earlier version is brought up to date by the claims that the cache names. */
static struct page *look_remembered(struct look_service *s, const struct look_request *r)
{
    const struct newest_version *newest = &r->newest;
    struct page *page = page_cache_get(s->pages, r->id, newest->version, r->after_seq, r->limit);
    if (page != NULL ||
        !page_cache_learn(s->pages, r->id, newest->version, newest->claims, newest->n_claims))
        return page;
    claimer_set_add(s->claimers, r->id, newest->claims, newest->n_claims);
    return page_cache_get(s->pages, r->id, newest->version, r->after_seq, r->limit);
}

/* Find the reader's claim: among those of page, or else as the cache has it, since the item may be
 * wrong. Return false if it is not known; a claim newer than page belongs to a version that the
 * cache has not announced yet. */
static bool look_mine(struct look_service *s, const struct look_request *r, const struct page *page,
                      const struct claim **mine)
{
    const struct newest_version *newest = &r->newest;
    if (newest->has_mine && newest->mine.seq > page->envelope.opened_shares)
        return false;
    if (look_find_mine(s, r, page, mine))
        return true;
    *mine = &newest->mine;
    return newest->has_mine;
}

/* Return false if the database has to be read. */
static bool look_from_memory(struct look_service *s, struct look_request *r)
{
    const struct newest_version *newest = &r->newest;
    const struct claim *mine;
    if (!newest->known)
        return false;
    r->version = newest->version;
    r->mine_seq = newest->has_mine ? newest->mine.seq : 0;
    if (r->is_current(r->context, r->version, r->mine_seq)) {
        r->err = ERR_OK;
        return true;
    }
    struct page *page = look_remembered(s, r);
    bool known = page != NULL && look_may_show(page, r->who) && look_mine(s, r, page, &mine);
    if (known)
        look_answer(r, page, mine);
    else
        page_release(page);
    return known;
}

/* ---- doors ---- */

void look_now(struct look_service *s, struct look_request **requests, size_t n, bool *deferred)
{
    look_read_versions(s, requests, n);
    for (size_t i = 0; i < n; i++)
        deferred[i] = !look_from_memory(s, requests[i]);
}

void look_wait(struct look_service *s, struct look_request *r, int64_t deadline_us)
{
    /* another look may have filled the cache or the memory meanwhile */
    if (!r->newest.known)
        look_read_versions(s, &r, 1);
    if (look_from_memory(s, r))
        return;
    struct session *session = session_pool_take(s->sessions, deadline_us);
    r->err = session != NULL ? look_from_database(s, session, r) : ERR_UNAVAILABLE;
    if (session != NULL)
        session_pool_give(s->sessions, session, r->err);
}
