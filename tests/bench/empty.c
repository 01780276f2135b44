/* The ceiling: a response of a given size and nothing else, through the same server as the product.
 * empty SOCKET PROCESSES ACCEPTORS[+LINGER_US] BYTES [STATUS]. BYTES: of the body, JSON with a
 * "state"; STATUS: 200 by default; 304 has no body. Its one waiter reads requests that arrive
 * incomplete. */
#include "cgi/server/loop.h"
#include "cgi/server/master.h"
#include "lib/base/crypto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX_BYTES 65536
static const char begin[] = "{\"state\":\"empty\",\"filler\":\"";
static const char end[] = "\"}";

struct ceiling {
    unsigned acceptors, linger_us;
    int status;
    char body[BODY_MAX_BYTES];
};

static void answer(void *context, unsigned thread, struct exchange **burst, size_t n,
                   bool *deferred)
{
    const struct ceiling *c = context;
    (void)thread;
    (void)deferred;
    for (size_t i = 0; i < n; i++) {
        struct http_response *response = &burst[i]->response;
        response->status = c->status;
        response->content_type = c->status == 304 ? NULL : "application/json";
        buf_puts(&response->body, c->body);
    }
}

static int work(void *context, int listener)
{
    struct ceiling *c = context;
    struct loop loop = {.listener = listener,
                        .linger_us = c->linger_us,
                        .acceptors = c->acceptors,
                        .waiters = 1,
                        .deferred_max = 1024,
                        .body_max = 8192,
                        .timeout_ms = 10000,
                        .now = answer,
                        .context = c};
    loop_block_signals();
    return loop_run(&loop);
}

/* Small bodies are as small as the frame allows. */
static void fill(struct ceiling *c, size_t bytes)
{
    size_t frame = strlen(begin) + strlen(end), filler = bytes > frame ? bytes - frame : 0;
    if (filler > BODY_MAX_BYTES - frame - 1)
        filler = BODY_MAX_BYTES - frame - 1;
    if (c->status == 304)
        return;
    strcpy(c->body, begin);
    memset(c->body + strlen(begin), 'x', filler);
    strcpy(c->body + strlen(begin) + filler, end);
}

int main(int argc, char **argv)
{
    static struct ceiling c = {.status = 200};
    if (argc < 5 || argc > 6 || crypto_init() != ERR_OK)
        return 2;
    char *plus;
    c.acceptors = (unsigned)strtoul(argv[3], &plus, 10);
    if (*plus == '+')
        c.linger_us = (unsigned)strtoul(plus + 1, NULL, 10);
    if (argc == 6)
        c.status = atoi(argv[5]);
    fill(&c, strtoul(argv[4], NULL, 10));
    const struct master_worker worker = {.run = work, .context = &c};
    return master_run(argv[1], (unsigned)strtoul(argv[2], NULL, 10), &worker) == 0 ? 0 : 1;
}
