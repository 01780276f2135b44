/* A request's way through a process: route, checks, identity and decoding; then its door, with all
 * requests of the burst that go through the same one; then the response, metrics and log. */
#include "cgi/program.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/service/common/user_rules.h"
#include "lib/store/store.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Services put the requests of one call on their stacks. */
_Static_assert(LOOP_BURST_MAX <= BATCH_MAX, "a burst is one batch");

/* What an exchange's memory holds. */
struct call_memory {
    struct call call;
    struct who who;
    max_align_t request[]; /* the door's */
};

static int64_t mono_us(const struct process *p)
{
    return p->runtime.clock->mono_us(p->runtime.clock->self);
}

size_t dispatch_memory_size(const struct program *program)
{
    size_t largest = 0;
    for (size_t i = 0; i < program->n_doors; i++)
        if (program->doors[i].size > largest)
            largest = program->doors[i].size;
    return sizeof(struct call_memory) + largest;
}

void call_key_hash(const struct call *c, uint8_t out[32])
{
    char text[USER_SIZE + 32 + KEY_SIZE];
    int len = snprintf(text, sizeof text, "%s %s %s", c->who->user, c->route->name,
                       c->http->idempotency_key);
    hash_sha256(out, text, (size_t)len);
}

/* ---- before the door ---- */

/* Verify the token, as far as the route requires one, into *who. */
static enum err authenticate(struct call *c, struct who *who)
{
    struct process *p = c->process;
    size_t len = 0;
    const char *token = http_bearer(c->http->authorization, &len);
    if (c->route->auth == AUTH_NONE)
        return ERR_OK;
    if (c->http->authorization == NULL && c->route->auth == AUTH_OPTIONAL)
        return ERR_OK;
    if (token == NULL)
        return problem_set(&c->problem, ERR_UNAUTHORIZED, "Authorization",
                           "a Bearer token is required");
    int64_t now_s = p->runtime.clock->wall_us(p->runtime.clock->self) / US_PER_S;
    enum token_reason reason;
    enum err err = token_cache_verify(p->tokens, token, len, now_s, who, &reason);
    if (err == ERR_UNAUTHORIZED && call_limit_anonymous(c) != ERR_OK)
        return ERR_RATE_LIMITED;
    if (err == ERR_UNAUTHORIZED || err == ERR_TOKEN_EXPIRED) {
        problem_set(&c->problem, err, NULL, "%s", "");
        c->problem.reason = token_reason_name(reason);
    }
    if (err != ERR_OK)
        return err;
    c->who = who;
    if (who->wallet != (c->route->auth == AUTH_WALLET))
        return problem_set(&c->problem, ERR_SCOPE_REQUIRED, "Authorization",
                           who->wallet ? "a wallet token can only move money in and out"
                                       : "this takes a token with scope \"wallet\"");
    return ERR_OK;
}

/* Return NULL if the program does not serve the route: the web server chose the wrong pool. */
static const struct door *find_door(const struct program *program, enum route route)
{
    for (size_t i = 0; i < program->n_doors; i++)
        if (program->doors[i].route == route)
            return &program->doors[i];
    return NULL;
}

/* Return true if the call, which is authenticated, sends, grabs or opens. A blocked user may still
 * look. */
static bool call_changes(const struct call *c)
{
    return c->route->auth == AUTH_USER && strcmp(c->route->method, "POST") == 0;
}

static enum err call_prepare(struct call *c, struct who *who)
{
    const struct api_route *route = NULL;
    enum err err = api_find(c->http->method, c->http->path, &route, &c->id, c->response->allow);
    if (route != NULL)
        c->route = route;
    if (err == ERR_OK)
        err = api_check_request(c->route, c->http, &c->problem);
    if (err == ERR_OK)
        err = authenticate(c, who);
    if (err == ERR_OK && call_changes(c) &&
        user_rules_blocked(c->process->runtime.rules, c->who->user))
        err = ERR_USER_BLOCKED;
    if (err != ERR_OK)
        return err;
    c->door = find_door(c->process->program, c->route->route);
    if (c->door == NULL)
        return ERR_NOT_FOUND;
    return c->door->decode != NULL ? c->door->decode(c) : ERR_OK;
}

static struct call *call_begin(struct process *p, struct exchange *x)
{
    struct call_memory *memory = x->memory;
    struct call *c = &memory->call;
    *c = (struct call){.process = p,
                       .http = &x->request,
                       .response = &x->response,
                       .route = &api_routes[ROUTE_NONE],
                       .arrived_us = x->arrived_us,
                       .deadline_us = x->arrived_us + p->pool->deadline_ms * US_PER_MS,
                       .request = memory->request};
    c->err = call_prepare(c, &memory->who);
    return c;
}

/* ---- after the door ---- */

