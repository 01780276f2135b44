/* loop: a whole worker process in one thread of the test, from bursts to shutdown. */
#include "cgi/server/loop.h"
#include "lib/base/crypto.h"
#include "tests/unit/web_peer.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define HANG_S 120
#define ACCEPTORS 2
#define WAITERS 2
#define DEFERRED_MAX 2

struct fixture {
    struct loop loop;
    char name[32];
    pthread_t thread;
    int rc;
    sem_t waiting, go_on;                  /* of `wait`: begun; may answer */
    atomic_uint busy[ACCEPTORS + WAITERS]; /* calls by thread: never more than one */
    atomic_bool overlapped, waited_on_acceptor;
};

static void enter(struct fixture *f, unsigned thread)
{
    if (atomic_fetch_add(&f->busy[thread], 1) != 0)
        atomic_store(&f->overlapped, true);
}

static void leave(struct fixture *f, unsigned thread)
{
    atomic_fetch_sub(&f->busy[thread], 1);
}

static void now(void *context, unsigned thread, struct exchange **burst, size_t n, bool *deferred)
{
    struct fixture *f = context;
    enter(f, thread);
    for (size_t i = 0; i < n; i++) {
        deferred[i] = strcmp(burst[i]->request.path, "/wait") == 0;
        if (!deferred[i])
            buf_puts(&burst[i]->response.body, "now");
    }
    leave(f, thread);
}

static void wait(void *context, unsigned thread, struct exchange *x)
{
    struct fixture *f = context;
    enter(f, thread);
    if (thread < ACCEPTORS)
        atomic_store(&f->waited_on_acceptor, true);
    sem_post(&f->waiting);
    while (sem_wait(&f->go_on) != 0)
        ;
    buf_puts(&x->response.body, "waited");
    leave(f, thread);
}

static void *run(void *arg)
{
    struct fixture *f = arg;
    f->rc = loop_run(&f->loop);
    return NULL;
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.rc = -1,
                         .loop = {.acceptors = ACCEPTORS,
                                  .waiters = WAITERS,
                                  .deferred_max = DEFERRED_MAX,
                                  .body_max = 64,
                                  .timeout_ms = 10000,
                                  .now = now,
                                  .wait = wait,
                                  .context = &f}};
    sem_init(&f.waiting, 0, 0);
    sem_init(&f.go_on, 0, 0);
    f.loop.listener = peer_listen(f.name);
    *state = &f;
    return pthread_create(&f.thread, NULL, run, &f);
}

/* Send the signal that ends the process. */
static void begin_end(const struct fixture *f)
{
    pthread_kill(f->thread, SIGTERM);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pthread_join(f->thread, NULL);
    assert_int_equal(f->rc, 0);
    assert_false(atomic_load(&f->overlapped));
    sem_destroy(&f->waiting);
    sem_destroy(&f->go_on);
    return 0;
}

static int get(const struct fixture *f, const char *uri)
{
    int fd = peer_connect(f->name);
    assert_true(fd >= 0);
    peer_send_get(fd, uri);
    return fd;
}

static void assert_body(int peer, const char *body)
{
    char text[4096];
    assert_true(peer_receive(peer, text, sizeof text) > 0);
    assert_string_equal(strstr(text, "\r\n\r\n") + 4, body);
}

static void answers_now_and_later(void **state)
{
    struct fixture *f = *state;
    int peers[100];
    for (int i = 0; i < 100; i++)
        peers[i] = get(f, "/now");
    for (int i = 0; i < 100; i++)
        assert_body(peers[i], "now");
    sem_post(&f->go_on);
    assert_body(get(f, "/wait"), "waited");
    assert_false(atomic_load(&f->waited_on_acceptor));
    begin_end(f);
}

/* Waiters and queue are full: the acceptor answers the next one itself, and none is lost. */
static void a_full_queue_loses_no_request(void **state)
{
    struct fixture *f = *state;
    int peers[WAITERS + DEFERRED_MAX + 1];
    for (int i = 0; i < WAITERS; i++) {
        peers[i] = get(f, "/wait");
        sem_wait(&f->waiting); /* each waiter has one */
    }
    for (int i = WAITERS; i < WAITERS + DEFERRED_MAX + 1; i++)
        peers[i] = get(f, "/wait");
    sem_wait(&f->waiting); /* the one that found no place */
    assert_true(atomic_load(&f->waited_on_acceptor));
    assert_body(get(f, "/now"), "now"); /* another acceptor has taken the turn */
    for (int i = 0; i < WAITERS + DEFERRED_MAX + 1; i++)
        sem_post(&f->go_on);
    for (int i = 0; i < WAITERS + DEFERRED_MAX + 1; i++)
        assert_body(peers[i], "waited");
    begin_end(f);
}

static void shutdown_answers_what_was_accepted(void **state)
{
    struct fixture *f = *state;
    int peers[WAITERS + 1];
    for (int i = 0; i < WAITERS; i++) {
        peers[i] = get(f, "/wait");
        sem_wait(&f->waiting);
    }
    peers[WAITERS] = get(f, "/wait");
    assert_body(get(f, "/now"), "now"); /* taken after it: so it is in the queue */
    begin_end(f);
    for (int refused = peer_connect(f->name); refused >= 0; refused = peer_connect(f->name))
        close(refused); /* until the listener is closed, with requests in hand */
    for (int i = 0; i <= WAITERS; i++)
        sem_post(&f->go_on);
    for (int i = 0; i <= WAITERS; i++)
        assert_body(peers[i], "waited");
}

static void slow_clients_hold_up_no_other(void **state)
{
    struct fixture *f = *state;
    uint8_t data[PEER_BYTES_MAX];
    const struct peer_request r = {.method = "GET", .uri = "/now"};
    size_t len = peer_encode(&r, data);
    int slow = peer_connect(f->name), silent = peer_connect(f->name);
    for (size_t i = 0; i < len; i++) {
        peer_send(slow, data + i, 1);
        assert_body(get(f, "/now"), "now");
    }
    assert_body(slow, "now");
    begin_end(f); /* and the silent one does not hold up the end for its whole time-out */
    assert_true(peer_is_closed(silent, 9000));
    close(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_now_and_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_loses_no_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shutdown_answers_what_was_accepted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slow_clients_hold_up_no_other, set_up, tear_down),
    };
    loop_block_signals();
    if (crypto_init() != ERR_OK)
        return 1;
    alarm(HANG_S); /* a request that is lost is waited for */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
