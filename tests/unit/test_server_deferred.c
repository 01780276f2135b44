/* deferred: the queues between acceptors and waiters, with real waiters and connections. */
#include "cgi/server/deferred.h"
#include "lib/base/clock.h"
#include "lib/base/crypto.h"
#include "tests/unit/web_peer.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANG_S 120
#define DEFERRED_MAX 3
#define WAITERS_MAX 4
#define TIMEOUT_MS 200

struct fixture {
    struct loop loop;
    struct deferred *deferred;
    pthread_t waiters[WAITERS_MAX];
    sem_t waiting, go_on; /* of `wait`: begun; may answer */
};

/* GET /wait... has to wait; all else is answered at once. */
static void now(void *context, unsigned thread, struct exchange **burst, size_t n, bool *deferred)
{
    (void)context;
    (void)thread;
    for (size_t i = 0; i < n; i++) {
        deferred[i] = strncmp(burst[i]->request.path, "/wait", 5) == 0;
        if (!deferred[i])
            buf_puts(&burst[i]->response.body, "now");
    }
}

static void wait(void *context, unsigned thread, struct exchange *x)
{
    struct fixture *f = context;
    (void)thread;
    sem_post(&f->waiting);
    while (sem_wait(&f->go_on) != 0)
        ;
    buf_printf(&x->response.body, "waited:%s", x->request.path);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.loop = {.acceptors = 1,
                                  .waiters = WAITERS_MAX,
                                  .deferred_max = DEFERRED_MAX,
                                  .body_max = 64,
                                  .timeout_ms = TIMEOUT_MS,
                                  .now = now,
                                  .wait = wait,
                                  .context = &f}};
    sem_init(&f.waiting, 0, 0);
    sem_init(&f.go_on, 0, 0);
    f.deferred = deferred_new(&f.loop);
    *state = &f;
    return f.deferred == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    deferred_free(f->deferred);
    sem_destroy(&f->waiting);
    sem_destroy(&f->go_on);
    return 0;
}

static void *run_waiter(void *arg)
{
    struct fixture *f = arg;
    deferred_run(f->deferred, f->loop.acceptors);
    return NULL;
}

static void start_waiters(struct fixture *f)
{
    for (unsigned i = 0; i < f->loop.waiters; i++)
        assert_int_equal(pthread_create(&f->waiters[i], NULL, run_waiter, f), 0);
}

static void end_waiters(struct fixture *f)
{
    deferred_end(f->deferred);
    for (unsigned i = 0; i < f->loop.waiters; i++)
        pthread_join(f->waiters[i], NULL);
}

static int64_t now_us(void)
{
    return clock_system.mono_us(NULL);
}

/* Queue one end of a new connection as incomplete; return the other. */
static int push_incomplete(struct fixture *f)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    deferred_push_incomplete(f->deferred, fd[0], now_us());
    return fd[1];
}

/* Read a whole request for uri into *x; return the client's end. */
static int read_get(struct exchange **x, const char *uri)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    peer_send_get(fd[1], uri);
    assert_true(exchange_read(*x, fd[0], TIMEOUT_MS, true));
    return fd[1];
}

static void assert_body(int peer, const char *body)
{
    char text[4096];
    assert_true(peer_receive(peer, text, sizeof text) > 0);
    assert_string_equal(strstr(text, "\r\n\r\n") + 4, body);
}

static void requests_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    struct exchange *x = exchange_new(64, 0);
    f->loop.waiters = 1;
    int a = read_get(&x, "/wait/a");
    assert_true(deferred_push(f->deferred, &x));
    int b = read_get(&x, "/wait/b");
    assert_true(deferred_push(f->deferred, &x));
    start_waiters(f);
    sem_wait(&f->waiting);
    sem_post(&f->go_on);
    assert_body(a, "waited:/wait/a");
    sem_post(&f->go_on);
    assert_body(b, "waited:/wait/b");
    end_waiters(f);
    exchange_free(x);
}

static void a_full_queue_leaves_the_request_to_its_caller(void **state)
{
    struct fixture *f = *state;
    int peers[DEFERRED_MAX];
    struct exchange *x = exchange_new(64, 0);
    for (int i = 0; i < DEFERRED_MAX; i++) {
        const struct exchange *pushed = x;
        peers[i] = read_get(&x, "/wait");
        assert_true(deferred_push(f->deferred, &x));
        assert_ptr_not_equal(x, pushed); /* an unused one in its place */
        sem_post(&f->go_on);
    }
    struct exchange *kept = x;
    int left = read_get(&x, "/left");
    assert_false(deferred_push(f->deferred, &x));
    assert_ptr_equal(x, kept);
    buf_puts(&x->response.body, "left");
    exchange_answer(x);
    assert_body(left, "left");
    start_waiters(f);
    end_waiters(f); /* whatever is queued is answered before the waiters end */
    for (int i = 0; i < DEFERRED_MAX; i++)
        assert_body(peers[i], "waited:/wait");
    exchange_free(x);
}

