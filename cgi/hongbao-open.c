/* POST /v1/envelopes/{id}/open */
#include "cgi/program.h"
#include "lib/service/open.h"
#include <stddef.h>

static enum err handle_open(struct call *c)
{
    char ticket[TICKET_SIZE];
    size_t ticket_len;
    struct open_answer answer;
    enum err err =
        api_decode_open(c->request->body, c->request->body_len, ticket, &ticket_len, &c->problem);
    if (err == ERR_OK)
        err = open_envelope(c->process->services, &c->who, &c->id, ticket, ticket_len,
                            c->deadline_us, &answer);
    if (err == ERR_OK)
        api_encode_open(c->response, &answer);
    return err;
}

static enum err start(struct process *p)
{
    p->services = open_service_new(&p->env, (unsigned)p->pool->leaders);
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
        .handlers = {[ROUTE_OPEN] = handle_open},
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
