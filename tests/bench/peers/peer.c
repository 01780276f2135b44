/* Peers B, C and D: a FastCGI program that answers POST /v1/envelopes/<number>/grab for the user in
 * the Authorization header. peer lock|update|redis SOCKET PROCESSES THREADS
 * DATABASE-SOCKET [REDIS-SOCKET SCRIPT] */
#include "tests/bench/peers/peer.h"
#include "cgi/server/loop.h"
#include "cgi/server/master.h"
#include "lib/base/crypto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 256

struct peer {
    take_fn *take;
    const char *db_socket, *redis_socket, *script;
    unsigned threads;
    struct peer_session sessions[1 + THREADS_MAX]; /* by thread; the acceptor is the first */
};

static bool session_open(const struct peer *p, struct peer_session *s)
{
    s->script = p->script;
    if (s->db == NULL)
        s->db = peer_connect(p->db_socket);
    if (s->redis == NULL && p->redis_socket != NULL)
        s->redis = redis_open(p->redis_socket);
    return s->db != NULL && (s->redis != NULL || p->redis_socket == NULL);
}

static bool user_plain(const char *user)
{
    size_t length = user != NULL ? strlen(user) : 0;
    return length > 0 && length <= 64 &&
           strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

static void answer_one(struct peer *p, struct peer_session *s, struct exchange *x)
{
    const struct http_request *request = &x->request;
    struct http_response *response = &x->response;
    struct share share = {0, 0};
    unsigned envelope = 0;
    enum outcome outcome = SHARE_FAILED;
    if (user_plain(request->authorization) &&
        sscanf(request->path, "/v1/envelopes/%u/grab", &envelope) == 1 && session_open(p, s))
        outcome = p->take(s, envelope, request->authorization, &share);
    response->status = outcome == SHARE_FAILED ? 503 : 200;
    response->content_type = "application/json";
    if (outcome == SHARE_TAKEN)
        buf_printf(&response->body, "{\"state\":\"opened\",\"amount\":%lld,\"seq\":%lld}",
                   (long long)share.amount_fen, (long long)share.seq);
    else
        buf_puts(&response->body,
                 outcome == SHARE_NONE ? "{\"state\":\"sold_out\"}" : "{\"code\":\"unavailable\"}");
}

/* Every request waits for a database: none is answered by the acceptor. */
static void defer(void *context, unsigned thread, struct exchange **burst, size_t n, bool *deferred)
{
    (void)context;
    (void)thread;
    (void)burst;
    for (size_t i = 0; i < n; i++)
        deferred[i] = true;
}

static void answer(void *context, unsigned thread, struct exchange *x)
{
    struct peer *p = context;
    answer_one(p, &p->sessions[thread], x);
}

static int work(void *context, int listener)
{
    struct peer *p = context;
    struct loop loop = {.listener = listener,
                        .acceptors = 1,
                        .waiters = p->threads,
                        .deferred_max = 1024,
                        .body_max = 8192,
                        .timeout_ms = 10000,
                        .now = defer,
                        .wait = answer,
                        .context = p};
    loop_block_signals();
    return loop_run(&loop);
}

static take_fn *way(const char *name)
{
    static const struct {
        const char *name;
        take_fn *take;
    } ways[] = {{"lock", take_by_lock}, {"update", take_by_update}, {"redis", take_by_redis}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(name, ways[i].name) == 0)
            return ways[i].take;
    return NULL;
}

int main(int argc, char **argv)
{
    static struct peer peer;
    if ((argc != 6 && argc != 8) || crypto_init() != ERR_OK ||
        mysql_library_init(0, NULL, NULL) != 0)
        return 2;
    peer.take = way(argv[1]);
    peer.threads = (unsigned)strtoul(argv[4], NULL, 10);
    peer.db_socket = argv[5];
    peer.redis_socket = argc == 8 ? argv[6] : NULL;
    peer.script = argc == 8 ? argv[7] : NULL;
    if (peer.take == NULL || peer.threads > THREADS_MAX)
        return 2;
    const struct master_worker worker = {.run = work, .context = &peer};
    return master_run(argv[2], (unsigned)strtoul(argv[3], NULL, 10), &worker) == 0 ? 0 : 1;
}
