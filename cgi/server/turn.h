/* Whose turn it is to accept connections. One thread of a process accepts at a time, and as long as
 * it answers quickly it keeps the turn, so that what arrives meanwhile waits together and is taken
 * as one large burst. When it is held up, another thread takes the turn from it. */
#ifndef HONGBAO_CGI_SERVER_TURN_H
#define HONGBAO_CGI_SERVER_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct turn {
    pthread_mutex_t queue; /* who waits for the turn; the first of them watches */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool taken, ended, watcher_sleeps;
    unsigned owner;
    int64_t busy_since_us; /* 0: the owner waits for connections */
};

void turn_init(struct turn *t);
void turn_destroy(struct turn *t);
/* Waits until nobody has the turn, or its owner has been busy for too long, and takes it. False: it
 * has ended, for everybody. */
bool turn_take(struct turn *t, unsigned who);
/* The owner has work in hand from now on. */
void turn_busy(struct turn *t);
/* The work is done. True: who still has the turn; false: it was taken from him. */
bool turn_keep(struct turn *t, unsigned who);
/* Nobody gets the turn again. */
void turn_end(struct turn *t);

#endif
