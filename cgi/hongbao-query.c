/* All GET: envelopes, a user's history, health and metrics. */
#include "cgi/program.h"
#include "lib/base/clock.h"
#include "lib/service/account/history.h"
#include "lib/service/account/status.h"
#include "lib/service/look/look.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct services {
    struct look_service *look;
    struct account_service account;
};

static struct look_service *look_of(struct process *p)
{
    return ((struct services *)p->services)->look;
}

static const struct account_service *account_of(const struct call *c)
{
    return &((const struct services *)c->process->services)->account;
}

/* ---- an envelope ---- */

struct look_call {
    struct api_page page;
    struct look_request look;
};

/* Does the client have the page in that version? See struct look_request. */
static bool is_current(void *context, int64_t version, int64_t mine_seq)
{
    const struct call *c = context;
    const struct look_call *call = c->request;
    char etag[API_ETAG_SIZE];
    if (c->who == NULL || c->http->if_none_match == NULL)
        return false;
    api_envelope_etag(etag, c->process->runtime.generation, version, mine_seq, &call->page);
    return http_etag_matches(c->http->if_none_match, etag);
}

static enum err decode_look(struct call *c)
{
    if (c->who == NULL && call_limit_anonymous(c) != ERR_OK)
        return ERR_RATE_LIMITED;
    struct look_call *call = c->request;
    enum err err = api_decode_page(c->http->query, PAGE_CLAIMS, &call->page, &c->problem);
    call->look = (struct look_request){.who = c->who,
                                       .id = &c->id,
                                       .after_seq = call->page.after.set ? call->page.after.seq : 0,
                                       .limit = call->page.limit,
                                       .is_current = is_current,
                                       .context = c};
    return err;
}

static void look_burst(struct process *p, unsigned thread, void *const *requests, size_t n,
                       int64_t deadline_us, bool *deferred)
{
    struct look_request *looks[LOOP_BURST_MAX];
    (void)thread;
    (void)deadline_us;
    for (size_t i = 0; i < n; i++)
        looks[i] = &((struct look_call *)requests[i])->look;
    look_now(look_of(p), looks, n, deferred);
}

static enum err look_one(struct call *c)
{
    look_wait(look_of(c->process), &((struct look_call *)c->request)->look, c->deadline_us);
    return ERR_OK;
}

static void encode_page(struct call *c, const struct look_call *call, const char *etag)
{
    const struct page *page = call->look.page;
    const struct envelope_view view = {
        .envelope = &page->envelope,
        .mine = call->look.has_mine ? &call->look.mine : NULL,
        .claims = page->claims,
        .n_claims = page->n_claims,
        .next_seq = page->next_seq,
        .veiled = envelope_veiled(&page->envelope, c->who->user, call->look.has_mine)};
    api_encode_envelope(c->response, &view);
    memcpy(c->response->etag, etag, strlen(etag) + 1);
}

static enum err encode_look(struct call *c)
{
    struct look_call *call = c->request;
    struct look_request *r = &call->look;
    char etag[API_ETAG_SIZE];
    if (r->err != ERR_OK)
        return r->err;
    api_envelope_etag(etag, c->process->runtime.generation, r->version, r->mine_seq, &call->page);
    if (r->page == NULL)
        api_encode_not_modified(c->response, etag);
    else if (c->who == NULL)
        api_encode_preview(c->response, &r->page->envelope);
    else
        encode_page(c, call, etag);
    look_end(r);
    return ERR_OK;
}

/* ---- a user's history ---- */

static enum err me(struct call *c)
{
    struct me_view view;
    enum err err = history_me(account_of(c), c->who, c->deadline_us, &view);
    if (err == ERR_OK)
        api_encode_me(c->response, &view, c->process->config->currency);
    return err;
}

static enum err decode_history(struct call *c, enum api_page_kind kind, struct history_query *q)
{
    struct api_page page;
    enum err err = api_decode_page(c->http->query, kind, &page, &c->problem);
    if (err == ERR_OK)
        *q = (struct history_query){.who = c->who,
                                    .year = page.has_year ? page.year : 0,
                                    .after = page.after,
                                    .limit = page.limit,
                                    .deadline_us = c->deadline_us};
    return err;
}

