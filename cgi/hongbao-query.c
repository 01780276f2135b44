/* All GET: envelopes, a user's records, health and metrics. */
#include "cgi/program.h"
#include "lib/service/look/query.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct services { /* of the process */
    struct durable *durable;
    struct page_cache *page_cache;
    struct claimer_set *claimer_set;
};

/* What a look at an envelope knows so far. */
struct look {
    struct api_page page;
    struct newest_version newest;
};

/* Without the database. */
static struct query_session cached_session(struct call *c)
{
    const struct services *services = c->process->services;
    return (struct query_session){.runtime = &c->process->runtime,
                                  .durable = services->durable,
                                  .page_cache = services->page_cache,
                                  .claimer_set = services->claimer_set,
                                  .cache = call_cache(c)};
}

static enum err session_of(struct call *c, struct query_session *q)
{
    *q = cached_session(c);
    q->store = call_store(c);
    q->replica = call_replica(c);
    return q->store != NULL && q->replica != NULL ? ERR_OK : ERR_UNAVAILABLE;
}

static int64_t after_of(const struct api_page *page)
{
    return page->after.set ? page->after.seq : 0;
}

/* Makes the ETag of a reader's view; true if he has that view already, and is told so. */
static bool not_modified(struct call *c, const struct api_page *page, int64_t version,
                         int64_t mine_seq, char etag[80])
{
    api_envelope_etag(etag, version, mine_seq, page);
    if (!http_etag_matches(c->request->if_none_match, etag))
        return false;
    api_encode_not_modified(c->response, etag);
    return true;
}

static void answer_view(struct call *c, const struct envelope_view *view, const char etag[80])
{
    api_encode_envelope(c->response, view);
    memcpy(c->response->etag, etag, strlen(etag) + 1);
}

static void answer_changed(struct call *c, const struct api_page *page,
                           const struct envelope_view *view)
{
    char etag[80];
    if (!not_modified(c, page, view->envelope.version, view->has_mine ? view->mine.seq : 0, etag))
        answer_view(c, view, etag);
}

/* Reads what each asks for, and its newest version from the cache: one round trip for all. */
static void begin_looks(struct call **calls, size_t n)
{
    struct newest_version_query asked[LOOP_BURST_MAX];
    struct query_session q = cached_session(calls[0]);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct call *c = calls[i];
        struct look *look = c->work;
        c->begun = true;
        c->err = api_decode_page(c->request->query, PAGE_CLAIMS, &look->page, &c->problem);
        look->newest.known = false;
        if (c->err == ERR_OK && c->has_who)
            asked[count++] =
                (struct newest_version_query){.who = &c->who, .id = &c->id, .out = &look->newest};
    }
    query_versions(&q, asked, count);
}

/* From the cache and what the process has shown lately. False: the primary has to be asked. */
static bool show_remembered(struct call *c, struct envelope_view *view)
{
    struct query_session q = cached_session(c);
    const struct look *look = c->work;
    const struct newest_version *newest = &look->newest;
    const struct api_page *page = &look->page;
    char etag[80];
    if (!newest->known)
        return false;
    if (not_modified(c, page, newest->version, newest->has_mine ? newest->mine.seq : 0, etag))
        return true;
    if (!query_remembered(&q, &c->who, &c->id, newest, after_of(page), page->limit, view))
        return false;
    answer_changed(c, page, view);
    return true;
}

static enum err show_from_primary(struct call *c, struct envelope_view *view)
{
    const struct look *look = c->work;
    const struct api_page *page = &look->page;
    struct query_session q;
    char etag[80];
    enum err err = session_of(c, &q);
    if (err != ERR_OK)
        return err;
    if (c->has_who && !look->newest.known &&
        query_unchanged(&q, &c->who, &c->id, after_of(page), page->limit, view)) {
        answer_changed(c, page, view);
        return ERR_OK;
    }
    err = query_envelope(&q, c->has_who ? &c->who : NULL, &c->id, view);
    if (err != ERR_OK)
        return err;
    if (!c->has_who) {
        api_encode_preview(c->response, &view->envelope);
        return ERR_OK;
    }
    if (not_modified(c, page, view->envelope.version, view->has_mine ? view->mine.seq : 0, etag))
        return ERR_OK;
    err = query_claims(&q, after_of(page), page->limit, view);
    if (err == ERR_OK)
        answer_view(c, view, etag);
    return err;
}

/* Who had to wait looks once more: somebody who waited for the same may have been answered since.
 */
static void handle_envelopes(struct call **calls, size_t n)
{
    struct envelope_view view;
    if (!calls[0]->begun || !((const struct look *)calls[0]->work)->newest.known)
        begin_looks(calls, n); /* a burst: for all; later: for the one that waited */
    for (size_t i = 0; i < n; i++) {
        struct call *c = calls[i];
        if (c->err != ERR_OK || show_remembered(c, &view))
            continue;
        if (c->may_wait)
            c->err = show_from_primary(c, &view);
        else
            c->exchange->later = true;
    }
}

static enum err handle_me(struct call *c)
{
    struct query_session q;
    struct me_view view;
    enum err err = session_of(c, &q);
    if (err == ERR_OK)
        err = query_me(&q, &c->who, &view);
    if (err == ERR_OK)
        api_encode_me(c->response, &view, c->process->config->currency);
    return err;
}

