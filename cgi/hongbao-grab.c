/* POST /v1/envelopes/{id}/grab. A program of its own, so that a database that hangs holds up
 * neither "grabbed" nor "sold out". */
#include "cgi/program.h"
#include "lib/service/grab/grab.h"
#include <stddef.h>

static enum err decode(struct call *c)
{
    struct grab_request *r = c->request;
    *r = (struct grab_request){.who = c->who, .id = &c->id};
    return ERR_OK;
}

static void now(struct process *p, unsigned thread, void *const *requests, size_t n,
                int64_t deadline_us, bool *deferred)
{
    struct grab_request *grabs[LOOP_BURST_MAX];
    (void)deadline_us;
    for (size_t i = 0; i < n; i++)
        grabs[i] = requests[i];
    grab_now(p->services, thread, grabs, n, deferred);
}

static enum err wait(struct call *c)
{
    grab_wait(c->process->services, c->request, c->deadline_us);
    return ERR_OK;
}

static enum err encode(struct call *c)
{
    const struct grab_request *r = c->request;
    if (r->err == ERR_RATE_LIMITED)
        return call_refuse_rate(c, r->retry_after_s, c->process->config->grabs_per_s,
                                "you grab too often");
    if (r->err == ERR_OK)
        api_encode_grab(c->response, &r->answer);
    return r->err;
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
    static const struct door doors[] = {{.route = ROUTE_GRAB,
                                         .size = sizeof(struct grab_request),
                                         .decode = decode,
                                         .now = now,
                                         .wait = wait,
                                         .encode = encode}};
    static const struct program program = {
        .name = "hongbao-grab",
        .summary = "FastCGI: grabs red envelopes, from the cache wherever possible.",
        .pool = offsetof(struct config, grab),
        .doors = doors,
        .n_doors = sizeof doors / sizeof doors[0],
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
