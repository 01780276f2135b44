/* POST /v1/envelopes/{id}/open. All opens of a burst share one transaction, and so wait for the
 * same commit: none of them is deferred. */
#include "cgi/program.h"
#include "lib/service/open/open.h"
#include <stddef.h>

static enum err decode(struct call *c)
{
    struct open_request *r = c->request;
    r->who = c->who;
    r->id = &c->id;
    return api_decode_open(c->http->body, c->http->body_len, r->ticket, &r->ticket_len,
                           &c->problem);
}

static void now(struct process *p, unsigned thread, void *const *requests, size_t n,
                int64_t deadline_us, bool *deferred)
{
    struct open_request *opens[LOOP_BURST_MAX];
    (void)thread;
    (void)deferred;
    for (size_t i = 0; i < n; i++)
        opens[i] = requests[i];
    open_now(p->services, opens, n, deadline_us);
}

static enum err encode(struct call *c)
{
    const struct open_request *r = c->request;
    if (r->err == ERR_OK)
        api_encode_open(c->response, &r->answer);
    c->response->replayed = r->replayed;
    return r->err;
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
    static const struct door doors[] = {{.route = ROUTE_OPEN,
                                         .size = sizeof(struct open_request),
                                         .decode = decode,
                                         .now = now,
                                         .encode = encode}};
    static const struct program program = {
        .name = "hongbao-open",
        .summary = "FastCGI: opens grabbed red envelopes, in the database.",
        .pool = offsetof(struct config, open),
        .doors = doors,
        .n_doors = sizeof doors / sizeof doors[0],
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
