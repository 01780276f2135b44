/* All GET: envelopes, cards of links, a user's history; health and metrics are in query_status.c.
 */
#include "cgi/program.h"
#include "cgi/query_status.h"
#include "lib/service/account/history.h"
#include "lib/service/look/look.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct services {
    struct look_service *look;
    struct account_service account;
};

static struct look_service *look_of(struct process *p)
{
    return ((struct services *)p->services)->look;
}

static const struct account_service *account_of(const struct call *c)
{
    return &((const struct services *)c->process->services)->account;
}

/* ---- an envelope ---- */

struct look_call {
    struct api_page page;
    struct look_request look;
};

/* Does the client have the page in that version? See struct look_request. */
static bool is_current(void *context, int64_t version, int64_t mine_seq)
{
    const struct call *c = context;
    const struct look_call *call = c->request;
    char etag[API_ETAG_SIZE];
    if (c->who == NULL || c->http->if_none_match == NULL)
        return false;
    api_envelope_etag(etag, c->process->runtime.generation, version, mine_seq, &call->page);
    return http_etag_matches(c->http->if_none_match, etag);
}

static enum err decode_look(struct call *c)
{
    if (c->who == NULL && call_limit_anonymous(c) != ERR_OK)
        return ERR_RATE_LIMITED;
    struct look_call *call = c->request;
    enum err err = api_decode_page(c->http->query, PAGE_CLAIMS, &call->page, &c->problem);
    call->look = (struct look_request){.who = c->who,
                                       .id = &c->id,
                                       .after_seq = call->page.after.set ? call->page.after.seq : 0,
                                       .limit = call->page.limit,
                                       .is_current = is_current,
                                       .context = c};
    return err;
}

static void look_burst(struct process *p, unsigned thread, void *const *requests, size_t n,
                       int64_t deadline_us, bool *deferred)
{
    struct look_request *looks[LOOP_BURST_MAX];
    (void)thread;
    (void)deadline_us;
    for (size_t i = 0; i < n; i++)
        looks[i] = &((struct look_call *)requests[i])->look;
    look_now(look_of(p), looks, n, deferred);
}

static enum err look_one(struct call *c)
{
    look_wait(look_of(c->process), &((struct look_call *)c->request)->look, c->deadline_us);
    return ERR_OK;
}

static void encode_page(struct call *c, const struct look_call *call, const char *etag)
{
    const struct page *page = call->look.page;
    const struct envelope_view view = {
        .envelope = &page->envelope,
        .mine = call->look.has_mine ? &call->look.mine : NULL,
        .claims = page->claims,
        .n_claims = page->n_claims,
        .next_seq = page->next_seq,
        .veiled = envelope_veiled(&page->envelope, c->who->user, call->look.has_mine)};
    api_encode_envelope(c->response, &view);
    memcpy(c->response->etag, etag, strlen(etag) + 1);
}

static enum err encode_look(struct call *c)
{
    struct look_call *call = c->request;
    struct look_request *r = &call->look;
    char etag[API_ETAG_SIZE];
    if (r->err != ERR_OK)
        return r->err;
    api_envelope_etag(etag, c->process->runtime.generation, r->version, r->mine_seq, &call->page);
    if (r->page == NULL)
        api_encode_not_modified(c->response, etag);
    else if (c->who == NULL)
        api_encode_preview(c->response, &r->page->envelope);
    else
        encode_page(c, call, etag);
    look_end(r);
    return ERR_OK;
}

/* ---- the card of a pasted link ---- */

static bool never_current(void *context, int64_t version, int64_t mine_seq)
{
    (void)context;
    (void)version;
    (void)mine_seq;
    return false;
}