static enum err sent(struct call *c)
{
    struct history_query q;
    struct sent_view view;
    enum err err = decode_history(c, PAGE_SENT, &q);
    if (err == ERR_OK)
        err = history_sent(account_of(c), &q, &view);
    if (err == ERR_OK)
        api_encode_sent_list(c->response, &view);
    return err;
}

static enum err received(struct call *c)
{
    struct history_query q;
    struct received_view view;
    enum err err = decode_history(c, PAGE_RECEIVED, &q);
    if (err == ERR_OK)
        err = history_received(account_of(c), &q, &view);
    if (err == ERR_OK)
        api_encode_received_list(c->response, &view);
    return err;
}

static enum err ledger(struct call *c)
{
    struct history_query q;
    struct ledger_view view;
    enum err err = decode_history(c, PAGE_LEDGER, &q);
    if (err == ERR_OK)
        err = history_ledger(account_of(c), &q, &view);
    if (err == ERR_OK)
        api_encode_ledger(c->response, &view);
    return err;
}

/* ---- health and metrics ---- */

static enum err healthz(struct call *c)
{
    api_encode_health(c->response);
    return ERR_OK;
}

static enum err explain_not_ready(struct problem *problem, const struct status_ready *r)
{
    static const char *const pools[METRIC_PROGRAMS] = {"send", "grab", "open", "query", "settle"};
    switch (r->fault) {
    case STATUS_SCHEMA_WRONG:
        return problem_set(problem, ERR_UNAVAILABLE, NULL,
                           "the database has schema version %lld, this program needs %d; run "
                           "hongbaoctl migrate, or the other version of the programs",
                           (long long)r->schema.version, SCHEMA_VERSION);
    case STATUS_DATABASE_RESTORED:
        return problem_set(problem, ERR_UNAVAILABLE, NULL,
                           "the database was restored; restart the FastCGI pools");
    case STATUS_NOTHING_WRITTEN:
        return problem_set(problem, ERR_UNAVAILABLE, NULL, "the database cannot be written");
    case STATUS_POOL_DOWN:
        return problem_set(problem, ERR_UNAVAILABLE, NULL, "the %s pool is down", pools[r->pool]);
    case STATUS_WORKS:
    case STATUS_DATABASE_AWAY:
    default:
        return problem_set(problem, ERR_UNAVAILABLE, NULL, "the database cannot be read");
    }
}

/* Also while the services are not up, to give the reason. */
static enum err readyz(struct call *c)
{
    struct process *p = c->process;
    struct account_service account = {.runtime = &p->runtime, .sessions = p->sessions};
    struct status_ready ready;
    const char *degraded[2];
    size_t n = 0;
    if (call_limit_anonymous(c) != ERR_OK)
        return ERR_RATE_LIMITED;
    bool started = process_ready(p);
    status_check(&account, started ? p->runtime.generation : NULL, c->deadline_us, &ready);
    if (ready.fault != STATUS_WORKS)
        return explain_not_ready(&c->problem, &ready);
    if (!ready.cache)
        degraded[n++] = "cache";
    if (!ready.settle)
        degraded[n++] = "settle";
    bool held;
    enum err err = status_clock(&account, c->deadline_us, &held);
    if (err == ERR_OK)
        api_encode_ready(c->response, degraded, n, held);
    return err;
}

static void print_gauge(struct buf *out, const char *name, const char *help, int64_t value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name, help, name, name,
               (long long)value);
}

