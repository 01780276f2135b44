/* What an acceptor leaves to the threads of its process that may wait: requests whose handler has
 * to, and connections that are slow to say what they want. */
#ifndef HONGBAO_CGI_LATER_H
#define HONGBAO_CGI_LATER_H

#include "cgi/loop.h"
#include <pthread.h>

struct queue {
    struct exchange *first, *last;
};

struct later {
    const struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queue later, unread; /* to be answered; to be read first */
    size_t waiting, reading;    /* in both; waiters that read */
    struct exchange *unused;    /* nobody's */
    bool ending;
};

void later_init(struct later *l, const struct loop *loop);
/* Frees the exchanges that nobody uses. */
void later_destroy(struct later *l);
/* An exchange in place of one that is left; NULL: no memory. */
struct exchange *later_take(struct later *l);
/* Leaves x, which is the caller's still if too many wait already (false). */
bool later_leave(struct later *l, struct exchange *x);
/* Leaves a connection, accepted at arrived_us; one of a thousand too many is closed. */
void later_leave_unread(struct later *l, int connection, int64_t arrived_us);
/* Answers one after the other, until the end and nothing is left. thread: as the handler wants it.
 */
void later_answer(struct later *l, unsigned thread);
/* Nothing more will be left. */
void later_end(struct later *l);

#endif
