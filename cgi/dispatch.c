/* A request's straight way: route, checks, who asks, handler, answer or problem, count and log. */
#include "cgi/program.h"
#include "lib/base/log.h"
#include <string.h>

#define US_PER_MS 1000
#define US_PER_S 1000000
#define START_PAUSE_US 500000

static int64_t mono_us(const struct process *p)
{
    return p->env.clock->mono_us(p->env.clock->self);
}

bool process_ready(struct process *p)
{
    if (atomic_load(&p->ready))
        return true;
    int64_t now_us = mono_us(p);
    if (now_us < atomic_load(&p->next_start_us) || atomic_flag_test_and_set(&p->starting))
        return false;
    struct store *store = p->env.store_open(p->env.self);
    enum err err = store != NULL ? store->ops->generation(store, p->env.generation) : ERR_FAULT;
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
static void leave_brake(const struct call *c, unsigned thread, enum err err)
{
    bool answered = err == ERR_OK || err_class(err) == CLASS_CLIENT;
    if (!c->uses_store ||
        !brake_leave(c->process->brake, thread, answered ? BRAKE_ANSWERED : BRAKE_FAILED))
        return;
    log_event(LOG_LEVEL_WARN, "database_stalled", "%s", err_name(err));
    metrics_add(c->process->env.metrics, METRIC_BREAKER_OPENED, 1);
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
    int64_t now_s = p->env.clock->wall_us(p->env.clock->self) / US_PER_S;
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

static enum err handle(struct call *c)
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
    if (err != ERR_OK)
        return err;
    handler_fn *handler = c->process->program->handlers[c->route->route];
    if (handler == NULL)
        return ERR_NOT_FOUND; /* the web server sent it to the wrong pool */
    if (c->route->route != ROUTE_HEALTHZ && !process_ready(c->process) &&
        c->route->route != ROUTE_METRICS)
        return ERR_UNAVAILABLE;
    return handler(c);
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
    metrics_request(c->process->env.metrics, (unsigned)c->route->route, state, duration_us);
    struct log_request line = {.request_id = c->request->request_id,
                               .method = c->request->method,
                               .route = c->route->name,
                               .user = c->has_who ? c->who.user : NULL,
                               .envelope = has_id ? envelope : NULL,
                               .state = state,
                               .status = c->response->status,
                               .duration_us = duration_us};
    log_request(&line);
}

void dispatch(void *context, unsigned thread, const struct http_request *request,
              struct http_response *response)
{
    struct process *p = context;
    struct call c = {.process = p,
                     .thread = &p->threads[thread],
                     .request = request,
                     .response = response,
                     .route = &api_routes[ROUTE_NONE]};
    int64_t started_us = mono_us(p);
    c.deadline_us = started_us + p->pool->deadline_ms * US_PER_MS;
    enum err err = handle(&c);
    if (err == ERR_OK && response->body.failed)
        err = ERR_FAULT;
    leave_brake(&c, thread, err);
    if (err != ERR_OK) {
        if (c.problem.err != err)
            problem_set(&c.problem, err, NULL, "%s", "");
        problem_render(&c.problem, request->request_id, response);
    }
    record(&c, mono_us(p) - started_us);
}
