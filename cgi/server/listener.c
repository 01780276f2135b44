/* One mutex guards the turn. The socket itself needs no lock: only the owner of an idle turn is at
 * it. Waiting for connections is an epoll_wait, because EPOLLEXCLUSIVE wakes one of the processes
 * that share the socket, not all. */
#include "cgi/server/listener.h"
#include "lib/base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 20 /* between attempts to accept while the system has no descriptor to give */

enum { CONNECTION, STOP };

struct listener {
    int fd;
    int stop_fd;   /* readable for good after listener_end */
    int events_fd; /* epoll: fd and stop_fd */
    unsigned linger_us;
    int64_t held_us;
    bool crowd; /* the last burst had more than one connection; belongs to the owner of the turn */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* of all below */
    bool taken, ended;
    unsigned owner;        /* if taken */
    int64_t busy_since_us; /* monotonic; 0: the owner is at the socket */
    unsigned waiting;      /* acceptors that wait for the turn */
    bool timed;            /* one of them wakes by itself when the owner is due to lose the turn */
};

static int64_t now_us(void)
{
    return clock_system.mono_us(clock_system.self);
}

static bool listener_watch(struct listener *l)
{
    struct epoll_event connection = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u32 = CONNECTION},
                       stop = {.events = EPOLLIN, .data.u32 = STOP};
    int flags = fcntl(l->fd, F_GETFL);
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    l->events_fd = epoll_create1(EPOLL_CLOEXEC);
    return l->stop_fd >= 0 && l->events_fd >= 0 && flags >= 0 &&
           fcntl(l->fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           epoll_ctl(l->events_fd, EPOLL_CTL_ADD, l->fd, &connection) == 0 &&
           epoll_ctl(l->events_fd, EPOLL_CTL_ADD, l->stop_fd, &stop) == 0;
}

struct listener *listener_new(int fd, unsigned linger_us, int64_t held_us)
{
    struct listener *l = malloc(sizeof *l);
    if (l == NULL) {
        close(fd);
        return NULL;
    }
    *l = (struct listener){
        .fd = fd, .stop_fd = -1, .events_fd = -1, .linger_us = linger_us, .held_us = held_us};
    pthread_mutex_init(&l->lock, NULL);
    clock_condition(&l->changed);
    if (listener_watch(l))
        return l;
    listener_free(l);
    return NULL;
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    if (l->events_fd >= 0)
        close(l->events_fd);
    if (l->stop_fd >= 0)
        close(l->stop_fd);
    if (l->fd >= 0)
        close(l->fd);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- the turn ---- */

/* Lock held. Wait for a change, or until the owner is due to lose the turn. While the owner is at
 * the socket all sleep, so that an idle process is idle; while it works one of them has a time-out
 * running, so that no burst has to wake a thread. */
static void listener_sleep(struct listener *l)
{
    int64_t until_us = l->busy_since_us + l->held_us;
    struct timespec until = {.tv_sec = until_us / US_PER_S,
                             .tv_nsec = until_us % US_PER_S * NS_PER_US};
    if (l->busy_since_us == 0 || l->timed) {
        pthread_cond_wait(&l->changed, &l->lock);
        return;
    }
    l->timed = true;
    pthread_cond_timedwait(&l->changed, &l->lock, &until);
    l->timed = false;
}

/* Lock held. */
static bool listener_is_free(const struct listener *l)
{
    return !l->taken || (l->busy_since_us != 0 && now_us() >= l->busy_since_us + l->held_us);
}

/* Keep the turn, or wait for it. Return false after listener_end. */
static bool listener_enter(struct listener *l, unsigned acceptor)
{
    pthread_mutex_lock(&l->lock);
    bool mine = l->taken && l->owner == acceptor;
    l->waiting++;
    while (!mine && !l->ended && !listener_is_free(l))
        listener_sleep(l);
    l->waiting--;
    bool entered = !l->ended;
    if (entered) {
        l->taken = true;
        l->owner = acceptor;
        l->busy_since_us = 0;
    }
    pthread_mutex_unlock(&l->lock);
    return entered;
}

/* The owner leaves the socket and keeps the turn while it works. */
static void listener_leave(struct listener *l)
{
    pthread_mutex_lock(&l->lock);
    l->busy_since_us = now_us();
    if (l->ended)
        pthread_cond_broadcast(&l->changed); /* listener_end waits to close the socket */
    else if (l->waiting > 0 && !l->timed)
        pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

/* ---- at the socket ---- */

static size_t listener_drain(const struct listener *l, int *connections, size_t max)
{
    size_t n = 0;
    while (n < max) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            break;
        connections[n++] = fd;
    }
    return n;
}

/* Wait for a connection. Return false after listener_end. */
static bool listener_wait(const struct listener *l)
{
    struct epoll_event events[2];
    int found;
    do
        found = epoll_wait(l->events_fd, events, 2, -1);
    while (found < 0 && errno == EINTR);
    for (int i = 0; i < found; i++)
        if (events[i].data.u32 == STOP)
            return false;
    return found > 0;
}

/* A request costs less the larger its burst; a client that comes alone does not wait. */
static void listener_linger(const struct listener *l)
{
    struct timespec pause = {.tv_nsec = (long)l->linger_us * NS_PER_US};
    if (l->crowd && l->linger_us > 0)
        nanosleep(&pause, NULL);
}

size_t listener_accept(struct listener *l, unsigned acceptor, int *connections, size_t max)
{
    struct pollfd stop = {.fd = l->stop_fd, .events = POLLIN};
    size_t n = 0;
    if (!listener_enter(l, acceptor))
        return 0;
    while (n == 0 && listener_wait(l)) {
        listener_linger(l);
        n = listener_drain(l, connections, max);
        if (n == 0 && errno != EAGAIN && errno != ECONNABORTED)
            poll(&stop, 1, PAUSE_MS); /* out of descriptors or memory: let requests finish */
    }
    l->crowd = n > 1;
    listener_leave(l);
    return n;
}

void listener_end(struct listener *l)
{
    uint64_t one = 1;
    pthread_mutex_lock(&l->lock);
    l->ended = true;
    pthread_cond_broadcast(&l->changed);
    ssize_t written = write(l->stop_fd, &one, sizeof one);
    (void)written;
    while (l->taken && l->busy_since_us == 0)
        pthread_cond_wait(&l->changed, &l->lock);
    close(l->fd);
    l->fd = -1;
    pthread_mutex_unlock(&l->lock);
}
