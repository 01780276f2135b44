/* POST /v1/envelopes/{id}/open, .../claim, .../recall and .../thanks. All opens of a burst share
 * one transaction, and so do its claims: they wait for the same commit. Only a claim that needs the
 * primary before it can be admitted is deferred, and what is rare. */
#include "cgi/program.h"
#include "lib/base/clock.h"
#include "lib/service/account/recall.h"
#include "lib/service/account/thanks.h"
#include "lib/service/claim/claim.h"
#include <stddef.h>
#include <stdlib.h>

struct open_pool {
    struct open_service *open;
    struct claim_service *claim;
    struct account_service account;
};

/* ---- open ---- */

static enum err open_decode(struct call *c)
{
    struct open_request *r = c->request;
    r->who = c->who;
    r->id = &c->id;
    return api_decode_open(c->http->body, c->http->body_len, r->ticket, &r->ticket_len,
                           &c->problem);
}

static void open_door(struct process *p, unsigned thread, void *const *requests, size_t n,
                      int64_t deadline_us, bool *deferred)
{
    const struct open_pool *pool = p->services;
    struct open_request *opens[LOOP_BURST_MAX];
    (void)thread;
    (void)deferred;
    for (size_t i = 0; i < n; i++)
        opens[i] = requests[i];
    open_now(pool->open, opens, n, deadline_us);
}

static enum err open_encode(struct call *c)
{
    const struct open_request *r = c->request;
    if (r->err != ERR_OK)
        return r->err;
    if (r->answer.state == OPEN_OPENED)
        c->amount_fen = r->answer.claim.amount_fen;
    api_encode_open(c->response, &r->answer);
    c->response->replayed = r->replayed;
    return ERR_OK;
}

/* ---- claim ---- */

static enum err claim_decode(struct call *c)
{
    struct claim_request *r = c->request;
    r->who = c->who;
    r->id = &c->id;
    return ERR_OK;
}

static void claim_door(struct process *p, unsigned thread, void *const *requests, size_t n,
                       int64_t deadline_us, bool *deferred)
{
    const struct open_pool *pool = p->services;
    struct claim_request *claims[LOOP_BURST_MAX];
    for (size_t i = 0; i < n; i++)
        claims[i] = requests[i];
    claim_now(pool->claim, thread, claims, n, deadline_us, deferred);
}

static enum err claim_door_wait(struct call *c)
{
    const struct open_pool *pool = c->process->services;
    claim_wait(pool->claim, c->request, c->deadline_us);
    return ERR_OK;
}

static enum err claim_encode(struct call *c)
{
    const struct claim_request *r = c->request;
    if (r->err == ERR_RATE_LIMITED)
        return call_refuse_rate(c, r->retry_after_s, c->process->config->grabs_per_s,
                                "you claim too often");
    if (r->err != ERR_OK)
        return r->err;
    if (r->tried) {
        c->amount_fen = r->open.answer.state == OPEN_OPENED ? r->open.answer.claim.amount_fen : 0;
        api_encode_open(c->response, &r->open.answer);
    } else {
        c->amount_fen = r->job.answer.state == GRAB_OPENED ? r->job.answer.amount_fen : 0;
        api_encode_grab(c->response, &r->job.answer);
    }
    c->response->replayed = r->tried && r->open.replayed;
    return ERR_OK;
}

/* ---- recall and thanks ---- */

/* Count c against rate kind, of which a user may do as many a minute as sends. */
static enum err limit_per_minute(struct call *c, enum rate_kind kind, const char *detail)
{
    int64_t n = c->process->config->sends_per_minute;
    const struct rate rate = {.kind = kind, .interval_us = 60 * US_PER_S / n, .burst = n};
    return call_limit(c, &rate, n, c->who->user, detail);
}

static enum err recall(struct call *c)
{
    const struct open_pool *pool = c->process->services;
    struct envelope e;
    enum err err = limit_per_minute(c, RATE_RECALLS, "you recall too often");
    if (err == ERR_OK)
        err = recall_envelope(&pool->account, c->who->user, &c->id, c->deadline_us, &e,
                              &c->response->replayed);
    if (err != ERR_OK)
        return err;
    c->amount_fen = e.refunded_fen;
    api_encode_recall(c->response, &e);
    return ERR_OK;
}

static enum err thanks(struct call *c)
{
    const struct open_pool *pool = c->process->services;
    enum claim_thanks wish;
    struct claim claim;
    enum err err = limit_per_minute(c, RATE_THANKS, "you thank too often");
    if (err == ERR_OK)
        err = api_decode_thanks(c->http->body, c->http->body_len, &wish, &c->problem);
    if (err == ERR_OK)
        err = thanks_give(&pool->account, c->who->user, &c->id, wish, c->deadline_us, &claim,
                          &c->response->replayed);
    if (err == ERR_OK)
        api_encode_thanks(c->response, &claim);
    return err;
}

/* ---- the program ---- */

static void stop(struct process *p)
{
    struct open_pool *pool = p->services;
    claim_service_free(pool->claim);
    open_service_free(pool->open);
    free(pool);
}

static enum err start(struct process *p)
{
    struct open_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return ERR_FAULT;
    p->services = pool;
    pool->account = (struct account_service){.runtime = &p->runtime, .sessions = p->sessions};
    pool->open = open_service_new(&p->runtime, p->sessions, (unsigned)p->pool->leaders);
    if (pool->open != NULL)
        pool->claim =
            claim_service_new(&p->runtime, p->sessions, pool->open, p->waiters, p->acceptors);
    if (pool->claim != NULL)
        return ERR_OK;
    stop(p);
    return ERR_FAULT;
}

int main(int argc, char **argv)
{
    static const struct door doors[] = {{.route = ROUTE_OPEN,
                                         .size = sizeof(struct open_request),
                                         .decode = open_decode,
                                         .now = open_door,
                                         .encode = open_encode},
                                        {.route = ROUTE_CLAIM,
                                         .size = sizeof(struct claim_request),
                                         .decode = claim_decode,
                                         .now = claim_door,
                                         .wait = claim_door_wait,
                                         .encode = claim_encode},
                                        {.route = ROUTE_RECALL, .wait = recall},
                                        {.route = ROUTE_THANKS, .wait = thanks}};
    static const struct program program = {
        .name = "hongbao-open",
        .summary = "FastCGI: claims shares of red envelopes, opens grabbed ones, recalls the rest.",
        .pool = offsetof(struct config, open),
        .doors = doors,
        .n_doors = sizeof doors / sizeof doors[0],
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
