/* A grab service on the fakes, and grabs made as a dispatcher makes them: a burst at the door that
 * does not wait, then each deferred request at the one that does. */
#ifndef HONGBAO_TESTS_FAKE_GRABS_H
#define HONGBAO_TESTS_FAKE_GRABS_H

#include "lib/service/grab/grab.h"
#include "tests/fake/fake_service.h"

#define FAKE_GRABS_MAX BATCH_MAX

struct fake_grabs {
    struct fake_service fake;
    struct session_pool *sessions;
    struct grab_service *service;
    struct envelope e; /* stored, with its gate in the cache: 10 shares to anyone */
};

/* One grab, and what became of it. */
struct fake_grab {
    struct who who;
    struct id id;
    struct grab_request request; /* answered */
    enum grab_outcome first;     /* of the burst; GRAB_NEW: the process knew the end */
    bool deferred;               /* by the burst */
};

/* Make all of it, with one acceptor and `waiters` waiters. Aborts on failure. */
void fake_grabs_init(struct fake_grabs *f, unsigned waiters);
/* Free all of it. */
void fake_grabs_end(struct fake_grabs *f);
/* Free the grab service and make another one, as a process that was started again. */
void fake_grabs_restart(struct fake_grabs *f);

/* Fill g: a grab by user at the envelope id. */
void fake_grab_fill(struct fake_grab *g, const struct id *id, const char *user);
/* Run gs[0..n) as one burst of the acceptor, and leave the deferred ones unanswered. */
void fake_grabs_burst(struct fake_grabs *f, struct fake_grab *gs, size_t n);
/* Answer g, which a burst has deferred. */
void fake_grab_wait(struct fake_grabs *f, struct fake_grab *g);
/* Grab, whatever it takes. The result is valid until the next call. */
const struct fake_grab *fake_grab(struct fake_grabs *f, const struct id *id, const char *user);

/* Return true if g was answered with a ticket that opens its envelope now. */
bool fake_grab_has_ticket(struct fake_grabs *f, const struct fake_grab *g);
/* Return the shares left at the gate of id; -1: there is no valid gate. */
int64_t fake_gate_left(struct fake_grabs *f, const struct id *id);
/* Write the gate of e with `left` shares into the cache. */
void fake_gate_put_left(struct fake_grabs *f, const struct envelope *e, int64_t left);
/* Remove the hold of id, as its end of life does. */
void fake_hold_end(struct fake_grabs *f, const struct id *id);

#endif
