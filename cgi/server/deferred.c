/* One mutex guards both queues and the unused exchanges. Incomplete connections are kept as bare
 * descriptors: an exchange, with its buffers, is spent on a request only once it has arrived. */
#include "cgi/server/deferred.h"
#include "cgi/server/request_probe.h"
#include "lib/base/clock.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define POLL_US 1000        /* between two looks at an incomplete request */
#define END_TIMEOUT_MS 1000 /* read deadline once shutdown has begun */
#define READERS_MAX 4       /* waiters that poll at once, and half of them at most */

struct incomplete {
    int connection;
    int64_t arrived_us;
};

struct deferred {
    const struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct exchange *first, *last; /* deferred requests */
    size_t queued;
    struct incomplete *ring; /* deferred_max of them */
    size_t ring_first, ring_n;
    size_t reading;          /* waiters that poll or read; each has room in the ring reserved */
    struct exchange *unused; /* exchanges to be used again */
    bool ending;
};

struct deferred *deferred_new(const struct loop *loop)
{
    struct deferred *d = malloc(sizeof *d);
    if (d == NULL)
        return NULL;
    *d = (struct deferred){.loop = loop};
    d->ring = calloc(loop->deferred_max, sizeof *d->ring);
    if (d->ring == NULL) {
        free(d);
        return NULL;
    }
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    return d;
}

/* ---- queues: lock held ---- */

static void ring_put(struct deferred *d, const struct incomplete *c)
{
    d->ring[(d->ring_first + d->ring_n++) % d->loop->deferred_max] = *c;
}

static struct incomplete ring_take(struct deferred *d)
{
    struct incomplete c = d->ring[d->ring_first];
    d->ring_first = (d->ring_first + 1) % d->loop->deferred_max;
    d->ring_n--;
    return c;
}

static void queue_put(struct deferred *d, struct exchange *x)
{
    x->next = NULL;
    if (d->first == NULL)
        d->first = x;
    else
        d->last->next = x;
    d->last = x;
    d->queued++;
}

static struct exchange *queue_take(struct deferred *d)
{
    struct exchange *x = d->first;
    d->first = x->next;
    d->queued--;
    return x;
}

/* ---- acceptors ---- */

/* Return an unused exchange, or NULL if out of memory. */
static struct exchange *deferred_spare(struct deferred *d)
{
    pthread_mutex_lock(&d->lock);
    struct exchange *x = d->unused;
    if (x != NULL)
        d->unused = x->next;
    pthread_mutex_unlock(&d->lock);
    return x != NULL ? x : exchange_new(d->loop->body_max, d->loop->memory_size);
}

static void deferred_recycle(struct deferred *d, struct exchange *x)
{
    pthread_mutex_lock(&d->lock);
    x->next = d->unused;
    d->unused = x;
    pthread_mutex_unlock(&d->lock);
}

