/* The socket that all processes of a pool accept connections at. */
#ifndef HONGBAO_CGI_SERVER_LISTENER_H
#define HONGBAO_CGI_SERVER_LISTENER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct listener {
    int fd;
    int stop_fd;   /* readable for good once the process shall end */
    int events_fd; /* epoll: fd and stop_fd */
    unsigned linger_us;
    pthread_mutex_t accepting; /* held while anybody is at the socket */
};

/* Makes the listening socket fd non-blocking, and it is the listener's from now on. linger_us: how
 * long a crowd is let gather before it is taken. -1: the system refused; listener_free all the
 * same. */
int listener_init(struct listener *l, int fd, unsigned linger_us);
void listener_free(struct listener *l);
/* Waits for connections and takes those that are there, at most max and at least one; returns how
 * many, 0 once the process shall end. crowd: more than one came last time. One thread of a process
 * waits at a time. Not for threads to which signals are delivered. */
size_t listener_accept(struct listener *l, int *connections, size_t max, bool crowd);
/* Ends the waiting and closes the socket at once: whoever takes over the address need not wait for
 * the requests in hand. */
void listener_end(struct listener *l);

#endif
