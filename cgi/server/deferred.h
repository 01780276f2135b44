/* What an acceptor leaves to the threads of its process that may wait: requests whose handler has
 * to, and connections that are slow to say what they want. */
#ifndef HONGBAO_CGI_SERVER_DEFERRED_H
#define HONGBAO_CGI_SERVER_DEFERRED_H

#include "cgi/server/loop.h"
#include <pthread.h>

struct queue {
    struct exchange *first, *last;
};

struct deferred {
    const struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queue later, unread; /* to be answered; to be read first */
    size_t waiting, reading;    /* in both; waiters that read */
    struct exchange *unused;    /* nobody's */
    bool ending;
};

void deferred_init(struct deferred *l, const struct loop *loop);
/* Frees the exchanges that nobody uses. */
void deferred_destroy(struct deferred *l);
/* An exchange in place of one that is left; NULL: no memory. */
struct exchange *deferred_spare(struct deferred *l);
/* Leaves x, which is the caller's still if too many wait already (false). */
bool deferred_push(struct deferred *l, struct exchange *x);
/* Leaves a connection, accepted at arrived_us; one of a thousand too many is closed. */
void deferred_push_connection(struct deferred *l, int connection, int64_t arrived_us);
/* Answers one after the other, until the end and nothing is left. thread: as the handler wants it.
 */
void deferred_run(struct deferred *l, unsigned thread);
/* Nothing more will be left. */
void deferred_end(struct deferred *l);

#endif
