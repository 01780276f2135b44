#include "cgi/server/loop.h"
#include "cgi/server/deferred.h"
#include "cgi/server/listener.h"
#include "cgi/server/request_probe.h"
#include "cgi/server/turn.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define FIRST_WORD_MS 1 /* web servers connect, and then write */

struct server {
    const struct loop *loop;
    struct listener listener;
    struct turn turn; /* of the acceptors, at the listener */
    struct deferred later;
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

/* Reads what came over the connections; returns how many requests there are. */
static size_t read_burst(struct worker *w, const int *connections, size_t n)
{
    struct server *s = w->server;
    size_t read = 0;
    for (size_t i = 0; i < n; i++) {
        struct exchange *x = w->burst[read];
        x->arrived_us = clock_system.mono_us(clock_system.self);
        bool whole = request_probe(connections[i], FIRST_WORD_MS) == PROBE_WHOLE;
        if (!whole && s->loop->waiters > 0)
            deferred_push_connection(&s->later, connections[i], x->arrived_us);
        else if (exchange_read(x, connections[i], s->loop->timeout_s, whole))
            read++;
    }
    return read;
}

/* One that finds no place with the waiters is answered here after all: its handler refuses what
 * comes too late, and nothing is accepted meanwhile. */
static void hand_over(struct worker *w, size_t at)
{
    struct server *s = w->server;
    struct exchange *fresh = deferred_spare(&s->later);
    if (fresh != NULL && deferred_push(&s->later, w->burst[at])) {
        w->burst[at] = fresh;
        return;
    }
    exchange_free(fresh);
    s->loop->handler(s->loop->context, w->number, &w->burst[at], 1, true);
    exchange_answer(w->burst[at]);
}

static void answer_burst(struct worker *w, const int *connections, size_t n)
{
    const struct loop *loop = w->server->loop;
    n = read_burst(w, connections, n);
    if (n > 0)
        loop->handler(loop->context, w->number, w->burst, n, loop->waiters == 0);
    for (size_t i = 0; i < n; i++)
        if (!w->burst[i]->later)
            exchange_answer(w->burst[i]);
    for (size_t i = 0; i < n; i++)
        if (w->burst[i]->later)
            hand_over(w, i);
}

/* Where every thread answers a request of its own there is nothing to wait together for: the turn
 * goes to the next at once. */
static void *accept_and_answer(void *arg)
{
    struct worker *w = arg;
    struct server *s = w->server;
    bool bursts = s->loop->waiters > 0, mine = false;
    size_t max = bursts ? LOOP_BURST_MAX : 1;
    int connections[LOOP_BURST_MAX];
    size_t n = 1;
    while (!bursts || mine || turn_take(&s->turn, w->number)) {
        n = listener_accept(&s->listener, connections, max, n > 1);
        if (n == 0)
            break;
        if (bursts)
            turn_busy(&s->turn);
        answer_burst(w, connections, n);
        mine = bursts && turn_keep(&s->turn, w->number);
    }
    turn_end(&s->turn);
    return NULL;
}

static void *answer_later(void *arg)
{
    const struct worker *w = arg;
    deferred_run(&w->server->later, w->number);
    return NULL;
}

/* ---- the process ---- */

/* Waits for the signal that ends the process. */
static void wait_for_end(void)
{
    sigset_t set;
    int signal_number = 0;
    signals_of_interest(&set);
    do {
        if (sigwait(&set, &signal_number) != 0)
            continue;
        if (signal_number == SIGHUP)
            log_reopen();
    } while (signal_number != SIGTERM && signal_number != SIGINT);
}

static bool start_worker(struct server *s, struct worker *w, unsigned number)
{
    bool acceptor = number < s->loop->acceptors;
    *w = (struct worker){.server = s, .number = number};
    for (size_t i = 0; acceptor && i < (s->loop->waiters > 0 ? LOOP_BURST_MAX : 1); i++)
        if ((w->burst[i] = exchange_new(s->loop->body_max, s->loop->memory_size)) == NULL)
            return false;
    return pthread_create(&w->thread, NULL, acceptor ? accept_and_answer : answer_later, w) == 0;
}

/* Starts all threads, waits for the signal, ends them: acceptors first, so that what they leave is
 * answered too. */
static int run_workers(struct server *s, struct worker *workers)
{
    unsigned all = s->loop->acceptors + s->loop->waiters, started = 0;
    while (started < all && start_worker(s, &workers[started], started))
        started++;
    if (started == all)
        wait_for_end();
    else
        log_event(LOG_LEVEL_ERROR, "thread_failed", "%u of %u threads", started, all);
    listener_end(&s->listener);
    for (unsigned i = 0; i < started && i < s->loop->acceptors; i++)
        pthread_join(workers[i].thread, NULL);
    deferred_end(&s->later);
    for (unsigned i = s->loop->acceptors; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    return started == all ? 0 : -1;
}

static void free_exchanges(struct server *s, struct worker *workers)
{
    for (unsigned i = 0; i < s->loop->acceptors; i++)
        for (size_t k = 0; k < LOOP_BURST_MAX; k++)
            exchange_free(workers[i].burst[k]);
}

int loop_run(const struct loop *loop)
{
    struct server server = {.loop = loop};
    static const char *const close_poll_ms = "50";
    unsigned all = loop->acceptors + loop->waiters;
    struct worker *workers = calloc(all, sizeof *workers);
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", close_poll_ms, 1);
    turn_init(&server.turn);
    deferred_init(&server.later, loop);
    int rc = listener_init(&server.listener, loop->listener, loop->linger_us);
    if (rc == 0 && workers != NULL && all <= LOOP_THREADS_MAX && exchange_start() == 0) {
        rc = run_workers(&server, workers);
        free_exchanges(&server, workers);
    } else {
        rc = -1;
    }
    free(workers);
    deferred_destroy(&server.later);
    listener_free(&server.listener);
    turn_destroy(&server.turn);
    return rc;
}
