/* POST /v1/envelopes/{id}/open */
#include "cgi/program.h"
#include "lib/service/open/open.h"
#include <stddef.h>

static bool decode(struct call *c)
{
    struct open_request *r = c->work;
    c->err = api_decode_open(c->request->body, c->request->body_len, r->ticket, &r->ticket_len,
                             &c->problem);
    r->who = &c->who;
    r->id = &c->id;
    return c->err == ERR_OK;
}

/* All of a burst wait for the same commit, so none of them is left for later. */
static void handle_opens(struct call **calls, size_t n)
{
    struct open_request *requests[LOOP_BURST_MAX];
    struct call *asked[LOOP_BURST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!decode(calls[i]))
            continue;
        asked[count] = calls[i];
        requests[count++] = calls[i]->work;
    }
    if (count > 0)
        open_now(calls[0]->process->services, requests, count, calls[0]->deadline_us);
    for (size_t i = 0; i < count; i++) {
        asked[i]->err = requests[i]->err;
        if (asked[i]->err == ERR_OK)
            api_encode_open(asked[i]->response, &requests[i]->answer);
    }
}

static enum err start(struct process *p)
{
    p->services = open_service_new(&p->runtime, p->sessions, (unsigned)p->pool->leaders);
    return p->services != NULL ? ERR_OK : ERR_FAULT;
}

static void stop(struct process *p)
{
    open_service_free(p->services);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "hongbao-open",
        .summary = "FastCGI: opens grabbed red envelopes, in the database.",
        .pool = offsetof(struct config, open),
        .burst = handle_opens,
        .burst_route = ROUTE_OPEN,
        .work_size = sizeof(struct open_request),
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