static void an_incomplete_request_is_answered_when_it_has_come(void **state)
{
    struct fixture *f = *state;
    uint8_t data[PEER_BYTES_MAX];
    const struct peer_request r = {.method = "GET", .uri = "/slow"};
    size_t len = peer_encode(&r, data);
    start_waiters(f);
    int now_peer = push_incomplete(f);
    for (size_t i = 0; i < len; i++) {
        assert_false(peer_is_closed(now_peer, 0));
        peer_send(now_peer, data + i, 1);
    }
    assert_body(now_peer, "now");
    int wait_peer = push_incomplete(f);
    sem_post(&f->go_on);
    peer_send_get(wait_peer, "/wait/slow");
    assert_body(wait_peer, "waited:/wait/slow");
    end_waiters(f);
}

static void an_unfinished_request_times_out(void **state)
{
    struct fixture *f = *state;
    uint8_t data[PEER_BYTES_MAX];
    const struct peer_request r = {.method = "GET", .uri = "/slow"};
    size_t len = peer_encode(&r, data);
    start_waiters(f);
    int64_t began_us = now_us();
    int silent = push_incomplete(f), half = push_incomplete(f);
    peer_send(half, data, len / 2);
    assert_true(peer_is_closed(silent, 10000));
    assert_true(peer_is_closed(half, 10000));
    assert_true(now_us() - began_us > TIMEOUT_MS * US_PER_MS);
    close(silent);
    close(half);
    end_waiters(f);
}

static void a_connection_too_many_is_closed(void **state)
{
    struct fixture *f = *state;
    int peers[DEFERRED_MAX + 1];
    for (int i = 0; i <= DEFERRED_MAX; i++)
        peers[i] = push_incomplete(f); /* no waiter takes them */
    assert_true(peer_is_closed(peers[DEFERRED_MAX], 0));
    for (int i = 0; i < DEFERRED_MAX; i++) {
        assert_false(peer_is_closed(peers[i], 0));
        peer_send_get(peers[i], "/");
    }
    start_waiters(f);
    for (int i = 0; i < DEFERRED_MAX; i++)
        assert_body(peers[i], "now");
    end_waiters(f);
    close(peers[DEFERRED_MAX]);
}

/* Idle connections occupy half of the waiters at most. */
static void idle_connections_hold_up_no_request(void **state)
{
    struct fixture *f = *state;
    int idle[DEFERRED_MAX];
    struct exchange *x = exchange_new(64, 0);
    f->loop.timeout_ms = 60000;
    f->loop.waiters = 2; /* fewer than the idle connections */
    for (int i = 0; i < DEFERRED_MAX; i++)
        idle[i] = push_incomplete(f);
    start_waiters(f);
    for (int i = 0; i < 20; i++) {
        int peer = read_get(&x, "/wait");
        sem_post(&f->go_on);
        assert_true(deferred_push(f->deferred, &x));
        assert_body(peer, "waited:/wait");
    }
    for (int i = 0; i < DEFERRED_MAX; i++) {
        assert_false(peer_is_closed(idle[i], 0));
        close(idle[i]); /* which ends the wait for a request */
    }
    end_waiters(f);
    exchange_free(x);
}

/* At the end an incomplete request has one more second, not the whole time-out. */
static void the_end_does_not_wait_for_silent_clients(void **state)
{
    struct fixture *f = *state;
    f->loop.timeout_ms = 60000;
    int silent = push_incomplete(f), late = push_incomplete(f);
    start_waiters(f);
    deferred_end(f->deferred);
    peer_send_get(late, "/late");
    assert_body(late, "now");
    int64_t began_us = now_us();
    end_waiters(f);
    assert_true(now_us() - began_us < 30 * 1000 * 1000);
    assert_true(peer_is_closed(silent, 0));
    close(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_are_answered_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_leaves_the_request_to_its_caller, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_incomplete_request_is_answered_when_it_has_come, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_unfinished_request_times_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connection_too_many_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(idle_connections_hold_up_no_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_does_not_wait_for_silent_clients, set_up,
                                        tear_down),
    };
    signal(SIGPIPE, SIG_IGN);
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "50", 1);
    if (crypto_init() != ERR_OK || exchange_start() != 0)
        return 1;
    alarm(HANG_S); /* a request that is lost is waited for */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
