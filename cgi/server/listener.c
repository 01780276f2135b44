#include "cgi/server/listener.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 20
#define NS_PER_US 1000

enum { CONNECTION, STOP };

/* Of all processes that wait at the socket, a connection wakes one. */
int listener_init(struct listener *l, int fd, unsigned linger_us)
{
    struct epoll_event connection = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u32 = CONNECTION},
                       stop = {.events = EPOLLIN, .data.u32 = STOP};
    *l = (struct listener){.fd = fd, .linger_us = linger_us};
    pthread_mutex_init(&l->accepting, NULL);
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    l->events_fd = epoll_create1(EPOLL_CLOEXEC);
    int flags = fcntl(fd, F_GETFL);
    bool ok = l->stop_fd >= 0 && l->events_fd >= 0 && flags >= 0 &&
              fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
              epoll_ctl(l->events_fd, EPOLL_CTL_ADD, fd, &connection) == 0 &&
              epoll_ctl(l->events_fd, EPOLL_CTL_ADD, l->stop_fd, &stop) == 0;
    return ok ? 0 : -1;
}

void listener_free(struct listener *l)
{
    if (l->events_fd >= 0)
        close(l->events_fd);
    if (l->stop_fd >= 0)
        close(l->stop_fd);
    pthread_mutex_destroy(&l->accepting);
}

static size_t accept_waiting(const struct listener *l, int *connections, size_t max)
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

/* Waits until somebody knocks. False: the process shall end. */
static bool wait_for_knock(const struct listener *l)
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

/* Where many come, a request costs less the more are taken at once; whoever comes alone waits for
 * nobody. */
static void linger(const struct listener *l, bool crowd)
{
    struct timespec pause = {.tv_nsec = (long)l->linger_us * NS_PER_US};
    if (crowd && l->linger_us > 0)
        nanosleep(&pause, NULL);
}

size_t listener_accept(struct listener *l, int *connections, size_t max, bool crowd)
{
    struct pollfd stop = {.fd = l->stop_fd, .events = POLLIN};
    size_t n = 0;
    pthread_mutex_lock(&l->accepting);
    while (n == 0 && wait_for_knock(l)) {
        linger(l, crowd);
        n = accept_waiting(l, connections, max);
        if (n == 0 && errno != EAGAIN && errno != ECONNABORTED)
            poll(&stop, 1, PAUSE_MS); /* no descriptor or memory left at this moment */
    }
    pthread_mutex_unlock(&l->accepting);
    return n;
}

void listener_end(struct listener *l)
{
    uint64_t one = 1;
    ssize_t written = write(l->stop_fd, &one, sizeof one);
    (void)written;
    pthread_mutex_lock(&l->accepting);
    close(l->fd);
    pthread_mutex_unlock(&l->accepting);
}
