/* listener: bursts, the turn at the socket, and its take-over by another acceptor. */
#include "cgi/server/listener.h"
#include "lib/base/clock.h"
#include "tests/unit/web_peer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#define HANG_S 120
#define BURST_MAX 4
#define CLIENTS_MAX 16
#define HELD_US INT64_C(20000)
#define NEVER_US INT64_C(600000000)

struct fixture {
    struct listener *listener;
    char name[32];
    int clients[CLIENTS_MAX];
    size_t n_clients;
    sem_t accepted; /* posted by each acceptor that has a burst */
};

/* One acceptor. It works on its burst until it is told to go on. */
struct acceptor {
    struct fixture *f;
    unsigned number;
    pthread_t thread;
    sem_t go_on;
    _Atomic size_t n; /* of its burst; 0: it is at the listener or has ended */
    _Atomic int64_t accepted_us;
};

static int64_t now_us(void)
{
    return clock_system.mono_us(NULL);
}

static int set_up_for(void **state, int64_t held_us)
{
    static struct fixture f;
    f = (struct fixture){.n_clients = 0};
    sem_init(&f.accepted, 0, 0);
    f.listener = listener_new(peer_listen(f.name), 0, held_us);
    *state = &f;
    return f.listener == NULL;
}

static int set_up(void **state)
{
    return set_up_for(state, HELD_US);
}

static int set_up_patient(void **state)
{
    return set_up_for(state, NEVER_US);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->n_clients; i++)
        close(f->clients[i]);
    listener_free(f->listener);
    return 0;
}

static void connect_clients(struct fixture *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int fd = peer_connect(f->name);
        assert_true(fd >= 0);
        f->clients[f->n_clients++] = fd;
    }
}

static size_t accept_and_close(struct fixture *f, unsigned acceptor)
{
    int connections[BURST_MAX];
    size_t n = listener_accept(f->listener, acceptor, connections, BURST_MAX);
    for (size_t i = 0; i < n; i++)
        close(connections[i]);
    return n;
}

static void *run_acceptor(void *arg)
{
    struct acceptor *a = arg;
    for (size_t n; (n = accept_and_close(a->f, a->number)) > 0;) {
        a->accepted_us = now_us();
        a->n = n;
        sem_post(&a->f->accepted);
        sem_wait(&a->go_on);
    }
    return NULL;
}

static void start(struct acceptor *a, struct fixture *f, unsigned number)
{
    *a = (struct acceptor){.f = f, .number = number};
    sem_init(&a->go_on, 0, 0);
    assert_int_equal(pthread_create(&a->thread, NULL, run_acceptor, a), 0);
}

static void go_on(struct acceptor *a)
{
    a->n = 0;
    sem_post(&a->go_on);
}

/* After listener_end, with no burst in hand. */
static void join(struct acceptor *a)
{
    pthread_join(a->thread, NULL);
    assert_int_equal(a->n, 0);
    sem_destroy(&a->go_on);
}

/* Connect one client and wait until an acceptor has it. */
static void connect_and_wait(struct fixture *f)
{
    connect_clients(f, 1);
    while (sem_wait(&f->accepted) != 0)
        ;
}

static void all_that_wait_are_one_burst(void **state)
{
    struct fixture *f = *state;
    connect_clients(f, 3);
    assert_int_equal(accept_and_close(f, 0), 3);
    connect_clients(f, BURST_MAX + 1);
    assert_int_equal(accept_and_close(f, 0), BURST_MAX);
    assert_int_equal(accept_and_close(f, 0), 1);
    listener_end(f->listener);
    assert_int_equal(accept_and_close(f, 0), 0);
}

static void a_busy_acceptor_loses_its_turn(void **state)
{
    struct fixture *f = *state;
    struct acceptor first, second;
    start(&first, f, 0);
    int64_t before_us = now_us();
    connect_and_wait(f);
    start(&second, f, 1);
    connect_and_wait(f); /* while the first is still busy */
    assert_int_equal(second.n, 1);
    assert_true(second.accepted_us - before_us >= HELD_US);
    go_on(&first);
    go_on(&second);
    listener_end(f->listener);
    join(&first);
    join(&second);
}

/* Of two acceptors that wait, one is at the socket and the other gets the next connection only
 * after that one has been busy long enough, however often the turn has passed between them. */
static void a_lost_turn_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct acceptor acceptors[2];
    start(&acceptors[0], f, 0);
    connect_and_wait(f);
    start(&acceptors[1], f, 1);
    connect_and_wait(f); /* the turn passes to the second */
    for (int round = 0; round < 4; round++) {
        go_on(&acceptors[1]);
        go_on(&acceptors[0]);
        int64_t before_us = now_us();
        connect_and_wait(f);
        struct acceptor *other = &acceptors[acceptors[0].n > 0 ? 1 : 0];
        connect_and_wait(f);
        assert_int_equal(other->n, 1);
        assert_true(other->accepted_us - before_us >= HELD_US);
    }
    go_on(&acceptors[0]);
    go_on(&acceptors[1]);
    listener_end(f->listener);
    join(&acceptors[0]);
    join(&acceptors[1]);
}

static void a_quick_acceptor_keeps_the_turn(void **state)
{
    struct fixture *f = *state;
    struct acceptor other;
    connect_clients(f, 1);
    assert_int_equal(accept_and_close(f, 0), 1);
    start(&other, f, 1);
    for (int i = 0; i < 10; i++) {
        connect_clients(f, 1);
        assert_int_equal(accept_and_close(f, 0), 1);
    }
    listener_end(f->listener);
    assert_int_equal(accept_and_close(f, 0), 0);
    join(&other);
}

/* The address is free as soon as listener_end returns, although an acceptor still works. */
static void the_end_closes_the_socket_at_once(void **state)
{
    struct fixture *f = *state;
    struct acceptor busy, waiting, idle;
    start(&busy, f, 0);
    connect_and_wait(f);
    start(&waiting, f, 1);
    start(&idle, f, 2);
    listener_end(f->listener);
    assert_int_equal(peer_connect(f->name), -1);
    join(&waiting);
    join(&idle);
    go_on(&busy);
    join(&busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_wait_are_one_burst, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_busy_acceptor_loses_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_turn_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quick_acceptor_keeps_the_turn, set_up_patient, tear_down),
        cmocka_unit_test_setup_teardown(the_end_closes_the_socket_at_once, set_up, tear_down),
    };
    alarm(HANG_S); /* a request that is lost is waited for */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
