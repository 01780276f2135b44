/* POST /v1/envelopes/{id}/grab */
#include "cgi/program.h"
#include "lib/service/grab.h"
#include <stddef.h>

static enum err handle_grab(struct call *c)
{
    struct grab_answer answer;
    int64_t retry_after_s = 0;
    enum err err = grab_envelope(c->process->services, &c->who, &c->id, c->deadline_us, &answer,
                                 &retry_after_s);
    if (err == ERR_OK)
        api_encode_grab(c->response, &answer);
    if (err != ERR_RATE_LIMITED)
        return err;
    problem_set(&c->problem, err, NULL, "%s", "you grab too often");
    c->problem.retry_after_s = retry_after_s;
    return err;
}

static enum err start(struct process *p)
{
    p->services = grab_service_new(&p->env, (unsigned)p->pool->leaders, (unsigned)p->pool->threads);
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
        .handlers = {[ROUTE_GRAB] = handle_grab},
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
