/* The ceiling: an empty answer of the usual size through the same loop, processes and threads.
 *   empty SOCKET PROCESSES THREADS */
#include "cgi/loop.h"
#include "cgi/master.h"
#include "lib/base/rng.h"
#include <stdio.h>
#include <stdlib.h>

#define ACCEPTORS 3 /* as the pools have */

static const char answer[] =
    "{\"state\":\"grabbed\",\"ticket\":\"AWsFedYX1DFWRdFL84YRiOYgUCDenApYf-DpLcs\","
    "\"expires_at\":\"2026-11-24T11:49:42.000Z\"}";

static void handle(void *context, unsigned thread, struct exchange **burst, size_t n, bool may_wait)
{
    (void)context;
    (void)thread;
    (void)may_wait;
    for (size_t i = 0; i < n; i++)
        buf_puts(&burst[i]->response.body, answer);
}

static int work(void *context, int listener)
{
    const unsigned *threads = context;
    struct loop loop = {.listener = listener,
                        .acceptors = ACCEPTORS,
                        .waiters = *threads,
                        .body_max = 8192,
                        .timeout_s = 10,
                        .handler = handle};
    loop_block_signals();
    return loop_run(&loop);
}

int main(int argc, char **argv)
{
    if (argc != 4 || rng_init() != ERR_OK)
        return 2;
    unsigned threads = (unsigned)strtoul(argv[3], NULL, 10);
    return master_run(argv[1], (unsigned)strtoul(argv[2], NULL, 10), work, &threads) == 0 ? 0 : 1;
}