/* Count and log the call: ids, never what grants access. */
static void call_record(const struct call *c, struct buf *log)
{
    static const struct id none;
    char envelope[ID_TEXT_SIZE];
    int64_t duration_us = mono_us(c->process) - c->arrived_us;
    const struct id *id = id_compare(&c->id, &none) != 0 ? &c->id : &c->envelope;
    bool has_id = id_compare(id, &none) != 0;
    if (has_id)
        id_format(envelope, id);
    const char *state = c->response->state != NULL ? c->response->state : "ok";
    metrics_request(c->process->runtime.metrics, (unsigned)c->route->route, state, duration_us);
    struct log_request line = {.request_id = c->http->request_id,
                               .method = c->http->method,
                               .route = c->route->name,
                               .user = c->who != NULL ? c->who->user : NULL,
                               .envelope = has_id ? envelope : NULL,
                               .account = c->account,
                               .reference = c->reference,
                               .amount_fen = c->amount_fen,
                               .state = state,
                               .reason = c->response->reason,
                               .status = c->response->status,
                               .duration_us = duration_us};
    log_request(&line, log);
}

/* Add the setting that refused c, or the user's own limit, to its problem. */
static void problem_add_limit(struct problem *p, const struct call *c)
{
    const struct config *config = c->process->config;
    enum route route = c->route->route;
    p->has_limit = true;
    if (p->err == ERR_LIMIT_EXCEEDED && route == ROUTE_SEND)
        p->limit = user_rules_sent_per_day(c->process->runtime.rules, c->who->user,
                                           config->sent_per_day_fen);
    else if (p->err == ERR_LIMIT_EXCEEDED && route == ROUTE_TOPUPS)
        p->limit = AMOUNT_MAX_FEN;
    else if (p->err == ERR_BODY_TOO_LARGE)
        p->limit = config->body_max_bytes;
    else
        p->has_limit = false;
}

/* Complete the response with what the door did, or with a problem. */
static void call_end(struct call *c, struct buf *log)
{
    if (c->err == ERR_OK && c->door->encode != NULL)
        c->err = c->door->encode(c);
    if (c->err == ERR_OK && c->response->body.failed)
        c->err = ERR_FAULT;
    if (c->err != ERR_OK) {
        if (c->problem.err != c->err)
            problem_set(&c->problem, c->err, NULL, "%s", "");
        if (!c->problem.has_limit)
            problem_add_limit(&c->problem, c);
        problem_render(&c->problem, c->http->request_id, c->response);
    }
    call_record(c, log);
}

/* ---- through the door ---- */

/* Answer the calls that go through one door. open[i]: calls[i] is not answered yet. */
static void answer_door(struct process *p, const struct door *door, unsigned thread,
                        struct call **calls, size_t n, bool *open)
{
    void *requests[LOOP_BURST_MAX];
    size_t at[LOOP_BURST_MAX], count = 0;
    bool deferred[LOOP_BURST_MAX] = {false};
    for (size_t i = 0; i < n; i++)
        if (open[i] && calls[i]->err == ERR_OK && calls[i]->door == door) {
            at[count] = i;
            requests[count++] = calls[i]->request;
        }
    if (count > 0)
        door->now(p, thread, requests, count, calls[at[0]]->deadline_us, deferred);
    for (size_t i = 0; i < count; i++)
        open[at[i]] = deferred[i];
}

void dispatch_now(void *context, unsigned thread, struct exchange **burst, size_t n, bool *deferred)
{
    struct process *p = context;
    struct call *calls[LOOP_BURST_MAX];
    bool ready = atomic_load(&p->ready);
    for (size_t i = 0; i < n; i++) {
        calls[i] = call_begin(p, burst[i]);
        deferred[i] = calls[i]->err == ERR_OK;
        if (deferred[i] && !ready && !calls[i]->door->always)
            calls[i]->err = ERR_UNAVAILABLE; /* unless dispatch_wait can start the services */
    }
    for (size_t i = 0; i < p->program->n_doors; i++)
        if (p->program->doors[i].now != NULL)
            answer_door(p, &p->program->doors[i], thread, calls, n, deferred);
    for (size_t i = 0; i < n; i++)
        if (!deferred[i])
            call_end(calls[i], &p->logs[thread]);
    log_write(&p->logs[thread]); /* one write for the burst */
}

static enum err answer_waiting(struct call *c, unsigned thread)
{
    const struct door *door = c->door;
    bool deferred = true;
    if (c->err != ERR_OK) {
        if (!process_ready(c->process))
            return c->err;
        if (door->now != NULL) {
            deferred = false;
            door->now(c->process, thread, &c->request, 1, c->deadline_us, &deferred);
        }
    }
    return deferred ? door->wait(c) : ERR_OK;
}

void dispatch_wait(void *context, unsigned thread, struct exchange *x)
{
    struct process *p = context;
    struct call_memory *memory = x->memory;
    atomic_fetch_add_explicit(&p->busy, 1, memory_order_relaxed);
    memory->call.err = answer_waiting(&memory->call, thread);
    atomic_fetch_sub_explicit(&p->busy, 1, memory_order_relaxed);
    call_end(&memory->call, &p->logs[thread]);
    log_write(&p->logs[thread]);
}
