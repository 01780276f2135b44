/* A request's straight way: route, checks, who asks, handler, answer or problem, count and log. */
#include "cgi/program.h"
#include "lib/base/log.h"
#include <stddef.h>
#include <string.h>

#define US_PER_MS 1000
#define US_PER_S 1000000
#define START_PAUSE_US 500000

static int64_t mono_us(const struct process *p)
{
    return p->runtime.clock->mono_us(p->runtime.clock->self);
}

bool process_ready(struct process *p)
{
    if (atomic_load(&p->ready))
        return true;
    int64_t now_us = mono_us(p);
    if (now_us < atomic_load(&p->next_start_us) || atomic_flag_test_and_set(&p->starting))
        return false;
    struct store *store = p->runtime.store_open(p->runtime.self);
    enum err err = store != NULL ? store->ops->generation(store, p->runtime.generation) : ERR_FAULT;
    if (store != NULL)
        store->ops->close(store);
    if (err == ERR_OK)
        err = p->program->start(p);
    bool ok = err == ERR_OK;
    log_event(ok ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, ok ? "ready" : "not_ready", "%s",
              ok ? "" : err_name(err));
    atomic_store(&p->next_start_us, mono_us(p) + START_PAUSE_US);
    atomic_store(&p->ready, ok);
    atomic_flag_clear(&p->starting);
    return ok;
}

/* Tells the brake how the primary served a request. */
static void leave_brake(const struct call *c, enum err err)
{
    unsigned thread = (unsigned)(c->thread - c->process->threads);
    bool answered = err == ERR_OK || err_class(err) == CLASS_CLIENT;
    if (!c->uses_store ||
        !brake_leave(c->process->brake, thread, answered ? BRAKE_ANSWERED : BRAKE_FAILED))
        return;
    log_event(LOG_LEVEL_WARN, "database_stalled", "%s", err_name(err));
    metrics_add(c->process->runtime.metrics, METRIC_DATABASE_STALLS, 1);
}

/* Who asks, as far as the route wants to know. */
static enum err authenticate(struct call *c)
{
    struct process *p = c->process;
    size_t len = 0;
    const char *token = http_bearer(c->request->authorization, &len);
    if (c->route->auth == AUTH_NONE)
        return ERR_OK;
    if (c->request->authorization == NULL && c->route->auth == AUTH_OPTIONAL)
        return ERR_OK;
    if (token == NULL)
        return problem_set(&c->problem, ERR_UNAUTHORIZED, "Authorization",
                           "a Bearer token is required");
    int64_t now_s = p->runtime.clock->wall_us(p->runtime.clock->self) / US_PER_S;
    enum err err = token_cache_verify(p->tokens, token, len, now_s, &c->who);
    if (err != ERR_OK)
        return err;
    c->has_who = true;
    if (c->who.wallet != (c->route->auth == AUTH_WALLET))
        return problem_set(&c->problem, ERR_SCOPE_REQUIRED, "Authorization",
                           c->who.wallet ? "a wallet token can only move money in and out"
                                         : "this takes a token with scope \"wallet\"");
    return ERR_OK;
}

static bool is_bursty(const struct call *c)
{
    return c->process->program->burst_route == c->route->route;
}

/* Everything before the handler. */
static enum err prepare(struct call *c)
{
    const struct http_request *r = c->request;
    const struct api_route *route = NULL;
    enum err err = api_find(r->method, r->path, &route, &c->id, c->response->allow);
    if (route != NULL)
        c->route = route;
    if (err == ERR_OK)
        err = api_check_request(c->route, r, &c->problem);
    if (err == ERR_OK)
        err = authenticate(c);
    if (err == ERR_OK && !is_bursty(c) && c->process->program->handlers[c->route->route] == NULL)
        err = ERR_NOT_FOUND; /* the web server sent it to the wrong pool */
    return err;
}

/* Can this call be answered at all? */
static bool can_serve(const struct call *c)
{
    return c->route->route == ROUTE_HEALTHZ || process_ready(c->process) ||
           c->route->route == ROUTE_METRICS;
}

/* Logged with ids, never with what opens anything. */
static void record(const struct call *c, int64_t duration_us)
{
    static const struct id none;
    char envelope[ID_TEXT_SIZE];
    bool has_id = id_compare(&c->id, &none) != 0;
    if (has_id)
        id_format(envelope, &c->id);
    const char *state = c->response->state != NULL ? c->response->state : "ok";
    metrics_request(c->process->runtime.metrics, (unsigned)c->route->route, state, duration_us);
    struct log_request line = {.request_id = c->request->request_id,
                               .method = c->request->method,
                               .route = c->route->name,
                               .user = c->has_who ? c->who.user : NULL,
                               .envelope = has_id ? envelope : NULL,
                               .state = state,
                               .status = c->response->status,
                               .duration_us = duration_us};
    log_request(&line, &c->thread->log);
}

static struct call *begin(struct process *p, unsigned thread, struct exchange *x, bool may_wait)
{
    struct call *c = x->memory;
    if (!x->later) {
        memset(c, 0, offsetof(struct call, who));
        c->process = p;
        c->exchange = x;
        c->request = &x->request;
        c->response = &x->response;
        c->route = &api_routes[ROUTE_NONE];
        c->deadline_us = x->arrived_us + p->pool->deadline_ms * US_PER_MS;
        c->work = c + 1;
    }
    c->thread = &p->threads[thread];
    c->may_wait = may_wait;
    return c;
}

/* The answer or the problem; counted and logged. */
static void finish(struct call *c)
{
    enum err err = c->err;
    if (err == ERR_OK && c->response->body.failed)
        err = ERR_FAULT;
    leave_brake(c, err);
    if (err != ERR_OK) {
        if (c->problem.err != err)
            problem_set(&c->problem, err, NULL, "%s", "");
        problem_render(&c->problem, c->request->request_id, c->response);
    }
    record(c, mono_us(c->process) - c->exchange->arrived_us);
}

/* One call alone, on a thread that may wait. */
static void run_alone(struct call *c)
{
    if (!c->exchange->later)
        c->err = prepare(c);
    if (c->err == ERR_OK && !can_serve(c))
        c->err = ERR_UNAVAILABLE;
    else if (c->err == ERR_OK && is_bursty(c))
        c->process->program->burst(&c, 1);
    else if (c->err == ERR_OK)
        c->err = c->process->program->handlers[c->route->route](c);
    finish(c);
}

/* What the program does for many at once is done here; all else, and whatever that leaves, is for
 * later. */
static void run_burst(const struct process *p, struct call **calls, size_t n)
{
    struct call *together[LOOP_BURST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct call *c = calls[i];
        c->err = prepare(c);
        if (c->err != ERR_OK)
            continue;
        c->exchange->later = !is_bursty(c) || !atomic_load(&p->ready);
        if (!c->exchange->later)
            together[count++] = c;
    }
    if (count > 0)
        p->program->burst(together, count);
    for (size_t i = 0; i < n; i++)
        if (!calls[i]->exchange->later)
            finish(calls[i]);
}

void dispatch(void *context, unsigned thread, struct exchange **burst, size_t n, bool may_wait)
{
    struct process *p = context;
    struct call *calls[LOOP_BURST_MAX];
    for (size_t i = 0; i < n; i++)
        calls[i] = begin(p, thread, burst[i], may_wait);
    if (!may_wait)
        run_burst(p, calls, n);
    for (size_t i = 0; may_wait && i < n; i++)
        run_alone(calls[i]);
    log_write(&p->threads[thread].log); /* one write for all */
}
