/* Listener of a worker process, and the turn at it. One acceptor at a time accepts connections. As
 * long as it answers quickly it keeps the turn, so that whatever arrives meanwhile queues in the
 * kernel and is accepted as one large burst. An acceptor that is busy for too long loses the turn
 * to the next one. */
#ifndef HONGBAO_CGI_SERVER_LISTENER_H
#define HONGBAO_CGI_SERVER_LISTENER_H

#include <stddef.h>
#include <stdint.h>

struct listener;

/* Create a listener on the listening socket fd, which it makes non-blocking and owns from now on.
 * linger_us: how long an acceptor lets connections gather, in microseconds, if the last burst had
 * more than one. held_us: after how long a busy acceptor loses the turn, in microseconds. Return
 * NULL if the system refuses; fd is then closed. */
struct listener *listener_new(int fd, unsigned linger_us, int64_t held_us);

/* Free l. No thread may be in listener_accept. l may be NULL. */
void listener_free(struct listener *l);

/* Wait for the turn and then for connections; store up to max (at least 1) of them in
 * connections[] and return how many. The caller holds the turn until it is taken over or calls
 * again: a call ends the previous burst of this acceptor. Return 0 after listener_end. acceptor: a
 * number that no other thread passes. Thread-safe. Call it only from threads that block the
 * process's signals. */
size_t listener_accept(struct listener *l, unsigned acceptor, int *connections, size_t max);

/* Make every listener_accept return 0, and close the socket before returning, so that a successor
 * can bind the address while this process finishes its requests. Call it once. */
void listener_end(struct listener *l);

#endif