bool deferred_push(struct deferred *d, struct exchange **x)
{
    struct exchange *spare = deferred_spare(d);
    if (spare == NULL)
        return false;
    pthread_mutex_lock(&d->lock);
    bool room = d->queued < d->loop->deferred_max;
    if (room) {
        queue_put(d, *x);
        pthread_cond_signal(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
    if (room)
        *x = spare;
    else
        deferred_recycle(d, spare);
    return room;
}

void deferred_push_incomplete(struct deferred *d, int connection, int64_t arrived_us)
{
    struct incomplete c = {.connection = connection, .arrived_us = arrived_us};
    pthread_mutex_lock(&d->lock);
    bool room = d->ring_n + d->reading < d->loop->deferred_max;
    if (room) {
        ring_put(d, &c);
        pthread_cond_signal(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
    if (!room)
        close(connection);
}

void deferred_end(struct deferred *d)
{
    pthread_mutex_lock(&d->lock);
    d->ending = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

/* ---- waiters ---- */

/* Lock held. Few may read, so that idle clients cannot starve deferred requests. */
static bool may_read(const struct deferred *d)
{
    size_t half = d->loop->waiters > 1 ? d->loop->waiters / 2 : 1;
    return d->ring_n > 0 && d->reading < (half < READERS_MAX ? half : READERS_MAX);
}

/* Wait for something to do: set *x to a deferred request, or to NULL and *c to an incomplete one.
 * Return false once nothing is left. A connection that is being polled stays with its reader, so
 * the other waiters may end before it. */
static bool deferred_take(struct deferred *d, struct exchange **x, struct incomplete *c)
{
    bool ended = false;
    pthread_mutex_lock(&d->lock);
    while (!may_read(d) && d->queued == 0 && !ended) {
        ended = d->ending && d->ring_n == 0;
        if (!ended)
            pthread_cond_wait(&d->changed, &d->lock);
    }
    *x = NULL;
    if (may_read(d)) {
        *c = ring_take(d);
        d->reading++;
    } else if (!ended) {
        *x = queue_take(d);
    }
    if (d->ending && d->queued == 0 && d->ring_n == 0)
        pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    return !ended;
}

/* Wait a moment for the rest of a request. Return false once its read deadline has passed. */
static bool deferred_pause(struct deferred *d, const struct incomplete *c)
{
    const struct timespec pause = {.tv_nsec = POLL_US * NS_PER_US};
    int64_t timeout_ms = d->loop->timeout_ms;
    pthread_mutex_lock(&d->lock);
    if (d->ending && timeout_ms > END_TIMEOUT_MS)
        timeout_ms = END_TIMEOUT_MS;
    pthread_mutex_unlock(&d->lock);
    if (clock_system.mono_us(clock_system.self) - c->arrived_us > timeout_ms * US_PER_MS)
        return false;
    nanosleep(&pause, NULL);
    return true;
}

/* Read the request of c, which the probe has found to have arrived. Return NULL if there is
 * none. */
static struct exchange *deferred_read(struct deferred *d, const struct incomplete *c,
                                      enum probe probe)
{
    struct exchange *x = deferred_spare(d);
    if (x == NULL) {
        close(c->connection);
        return NULL;
    }
    x->arrived_us = c->arrived_us;
    if (exchange_read(x, c->connection, d->loop->timeout_ms, probe == PROBE_WHOLE))
        return x;
    deferred_recycle(d, x);
    return NULL;
}

/* Read the request of c if it has arrived. If it has not, c joins the end of its queue, or is
 * closed once its time is up. Return NULL if there is no request to answer. */
static struct exchange *deferred_poll(struct deferred *d, const struct incomplete *c)
{
    struct exchange *x = NULL;
    enum probe probe = request_probe(c->connection, d->loop->body_max, 0);
    bool again = probe == PROBE_PART && deferred_pause(d, c);
    if (probe == PROBE_WHOLE || probe == PROBE_LARGE)
        x = deferred_read(d, c, probe);
    else if (!again)
        close(c->connection);
    pthread_mutex_lock(&d->lock);
    d->reading--;
    if (again)
        ring_put(d, c);
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    return x;
}

void deferred_run(struct deferred *d, unsigned thread)
{
    const struct loop *loop = d->loop;
    struct incomplete c = {.connection = -1};
    struct exchange *x;
    while (deferred_take(d, &x, &c)) {
        bool must_wait = x != NULL;
        if (x == NULL && (x = deferred_poll(d, &c)) == NULL)
            continue;
        if (!must_wait)
            loop->now(loop->context, thread, &x, 1, &must_wait);
        if (must_wait)
            loop->wait(loop->context, thread, x);
        exchange_answer(x);
        deferred_recycle(d, x);
    }
}

void deferred_free(struct deferred *d)
{
    if (d == NULL)
        return;
    while (d->ring_n > 0)
        close(ring_take(d).connection);
    while (d->unused != NULL) {
        struct exchange *x = d->unused;
        d->unused = x->next;
        exchange_free(x);
    }
    free(d->ring);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
