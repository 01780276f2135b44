/* POST /v1/envelopes, /v1/guests, /v1/topups, /v1/withdrawals */
#include "cgi/program.h"
#include "lib/base/buf.h"
#include "lib/service/account/wallet.h"
#include "lib/service/send/send.h"
#include <stddef.h>
#include <string.h>

#define CANONICAL_MAX 16384
#define GUEST_TOKEN_TTL_S (INT64_C(30) * 86400)
#define US_PER_S 1000000

/* SHA-256 of a request in canonical form. Empties text. */
static enum err hash_body(struct buf *text, uint8_t out[32])
{
    enum err err = text->failed ? ERR_FAULT : ERR_OK;
    if (err == ERR_OK)
        hash_sha256(out, text->data, text->len);
    buf_free(text);
    return err;
}

/* What one send needs while it is in hand. */
struct send_work {
    struct api_send wish;
    struct send_request request; /* points into wish */
};

static enum err decode_send(struct call *c)
{
    struct send_work *work = c->work;
    struct api_send *wish = &work->wish;
    struct send_request *r = &work->request;
    struct buf text;
    enum err err = api_decode_send(c->request->body, c->request->body_len, c->process->config, wish,
                                   &c->problem);
    if (err != ERR_OK)
        return err;
    call_key_hash(c, r->key_hash);
    buf_init(&text, CANONICAL_MAX);
    api_send_canonical(wish, &text);
    err = hash_body(&text, r->body_hash);
    r->who = &c->who;
    r->mode = wish->mode;
    r->total_fen = wish->total_fen;
    r->shares = wish->shares;
    r->expires_in_s = wish->expires_in_s;
    r->greeting = wish->greeting;
    r->to_kind = wish->to_kind;
    r->to = wish->to;
    return err;
}

/* All of a burst wait for the same commit, so none of them is left for later. */
static void handle_sends(struct call **calls, size_t n)
{
    struct send_request *requests[LOOP_BURST_MAX];
    struct call *asked[LOOP_BURST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        calls[i]->err = decode_send(calls[i]);
        if (calls[i]->err != ERR_OK)
            continue;
        asked[count] = calls[i];
        requests[count++] = &((struct send_work *)calls[i]->work)->request;
    }
    if (count > 0)
        send_now(calls[0]->process->services, requests, count, calls[0]->deadline_us);
    for (size_t i = 0; i < count; i++) {
        asked[i]->err = requests[i]->err;
        if (asked[i]->err == ERR_OK)
            api_encode_sent(asked[i]->response, &requests[i]->envelope);
    }
}

static enum err move_money(struct call *c, enum transfer_kind kind)
{
    struct api_money wish;
    struct transfer done;
    struct wallet_request request = {.kind = kind, .has_key = true};
    struct buf text;
    enum err err = api_decode_money(c->request->body, c->request->body_len, &wish, &c->problem);
    if (err != ERR_OK)
        return err;
    call_key_hash(c, request.key_hash);
    buf_init(&text, CANONICAL_MAX);
    api_money_canonical(&wish, &text);
    err = hash_body(&text, request.body_hash);
    if (err != ERR_OK)
        return err;
    struct store *store = call_store(c);
    if (store == NULL)
        return ERR_UNAVAILABLE;
    request.user = wish.user;
    request.reference = wish.reference;
    request.amount_fen = wish.amount_fen;
    err = wallet_move(&c->process->runtime, store, &request, &done);
    if (err == ERR_OK)
        api_encode_money(c->response, &done);
    return err;
}

static enum err handle_topup(struct call *c)
{
    return move_money(c, TRANSFER_TOPUP);
}

static enum err handle_withdrawal(struct call *c)
{
    return move_money(c, TRANSFER_WITHDRAW);
}

static enum err handle_guest(struct call *c)
{
    struct api_guest wish;
    struct account account;
    struct who who = {0};
    struct buf token;
    if (!c->process->config->demo)
        return ERR_NOT_FOUND;
    enum err err = api_decode_guest(c->request->body, c->request->body_len, &wish, &c->problem);
    if (err != ERR_OK)
        return err;
    struct store *store = call_store(c);
    if (store == NULL)
        return ERR_UNAVAILABLE;
    err = wallet_guest(&c->process->runtime, store, wish.name, &account);
    if (err != ERR_OK)
        return err;
    memcpy(who.user, account.user, sizeof who.user);
    memcpy(who.name, account.name, sizeof who.name);
    int64_t now_s = c->process->runtime.clock->wall_us(c->process->runtime.clock->self) / US_PER_S;
    buf_init(&token, 4096);
    err = token_make(&c->process->keys, TOKEN_GUEST, &who, now_s, GUEST_TOKEN_TTL_S, &token);
    if (err == ERR_OK)
        api_encode_guest(c->response, &account, token.data);
    buf_free(&token);
    return err;
}

static enum err start(struct process *p)
{
    p->services = send_service_new(&p->runtime, p->sessions, (unsigned)p->pool->leaders);
    return p->services != NULL ? ERR_OK : ERR_FAULT;
}

static void stop(struct process *p)
{
    send_service_free(p->services);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "hongbao-send",
        .summary = "FastCGI: sends red envelopes, moves money in and out, signs guests in.",
        .pool = offsetof(struct config, send),
        .handlers = {[ROUTE_TOPUPS] = handle_topup,
                     [ROUTE_WITHDRAWALS] = handle_withdrawal,
                     [ROUTE_GUESTS] = handle_guest},
        .burst = handle_sends,
        .burst_route = ROUTE_SEND,
        .work_size = sizeof(struct send_work),
        .start = start,
        .stop = stop};
    return program_main(argc, argv, &program);
}
