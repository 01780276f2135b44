/* Peers E and F: a FastCGI program of one process that answers POST /v1/envelopes/<number>/claim
 * for the user of a token of the service. Each burst is a batch. batch_peer mysql|pgsql SOCKET
 * ACCEPTORS DATABASE TOKEN-KEY */
#include "cgi/server/loop.h"
#include "cgi/server/master.h"
#include "lib/base/crypto.h"
#include "lib/wire/token.h"
#include "tests/bench/peers/batch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ACCEPTORS_MAX 8
#define TOKENS_REMEMBERED 65536

struct batch_peer {
    const struct batch_db *db;
    const char *where;
    unsigned acceptors;
    struct token_keys keys;
    struct token_cache *tokens;
    struct batch *batches[ACCEPTORS_MAX + 1]; /* by thread; made on first use */
    _Atomic bool closed[BATCH_ENVELOPES_MAX];
};

static bool user_plain(const char *user)
{
    size_t length = strlen(user);
    return length > 0 && length < BATCH_USER_SIZE &&
           strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

/* Fill *c from a request. Return the status of a refusal, or 0. */
static int read_request(const struct batch_peer *p, const struct http_request *request,
                        struct batch_claim *c)
{
    struct who who;
    enum token_reason reason;
    size_t length = 0;
    const char *token = http_bearer(request->authorization, &length);
    if (token == NULL ||
        token_cache_verify(p->tokens, token, length, time(NULL), &who, &reason) != ERR_OK)
        return 401;
    if (!user_plain(who.user) ||
        sscanf(request->path, "/v1/envelopes/%u/claim", &c->envelope) != 1 ||
        c->envelope >= BATCH_ENVELOPES_MAX)
        return 404;
    memcpy(c->user, who.user, strlen(who.user) + 1);
    return 0;
}

static void refuse(struct http_response *response, int status)
{
    response->status = status;
    response->content_type = "application/json";
    buf_printf(&response->body, "{\"code\":\"%s\"}", status == 503 ? "unavailable" : "refused");
}

static void answer_one(struct http_response *response, const struct batch_claim *c)
{
    if (c->answer == BATCH_UNAVAILABLE || c->answer == BATCH_UNKNOWN) {
        refuse(response, c->answer == BATCH_UNKNOWN ? 404 : 503);
        return;
    }
    response->status = 200;
    response->content_type = "application/json";
    if (c->answer == BATCH_SOLD_OUT)
        buf_puts(&response->body, "{\"state\":\"sold_out\"}");
    else
        buf_printf(&response->body, "{\"state\":\"opened\",\"amount\":%lld,\"seq\":%lld}",
                   (long long)c->amount, (long long)c->seq);
}

static void answer(void *context, unsigned thread, struct exchange **burst, size_t n,
                   bool *deferred)
{
    struct batch_peer *p = context;
    struct batch_claim claims[LOOP_BURST_MAX], *run[LOOP_BURST_MAX];
    struct http_response *responses[LOOP_BURST_MAX];
    size_t count = 0;
    (void)deferred;
    if (p->batches[thread] == NULL)
        p->batches[thread] = batch_new(p->db, p->where, thread, p->closed);
    for (size_t i = 0; i < n; i++) {
        int status = read_request(p, &burst[i]->request, &claims[count]);
        if (status == 0 && p->batches[thread] == NULL)
            status = 503;
        if (status != 0) {
            refuse(&burst[i]->response, status);
            continue;
        }
        run[count] = &claims[count];
        responses[count++] = &burst[i]->response;
    }
    if (count > 0)
        batch_run(p->batches[thread], run, count);
    for (size_t i = 0; i < count; i++)
        answer_one(responses[i], run[i]);
}

static int work(void *context, int listener)
{
    struct batch_peer *p = context;
    struct loop loop = {.listener = listener,
                        .acceptors = p->acceptors,
                        .waiters = 1,
                        .deferred_max = 1024,
                        .body_max = 8192,
                        .timeout_ms = 10000,
                        .now = answer,
                        .context = p};
    loop_block_signals();
    p->tokens = token_cache_new(&p->keys, TOKENS_REMEMBERED);
    return p->tokens != NULL ? loop_run(&loop) : -1;
}

int main(int argc, char **argv)
{
    static struct batch_peer peer;
    struct buf message;
    if (argc != 6 || crypto_init() != ERR_OK)
        return 2;
    buf_init(&message, 4096);
    peer.db = strcmp(argv[1], "pgsql") == 0 ? &batch_pgsql : &batch_mysql;
    peer.acceptors = (unsigned)strtoul(argv[3], NULL, 10);
    peer.where = argv[4];
    if (peer.acceptors < 1 || peer.acceptors > ACCEPTORS_MAX)
        return 2;
    if (secret_load(&peer.keys.kind[TOKEN_USER], argv[5], &message) != ERR_OK) {
        fprintf(stderr, "batch_peer: %s\n", message.data != NULL ? message.data : "no memory");
        return 1;
    }
    const struct master_worker worker = {.run = work, .context = &peer};
    return master_run(argv[2], 1, &worker) == 0 ? 0 : 1;
}