static enum err handle_sent(struct call *c)
{
    struct query_session q;
    struct api_page page;
    struct sent_view view;
    enum err err = api_decode_page(c->request->query, PAGE_SENT, &page, &c->problem);
    if (err == ERR_OK)
        err = session_of(c, &q);
    if (err == ERR_OK)
        err =
            query_sent(&q, &c->who, page.has_year ? page.year : 0, &page.after, page.limit, &view);
    if (err == ERR_OK)
        api_encode_sent_list(c->response, &view);
    return err;
}

static enum err handle_received(struct call *c)
{
    struct query_session q;
    struct api_page page;
    struct received_view view;
    enum err err = api_decode_page(c->request->query, PAGE_RECEIVED, &page, &c->problem);
    if (err == ERR_OK)
        err = session_of(c, &q);
    if (err == ERR_OK)
        err = query_received(&q, &c->who, page.has_year ? page.year : 0, &page.after, page.limit,
                             &view);
    if (err == ERR_OK)
        api_encode_received_list(c->response, &view);
    return err;
}

static enum err handle_ledger(struct call *c)
{
    struct query_session q;
    struct api_page page;
    struct ledger_view view;
    enum err err = api_decode_page(c->request->query, PAGE_LEDGER, &page, &c->problem);
    if (err == ERR_OK)
        err = session_of(c, &q);
    if (err == ERR_OK)
        err = query_ledger(&q, &c->who, &page.after, page.limit, &view);
    if (err == ERR_OK)
        api_encode_ledger(c->response, &view);
    return err;
}

static enum err handle_healthz(struct call *c)
{
    api_encode_health(c->response, true);
    return ERR_OK;
}

/* Ready: the primary answers and is of the past this process knows, and the cache answers. */
static enum err handle_readyz(struct call *c)
{
    uint8_t generation[16];
    char text[8];
    struct cache_item item = {.key = "ready", .value = text, .value_cap = sizeof text};
    struct store *store = call_store(c);
    struct cache *cache = call_cache(c);
    if (store == NULL || cache == NULL)
        return ERR_UNAVAILABLE;
    enum err err = store->ops->generation(store, generation);
    if (err != ERR_OK) {
        store->ops->rollback(store);
        return ERR_UNAVAILABLE;
    }
    if (!bytes_equal(generation, c->process->runtime.generation, sizeof generation))
        return problem_set(&c->problem, ERR_UNAVAILABLE, NULL,
                           "the database was restored; start the pools anew");
    cache->ops->get(cache, &item, 1);
    if (item.result == CACHE_UNKNOWN)
        return ERR_UNAVAILABLE;
    api_encode_health(c->response, true);
    return ERR_OK;
}

static bool is_loopback(const char *address)
{
    return address[0] == '\0' || strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strncmp(address, "::ffff:127.", 11) == 0;
}

struct gauge {
    const char *name, *help;
    int64_t value;
};

static void print_gauges(struct buf *out, const struct queue_state *q)
{
    int64_t age_us = q->oldest_opened_us > 0 ? q->now_us - q->oldest_opened_us : 0;
    const struct gauge gauges[] = {
        {"hongbao_pending_credits", "Claims not credited yet.", q->pending_credits},
        {"hongbao_pending_credits_fen", "Their sum.", q->pending_fen},
        {"hongbao_pending_credits_oldest_microseconds", "Age of the oldest.", age_us},
        {"hongbao_overdue_refunds", "Open envelopes past their deadline.", q->overdue_refunds}};
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", gauges[i].name, gauges[i].help,
                   gauges[i].name, gauges[i].name, (long long)gauges[i].value);
}

static enum err handle_metrics(struct call *c)
{
    struct queue_state queue;
    struct buf *out = &c->response->body;
    if (!is_loopback(c->request->remote_address))
        return ERR_NOT_FOUND;
    metrics_print(c->process->runtime.metrics, api_route_names, out);
    struct store *store = call_store(c);
    bool up = store != NULL && store->ops->queue_state(store, &queue) == ERR_OK;
    if (!up && store != NULL)
        store->ops->rollback(store);
    buf_printf(out,
               "# HELP hongbao_database_up The primary answers.\n"
               "# TYPE hongbao_database_up gauge\nhongbao_database_up %d\n",
               up ? 1 : 0);
    if (up)
        print_gauges(out, &queue);
    c->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    c->response->state = "ok";
    return out->failed ? ERR_FAULT : ERR_OK;
}

static void stop(struct process *p)
{
    struct services *services = p->services;
    durable_free(services->durable);
    page_cache_free(services->page_cache);
    claimer_set_free(services->claimer_set);
    free(services);
}

static enum err start(struct process *p)
{
    struct services *services = calloc(1, sizeof *services);
    p->services = services;
    if (services == NULL)
        return ERR_FAULT;
    services->durable = durable_new(&p->runtime);
    services->page_cache = page_cache_new();
    services->claimer_set = claimer_set_new();
    if (services->durable != NULL && services->page_cache != NULL && services->claimer_set != NULL)
        return ERR_OK;
    stop(p);
    return ERR_FAULT;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "hongbao-query",
        .summary = "FastCGI: shows envelopes, records, health and metrics.",
        .pool = offsetof(struct config, query),
        .burst = handle_envelopes,
        .burst_route = ROUTE_ENVELOPE,
        .work_size = sizeof(struct look),
        .handlers = {[ROUTE_ME] = handle_me,
                     [ROUTE_SENT] = handle_sent,
                     [ROUTE_RECEIVED] = handle_received,
                     [ROUTE_LEDGER] = handle_ledger,
                     [ROUTE_HEALTHZ] = handle_healthz,
                     [ROUTE_READYZ] = handle_readyz,
                     [ROUTE_METRICS] = handle_metrics},
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
