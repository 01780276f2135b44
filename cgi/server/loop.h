/* Thread model of a worker process. Acceptors accept connections in bursts and answer what needs no
 * waiting, a whole burst at once; one acceptor at a time is at the listener. Waiters answer one
 * request at a time: those that an acceptor deferred, and those that arrived incomplete. */
#ifndef HONGBAO_CGI_SERVER_LOOP_H
#define HONGBAO_CGI_SERVER_LOOP_H

#include "cgi/server/exchange.h"
#include "lib/base/batch_max.h"

#define LOOP_BURST_MAX 64    /* requests of a burst */
#define LOOP_THREADS_MAX 320 /* acceptors and waiters together */

struct loop {
    int listener;        /* listening socket; loop_run makes it non-blocking and closes it */
    unsigned linger_us;  /* how long connections may gather under load, see listener.h */
    unsigned acceptors;  /* threads 0..acceptors-1; at least 1 */
    unsigned waiters;    /* threads acceptors..acceptors+waiters-1; at least 1 */
    size_t deferred_max; /* deferred requests that may queue, and as many incomplete ones */
    size_t body_max;     /* bytes of a request's body */
    size_t memory_size;  /* bytes of an exchange's memory for the handlers */
    int timeout_ms;      /* of reading a request and of writing an answer */
    /* Answer burst[0..n), 1 <= n <= LOOP_BURST_MAX: fill each response, or set deferred[i], which
     * is false on entry, to have `wait` answer it. Called once for each request, on an acceptor;
     * for one that arrived incomplete, alone, on a waiter. No two calls with the same thread
     * overlap. The loop sends the responses. */
    void (*now)(void *context, unsigned thread, struct exchange **burst, size_t n, bool *deferred);
    /* Answer x, which `now` deferred; may block. thread is a waiter, or an acceptor if the queue is
     * full. */
    void (*wait)(void *context, unsigned thread, struct exchange *x);
    /* Do what is due about once a second, on the thread that called loop_run, from its start on.
     * NULL: nothing. context is that of the handlers. */
    void (*tick)(void *context);
    void *context; /* of the handlers */
};

/* Serve until SIGTERM or SIGINT, then close the listener, finish the accepted requests and return
 * 0. Connections still queued at the listener are left to other processes that share it. SIGHUP
 * reopens the log. Return -1 if the threads could not be started (logged). Call loop_block_signals
 * first, before any thread is made. */
int loop_run(const struct loop *loop);

/* Block the signals that loop_run waits for in this thread and those it starts, and ignore
 * SIGPIPE. */
void loop_block_signals(void);

#endif
