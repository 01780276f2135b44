/* POST /v1/envelopes, /v1/guests, /v1/topups, /v1/withdrawals. All sends of a burst share one
 * transaction, so none of them is deferred; the others are rare and have one each. */
#include "cgi/program.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/service/account/guests.h"
#include "lib/service/account/wallet.h"
#include "lib/service/send/send.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CANONICAL_MAX 16384
#define GUEST_TOKEN_TTL_S (INT64_C(86400) * GUEST_DAYS)

struct services {
    struct send_service *send;
    struct account_service account;
};

static struct send_service *send_of(struct process *p)
{
    return ((struct services *)p->services)->send;
}

static const struct account_service *account_of(const struct call *c)
{
    return &((const struct services *)c->process->services)->account;
}

/* Store the SHA-256 of a request in canonical form in out, and free text. */
static enum err hash_canonical(struct buf *text, uint8_t out[32])
{
    enum err err = text->failed ? ERR_FAULT : ERR_OK;
    if (err == ERR_OK)
        hash_sha256(out, text->data, text->len);
    buf_free(text);
    return err;
}

/* ---- send ---- */

struct send_call {
    struct api_send wish;
    struct send_request request; /* points into wish */
};

/* A minute's worth may come at once. */
static struct rate per_minute(enum rate_kind kind, int64_t n)
{
    return (struct rate){.kind = kind, .interval_us = 60 * US_PER_S / n, .burst = n};
}

static enum err decode_send(struct call *c)
{
    struct send_call *call = c->request;
    struct api_send *wish = &call->wish;
    struct send_request *r = &call->request;
    const struct rate rate = per_minute(RATE_SENDS, c->process->config->sends_per_minute);
    enum err err = call_limit(c, &rate, c->process->config->sends_per_minute, c->who->user,
                              "you send too often");
    if (err == ERR_OK)
        err = api_decode_send(c->http->body, c->http->body_len, c->process->config, wish,
                              &c->problem);
    if (err != ERR_OK)
        return err;
    if (wish->refused == ERR_OK)
        wish->refused = api_check_recipients(wish, c->who->user, &c->problem);
    call_key_hash(c, r->key_hash);
    memcpy(r->body_hash, wish->body_hash, sizeof r->body_hash);
    r->refused = wish->refused;
    r->who = c->who;
    r->mode = wish->mode;
    r->total_fen = wish->total_fen;
    r->shares = wish->shares;
    r->expires_in_s = wish->expires_in_s;
    r->has_expires_in = wish->has_expires_in;
    r->greeting = wish->greeting;
    r->theme = wish->theme;
    r->greeting_sent = wish->has_greeting ? wish->greeting_sent : NULL;
    r->to_kind = wish->to_kind;
    r->to = wish->to;
    return ERR_OK;
}

static void send_burst(struct process *p, unsigned thread, void *const *requests, size_t n,
                       int64_t deadline_us, bool *deferred)
{
    struct send_request *sends[LOOP_BURST_MAX];
    (void)thread;
    (void)deferred;
    for (size_t i = 0; i < n; i++)
        sends[i] = &((struct send_call *)requests[i])->request;
    send_now(send_of(p), sends, n, deadline_us);
}

static enum err encode_send(struct call *c)
{
    const struct send_request *r = &((const struct send_call *)c->request)->request;
    if (r->err == ERR_LIMIT_EXCEEDED && r->too_many_open)
        problem_set_limit(&c->problem, r->err, NULL, c->process->config->open_envelopes, "%s",
                          "too many of your envelopes are open");
    if (r->err != ERR_OK)
        return r->err;
    c->envelope = r->envelope.id;
    c->amount_fen = r->envelope.total_fen;
    api_encode_sent(c->response, &r->envelope);
    c->response->replayed = r->replayed;
    return ERR_OK;
}

/* ---- money in and out ---- */

