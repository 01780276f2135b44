/* POST /v1/envelopes/{id}/grab */
#include "cgi/program.h"
#include "lib/service/grab/grab.h"
#include <stddef.h>

static void answer(struct call *c)
{
    const struct grab_request *r = c->work;
    c->err = r->err;
    if (r->err == ERR_OK)
        api_encode_grab(c->response, &r->answer);
    if (r->err != ERR_RATE_LIMITED)
        return;
    problem_set(&c->problem, r->err, NULL, "%s", "you grab too often");
    c->problem.retry_after_s = r->retry_after_s;
}

/* True if that answers it. */
static bool begin(struct call *c)
{
    struct grab_request *r = c->work;
    r->who = &c->who;
    r->id = &c->id;
    c->begun = true;
    return grab_begin(c->process->services, r);
}

/* What the cache alone can answer. The rest waits for the primary, and nobody for the rest. */
static void grab_now(struct call **calls, size_t n)
{
    struct grab_request *requests[LOOP_BURST_MAX];
    struct call *asked[LOOP_BURST_MAX];
    bool answered[LOOP_BURST_MAX];
    struct process *p = calls[0]->process;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (begin(calls[i])) {
            answer(calls[i]);
            continue;
        }
        asked[count] = calls[i];
        requests[count++] = calls[i]->work;
    }
    if (count > 0)
        grab_burst(p->services, (unsigned)(calls[0]->thread - p->threads), requests, count,
                   answered);
    for (size_t i = 0; i < count; i++) {
        asked[i]->exchange->later = !answered[i];
        if (answered[i])
            answer(asked[i]);
    }
}

static void handle_grabs(struct call **calls, size_t n)
{
    struct call *c = calls[0];
    if (!c->may_wait) {
        grab_now(calls, n);
        return;
    }
    if (c->begun || !begin(c))
        grab_wait(c->process->services, c->work, c->deadline_us);
    answer(c);
}

static enum err start(struct process *p)
{
    p->services =
        grab_service_new(&p->runtime, (unsigned)p->pool->leaders, p->waiters, p->acceptors);
    return p->services != NULL ? ERR_OK : ERR_FAULT;
}

static void stop(struct process *p)
{
    grab_service_free(p->services);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "hongbao-grab",
        .summary = "FastCGI: grabs red envelopes, from the cache wherever possible.",
        .pool = offsetof(struct config, grab),
        .burst = handle_grabs,
        .burst_route = ROUTE_GRAB,
        .work_size = sizeof(struct grab_request),
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