/* The web server asks for it in place of the page when a robot follows ?e=ID. */
static enum err card(struct call *c)
{
    char text[ID_TEXT_SIZE];
    struct id id;
    bool deferred = false;
    if (call_limit_anonymous(c) != ERR_OK)
        return ERR_RATE_LIMITED;
    if (http_query_get(c->http->query, "e", text, sizeof text) != 1 ||
        !id_parse(&id, text, strlen(text)))
        return ERR_NOT_FOUND;
    struct look_request look = {.id = &id, .limit = 1, .is_current = never_current};
    struct look_request *one = &look;
    look_now(look_of(c->process), &one, 1, &deferred);
    if (deferred)
        look_wait(look_of(c->process), &look, c->deadline_us);
    if (look.err == ERR_OK || look.err == ERR_UNAUTHORIZED) {
        api_encode_card(c->response, &id, look.err == ERR_OK ? &look.page->envelope : NULL,
                        c->process->config->site_address);
        look.err = ERR_OK;
    }
    enum err err = look.err;
    look_end(&look);
    return err;
}

/* ---- a user's history ---- */

static enum err me(struct call *c)
{
    struct me_view view;
    enum err err = history_me(account_of(c), c->who, c->deadline_us, &view);
    if (err == ERR_OK)
        api_encode_me(c->response, &view, c->process->config->currency);
    return err;
}

static enum err decode_history(struct call *c, enum api_page_kind kind, struct history_query *q)
{
    struct api_page page;
    enum err err = api_decode_page(c->http->query, kind, &page, &c->problem);
    if (err == ERR_OK)
        *q = (struct history_query){.who = c->who,
                                    .year = page.has_year ? page.year : 0,
                                    .after = page.after,
                                    .limit = page.limit,
                                    .deadline_us = c->deadline_us};
    return err;
}

static enum err sent(struct call *c)
{
    struct history_query q;
    struct sent_view view;
    enum err err = decode_history(c, PAGE_SENT, &q);
    if (err == ERR_OK)
        err = history_sent(account_of(c), &q, &view);
    if (err == ERR_OK)
        api_encode_sent_list(c->response, &view);
    return err;
}

static enum err received(struct call *c)
{
    struct history_query q;
    struct received_view view;
    enum err err = decode_history(c, PAGE_RECEIVED, &q);
    if (err == ERR_OK)
        err = history_received(account_of(c), &q, &view);
    if (err == ERR_OK)
        api_encode_received_list(c->response, &view);
    return err;
}

static enum err ledger(struct call *c)
{
    struct history_query q;
    struct ledger_view view;
    enum err err = decode_history(c, PAGE_LEDGER, &q);
    if (err == ERR_OK)
        err = history_ledger(account_of(c), &q, &view);
    if (err == ERR_OK)
        api_encode_ledger(c->response, &view);
    return err;
}

static enum err site(struct call *c)
{
    api_encode_site(c->response, c->process->config, HONGBAO_VERSION, c->http->if_none_match);
    return ERR_OK;
}

/* ---- the program ---- */

static enum err start(struct process *p)
{
    struct services *services = malloc(sizeof *services);
    if (services == NULL)
        return ERR_FAULT;
    services->account = (struct account_service){.runtime = &p->runtime, .sessions = p->sessions};
    services->look = look_service_new(&p->runtime, p->sessions);
    p->services = services;
    if (services->look != NULL)
        return ERR_OK;
    free(services);
    return ERR_FAULT;
}

static void stop(struct process *p)
{
    look_service_free(look_of(p));
    free(p->services);
}

int main(int argc, char **argv)
{
    static const struct door doors[] = {
        {.route = ROUTE_ENVELOPE,
         .size = sizeof(struct look_call),
         .decode = decode_look,
         .now = look_burst,
         .wait = look_one,
         .encode = encode_look},
        {.route = ROUTE_CARD, .wait = card},
        {.route = ROUTE_ME, .wait = me},
        {.route = ROUTE_SENT, .wait = sent},
        {.route = ROUTE_RECEIVED, .wait = received},
        {.route = ROUTE_LEDGER, .wait = ledger},
        {.route = ROUTE_SITE, .always = true, .wait = site},
        {.route = ROUTE_HEALTHZ, .always = true, .wait = status_healthz},
        {.route = ROUTE_READYZ, .always = true, .wait = status_readyz},
        {.route = ROUTE_METRICS, .always = true, .wait = status_metrics}};
    static const struct program program = {
        .name = "hongbao-query",
        .summary = "FastCGI: shows envelopes, history, health and metrics.",
        .pool = offsetof(struct config, query),
        .doors = doors,
        .n_doors = sizeof doors / sizeof doors[0],
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
