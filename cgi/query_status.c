/* /healthz, /readyz and /metrics: what the query pool answers while the services are not up, too.
 */
#include "cgi/query_status.h"
#include "lib/base/clock.h"
#include "lib/service/account/status.h"

enum err status_healthz(struct call *c)
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
                           "the database was restored; the pools start again");
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
enum err status_readyz(struct call *c)
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
enum err status_metrics(struct call *c)
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
