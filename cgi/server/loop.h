/* The threads of one process, and who of them answers what. Acceptors take the requests that wait
 * at the listener, a burst at a time: whoever handles them can do for all at once what each would
 * have done alone. What would keep the others of a burst waiting is left to threads that may wait.
 */
#ifndef HONGBAO_CGI_SERVER_LOOP_H
#define HONGBAO_CGI_SERVER_LOOP_H

#include "cgi/server/exchange.h"

#define LOOP_BURST_MAX 64
#define LOOP_THREADS_MAX 320

/* Answers burst[0..n): fills each response, or sets `later` where may_wait is false, and then gets
 * that exchange again, `later` still set, alone, on a thread that may wait. The loop sends and
 * frees. thread: 0..acceptors+waiters-1, each used by one thread only. */
typedef void loop_handler_fn(void *context, unsigned thread, struct exchange **burst, size_t n,
                             bool may_wait);
struct loop {
    int listener;       /* a listening socket; made non-blocking here, and closed */
    unsigned linger_us; /* how long a crowd is let gather, see listener.h */
    unsigned acceptors; /* of which one is at the listener, see turn.h */
    unsigned waiters;   /* 0: acceptors may wait, and take one request at a time */
    size_t body_max;    /* bytes, of a request */
    size_t memory_size; /* bytes, of an exchange's memory for the handler */
    int timeout_s;      /* of reading from and writing to the web server */
    loop_handler_fn *handler;
    void *context;
};
/* Serves until the process is sent SIGTERM or SIGINT, then finishes the requests in hand and
 * returns 0; what waits in the listener's queue is left for others, and the listener is closed.
 * SIGHUP opens the log again. -1: could not start. Call loop_block_signals before any thread is
 * made. */
int loop_run(const struct loop *loop);
void loop_block_signals(void);

#endif