static void print_queues(struct buf *out, const struct queue_state *q)
{
    int64_t age_us = q->oldest_opened_us > 0 ? q->now_us - q->oldest_opened_us : 0;
    if (age_us < 0)
        age_us = 0; /* opened after the time was read */
    print_gauge(out, "hongbao_pending_credits", "Claims not credited yet.", q->pending_credits);
    print_gauge(out, "hongbao_pending_credits_fen", "Their sum.", q->pending_fen);
    buf_printf(out,
               "# HELP hongbao_pending_credits_oldest_seconds Age of the oldest.\n"
               "# TYPE hongbao_pending_credits_oldest_seconds gauge\n"
               "hongbao_pending_credits_oldest_seconds %lld.%06lld\n",
               (long long)(age_us / US_PER_S), (long long)(age_us % US_PER_S));
    print_gauge(out, "hongbao_overdue_refunds", "Open envelopes past their deadline.",
                q->overdue_refunds);
    print_gauge(out, "hongbao_clock_held", "Refunds wait because the database's clock was set.",
                q->clock_held_us != 0);
}

/* Also while the services are not up: then the database is down, and only the counters are. */
static enum err metrics(struct call *c)
{
    struct process *p = c->process;
    struct account_service account = {.runtime = &p->runtime, .sessions = p->sessions};
    struct queue_state queues;
    struct schema_state schema = {.version = 0};
    struct buf *out = &c->response->body;
    if (!c->http->metrics_listener)
        return ERR_NOT_FOUND;
    metrics_print(p->runtime.metrics, api_route_names, out);
    metrics_print_workers(p->runtime.metrics, p->runtime.clock->mono_us(p->runtime.clock->self),
                          out);
    buf_printf(out,
               "# HELP hongbao_build_info The version of the programs.\n"
               "# TYPE hongbao_build_info gauge\n"
               "hongbao_build_info{version=\"%s\",schema=\"%d\"} 1\n",
               HONGBAO_VERSION, SCHEMA_VERSION);
    bool up = status_queues(&account, c->deadline_us, &queues) == ERR_OK;
    print_gauge(out, "hongbao_database_up", "The primary answers.", up ? 1 : 0);
    print_gauge(out, "hongbao_cache_up", "memcached answers.", status_cache_answers(&account));
    if (status_schema(&account, c->deadline_us, &schema) != ERR_UNAVAILABLE)
        print_gauge(out, "hongbao_schema_version", "The last patch that the database has.",
                    schema.version);
    if (up)
        print_queues(out, &queues);
    c->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    c->response->state = "ok";
    return out->failed ? ERR_FAULT : ERR_OK;
}

static enum err site(struct call *c)
{
    api_encode_site(c->response, c->process->config, HONGBAO_VERSION, c->http->if_none_match);
    return ERR_OK;
}

/* ---- the program ---- */

static enum err start(struct process *p)
{
    struct services *services = malloc(sizeof *services);
    if (services == NULL)
        return ERR_FAULT;
    services->account = (struct account_service){.runtime = &p->runtime, .sessions = p->sessions};
    services->look = look_service_new(&p->runtime, p->sessions);
    p->services = services;
    if (services->look != NULL)
        return ERR_OK;
    free(services);
    return ERR_FAULT;
}

static void stop(struct process *p)
{
    look_service_free(look_of(p));
    free(p->services);
}

int main(int argc, char **argv)
{
    static const struct door doors[] = {{.route = ROUTE_ENVELOPE,
                                         .size = sizeof(struct look_call),
                                         .decode = decode_look,
                                         .now = look_burst,
                                         .wait = look_one,
                                         .encode = encode_look},
                                        {.route = ROUTE_ME, .wait = me},
                                        {.route = ROUTE_SENT, .wait = sent},
                                        {.route = ROUTE_RECEIVED, .wait = received},
                                        {.route = ROUTE_LEDGER, .wait = ledger},
                                        {.route = ROUTE_SITE, .always = true, .wait = site},
                                        {.route = ROUTE_HEALTHZ, .always = true, .wait = healthz},
                                        {.route = ROUTE_READYZ, .always = true, .wait = readyz},
                                        {.route = ROUTE_METRICS, .always = true, .wait = metrics}};
    static const struct program program = {
        .name = "hongbao-query",
        .summary = "FastCGI: shows envelopes, history, health and metrics.",
        .pool = offsetof(struct config, query),
        .doors = doors,
        .n_doors = sizeof doors / sizeof doors[0],
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