static enum err move_money(struct call *c, enum transfer_kind kind)
{
    struct api_money *wish = c->request; /* lives until the call is logged */
    struct transfer done;
    struct wallet_request request = {.kind = kind, .has_key = true};
    struct buf text;
    enum err err = api_decode_money(c->http->body, c->http->body_len, wish, &c->problem);
    if (err == ERR_OK && user_is_guest(wish->user))
        err = problem_set(&c->problem, ERR_INVALID_REQUEST, "user", "%s",
                          "a guest's money is not real");
    if (err != ERR_OK)
        return err;
    call_key_hash(c, request.key_hash);
    buf_init(&text, CANONICAL_MAX);
    api_money_canonical(wish, &text);
    err = hash_canonical(&text, request.body_hash);
    if (err != ERR_OK)
        return err;
    if (kind == TRANSFER_WITHDRAW && !c->process->config->withdrawals)
        request.refused = ERR_WITHDRAWALS_OFF;
    request.backend = c->who->user;
    c->account = request.user = wish->user;
    c->reference = request.reference = wish->reference;
    c->amount_fen = request.amount_fen = wish->amount_fen;
    err = wallet_move(account_of(c), &request, c->deadline_us, &done, &c->response->replayed);
    if (err == ERR_OK)
        api_encode_money(c->response, &done);
    return err;
}

static enum err topup(struct call *c)
{
    return move_money(c, TRANSFER_TOPUP);
}

static enum err withdraw(struct call *c)
{
    return move_money(c, TRANSFER_WITHDRAW);
}

/* ---- guests ---- */

static enum err guest(struct call *c)
{
    const struct process *p = c->process;
    struct api_guest wish;
    struct account account;
    struct who who = {0};
    struct buf token;
    if (!p->config->demo)
        return ERR_NOT_FOUND;
    const struct rate rate = per_minute(RATE_GUESTS, p->config->guests_per_minute);
    enum err err = api_decode_guest(c->http->body, c->http->body_len, &wish, &c->problem);
    if (err == ERR_OK)
        err = call_limit_address(c, &rate, p->config->guests_per_minute,
                                 "too many guests from your address");
    if (err == ERR_OK)
        err = wallet_guest(account_of(c), wish.name, c->deadline_us, &account);
    if (err == ERR_LIMIT_EXCEEDED)
        return problem_set_limit(&c->problem, err, NULL, p->config->guests_max, "%s",
                                 "there are too many guests");
    if (err != ERR_OK)
        return err;
    memcpy(who.user, account.user, sizeof who.user);
    memcpy(who.name, account.name, sizeof who.name);
    int64_t now_s = p->runtime.clock->wall_us(p->runtime.clock->self) / US_PER_S;
    buf_init(&token, 4096);
    err = token_make(&p->keys, TOKEN_GUEST, &who, now_s, GUEST_TOKEN_TTL_S, &token);
    if (err == ERR_OK)
        api_encode_guest(c->response, &account, token.data);
    buf_free(&token);
    return err;
}

/* ---- the program ---- */

static enum err start(struct process *p)
{
    struct services *services = malloc(sizeof *services);
    if (services == NULL)
        return ERR_FAULT;
    services->account = (struct account_service){.runtime = &p->runtime, .sessions = p->sessions};
    services->send = send_service_new(&p->runtime, p->sessions, (unsigned)p->pool->leaders);
    p->services = services;
    if (services->send != NULL)
        return ERR_OK;
    free(services);
    return ERR_FAULT;
}

static void stop(struct process *p)
{
    send_service_free(send_of(p));
    free(p->services);
}

int main(int argc, char **argv)
{
    static const struct door doors[] = {
        {.route = ROUTE_SEND,
         .size = sizeof(struct send_call),
         .decode = decode_send,
         .now = send_burst,
         .encode = encode_send},
        {.route = ROUTE_TOPUPS, .size = sizeof(struct api_money), .wait = topup},
        {.route = ROUTE_WITHDRAWALS, .size = sizeof(struct api_money), .wait = withdraw},
        {.route = ROUTE_GUESTS, .wait = guest}};
    static const struct program program = {
        .name = "hongbao-send",
        .summary = "FastCGI: sends red envelopes, moves money in and out, signs guests in.",
        .pool = offsetof(struct config, send),
        .doors = doors,
        .n_doors = sizeof doors / sizeof doors[0],
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
