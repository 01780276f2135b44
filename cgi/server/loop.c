/* Starts the threads of a worker process, waits for the signal that ends it, and stops acceptors
 * before waiters, so that every accepted request is answered. */
#include "cgi/server/loop.h"
#include "cgi/server/deferred.h"
#include "cgi/server/listener.h"
#include "cgi/server/request_probe.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* Longer than a burst takes on a healthy machine, shorter than a user notices. */
#define HELD_US 20000
#define FIRST_BYTES_MS 1 /* web servers connect first and write a moment later */

struct server {
    const struct loop *loop;
    struct listener *listener;
    struct deferred *deferred;
};

struct worker {
    struct server *server;
    unsigned number;
    pthread_t thread;
    struct exchange *burst[LOOP_BURST_MAX]; /* an acceptor's own */
};

static void signals_of_interest(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1); /* libfcgi would handle it */
}

void loop_block_signals(void)
{
    sigset_t set;
    signals_of_interest(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- acceptors ---- */

/* Read the requests of connections[0..n) that have arrived into w->burst; return how many. */
static size_t read_burst(struct worker *w, const int *connections, size_t n)
{
    const struct server *s = w->server;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct exchange *x = w->burst[count];
        x->arrived_us = clock_system.mono_us(clock_system.self);
        enum probe probe = request_probe(connections[i], s->loop->body_max, FIRST_BYTES_MS);
        if (probe == PROBE_NONE)
            close(connections[i]);
        else if (probe != PROBE_WHOLE)
            deferred_push_incomplete(s->deferred, connections[i], x->arrived_us);
        else if (exchange_read(x, connections[i], s->loop->timeout_ms, true))
            count++;
    }
    return count;
}

/* If the queue is full, answer on this thread. That stops accepting, which is the back-pressure
 * we want; the handler rejects requests past their deadline. */
static void defer_one(struct worker *w, struct exchange **x)
{
    const struct server *s = w->server;
    if (deferred_push(s->deferred, x))
        return;
    s->loop->wait(s->loop->context, w->number, *x);
    exchange_answer(*x);
}

static void answer_burst(struct worker *w, size_t n)
{
    const struct loop *loop = w->server->loop;
    bool deferred[LOOP_BURST_MAX] = {false};
    if (n > 0)
        loop->now(loop->context, w->number, w->burst, n, deferred);
    for (size_t i = 0; i < n; i++)
        if (!deferred[i])
            exchange_answer(w->burst[i]);
    for (size_t i = 0; i < n; i++)
        if (deferred[i])
            defer_one(w, &w->burst[i]);
}

static void *run_acceptor(void *arg)
{
    struct worker *w = arg;
    int connections[LOOP_BURST_MAX];
    size_t n;
    while ((n = listener_accept(w->server->listener, w->number, connections, LOOP_BURST_MAX)) > 0)
        answer_burst(w, read_burst(w, connections, n));
    return NULL;
}

static void *run_waiter(void *arg)
{
    const struct worker *w = arg;
    deferred_run(w->server->deferred, w->number);
    return NULL;
}

/* ---- the process ---- */

static void wait_for_end(const struct loop *loop)
{
    static const struct timespec second = {.tv_sec = 1};
    sigset_t set;
    int signal_number = 0;
    signals_of_interest(&set);
    do {
        if (loop->tick != NULL)
            loop->tick(loop->context);
        signal_number = sigtimedwait(&set, NULL, &second); /* -1: a second has passed */
        if (signal_number == SIGHUP)
            log_reopen();
    } while (signal_number != SIGTERM && signal_number != SIGINT);
}

static bool start_worker(struct server *s, struct worker *w, unsigned number)
{
    bool acceptor = number < s->loop->acceptors;
    *w = (struct worker){.server = s, .number = number};
    for (size_t i = 0; acceptor && i < LOOP_BURST_MAX; i++)
        if ((w->burst[i] = exchange_new(s->loop->body_max, s->loop->memory_size)) == NULL)
            return false;
    return pthread_create(&w->thread, NULL, acceptor ? run_acceptor : run_waiter, w) == 0;
}

static int run_workers(struct server *s, struct worker *workers)
{
    unsigned all = s->loop->acceptors + s->loop->waiters, started = 0;
    while (started < all && start_worker(s, &workers[started], started))
        started++;
    if (started == all)
        wait_for_end(s->loop);
    else
        log_event(LOG_LEVEL_ERROR, "thread_failed", "%u of %u threads", started, all);
    listener_end(s->listener);
    for (unsigned i = 0; i < started && i < s->loop->acceptors; i++)
        pthread_join(workers[i].thread, NULL);
    deferred_end(s->deferred);
    for (unsigned i = s->loop->acceptors; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < s->loop->acceptors; i++)
        for (size_t k = 0; k < LOOP_BURST_MAX; k++)
            exchange_free(workers[i].burst[k]);
    return started == all ? 0 : -1;
}

int loop_run(const struct loop *loop)
{
    static const char *const close_poll_ms = "50"; /* libfcgi's wait for the peer's close */
    struct server server = {.loop = loop};
    unsigned all = loop->acceptors + loop->waiters;
    struct worker *workers = calloc(all, sizeof *workers);
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", close_poll_ms, 1);
    server.listener = listener_new(loop->listener, loop->linger_us, HELD_US);
    server.deferred = deferred_new(loop);
    int rc = -1;
    if (server.listener != NULL && server.deferred != NULL && workers != NULL &&
        all <= LOOP_THREADS_MAX && exchange_start() == 0)
        rc = run_workers(&server, workers);
    free(workers);
    deferred_free(server.deferred);
    listener_free(server.listener);
    return rc;
}
