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

/* Answer what the cache alone can answer; the rest is deferred. */
static void handle_burst(struct call **calls, size_t n)
{
    struct grab_request *requests[LOOP_BURST_MAX];
    bool deferred[LOOP_BURST_MAX];
    struct process *p = calls[0]->process;
    for (size_t i = 0; i < n; i++) {
        requests[i] = calls[i]->work;
        requests[i]->who = &calls[i]->who;
        requests[i]->id = &calls[i]->id;
        calls[i]->begun = true;
    }
    grab_now(p->services, (unsigned)(calls[0]->thread - p->threads), requests, n, deferred);
    for (size_t i = 0; i < n; i++) {
        calls[i]->exchange->later = deferred[i];
        if (!deferred[i])
            answer(calls[i]);
    }
}

static void handle_grabs(struct call **calls, size_t n)
{
    struct call *c = calls[0];
    if (!c->begun)
        handle_burst(calls, n);
    if (!c->may_wait || !c->exchange->later)
        return;
    grab_wait(c->process->services, c->work, c->deadline_us);
    answer(c);
}

static enum err start(struct process *p)
{
    p->services = grab_service_new(&p->runtime, p->sessions, p->waiters, p->acceptors);
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
