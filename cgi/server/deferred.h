/* Queues between acceptors and waiters: requests that `now` deferred, and connections whose request
 * has not fully arrived. A few waiters poll the latter, so that a slow client holds no thread. */
#ifndef HONGBAO_CGI_SERVER_DEFERRED_H
#define HONGBAO_CGI_SERVER_DEFERRED_H

#include "cgi/server/loop.h"

struct deferred;

/* Create the queues of loop, which must outlive them. Return NULL if out of memory. */
struct deferred *deferred_new(const struct loop *loop);

/* Close the incomplete connections that are left and free d. No thread may be using it, and no
 * request may be queued. d may be NULL. */
void deferred_free(struct deferred *d);

/* Queue *x for a waiter and put an unused exchange in its place. Return false if the queue is full
 * or memory is exhausted; *x is then unchanged and still the caller's to answer. Thread-safe. */
bool deferred_push(struct deferred *d, struct exchange **x);

/* Queue a connection whose request is incomplete, accepted at arrived_us (monotonic,
 * microseconds). Takes ownership; closes it if the queue is full. Thread-safe. */
void deferred_push_incomplete(struct deferred *d, int connection, int64_t arrived_us);

/* Work as waiter `thread`: answer one request after another until deferred_end has been called and
 * the queues are empty. */
void deferred_run(struct deferred *d, unsigned thread);

/* Announce that nothing more will be queued. Incomplete requests get one more second. */
void deferred_end(struct deferred *d);

#endif
