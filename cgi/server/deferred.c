#include "cgi/server/deferred.h"
#include "cgi/server/request_probe.h"
#include "lib/base/clock.h"
#include <time.h>
#include <unistd.h>

#define LATER_MAX 1024   /* requests that wait for a thread that may wait */
#define PATIENCE_US 1000 /* between two looks at one who is slow to speak */
#define LAST_WORD_S 1    /* in the end, nobody has longer */
#define READERS_MAX 4    /* threads that listen to those who are slow, and half of all at most */
#define US_PER_S INT64_C(1000000)
#define NS_PER_US 1000

/* An exchange in place of one that is left to others; NULL: no memory. */
struct exchange *deferred_spare(struct deferred *s)
{
    pthread_mutex_lock(&s->lock);
    struct exchange *x = s->unused;
    if (x != NULL)
        s->unused = x->next;
    pthread_mutex_unlock(&s->lock);
    return x != NULL ? x : exchange_new(s->loop->body_max, s->loop->memory_size);
}

static void put(struct queue *q, struct exchange *x)
{
    x->next = NULL;
    if (q->last == NULL)
        q->first = x;
    else
        q->last->next = x;
    q->last = x;
}

/* NULL: it is empty. */
static struct exchange *take(struct queue *q)
{
    struct exchange *x = q->first;
    if (x != NULL)
        q->first = x->next;
    if (q->first == NULL)
        q->last = NULL;
    return x;
}

/* Leaves x to a waiter. False: too many wait already. */
bool deferred_push(struct deferred *s, struct exchange *x)
{
    pthread_mutex_lock(&s->lock);
    bool room = s->waiting < LATER_MAX;
    if (room) {
        put(x->unread >= 0 ? &s->unread : &s->later, x);
        s->waiting++;
        pthread_cond_signal(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}

/* Who is slow to say what he wants is listened to by a thread that may wait; one of a thousand too
 * many is sent away. */
void deferred_push_connection(struct deferred *s, int connection, int64_t arrived_us)
{
    struct exchange *x = deferred_spare(s);
    if (x != NULL) {
        x->arrived_us = arrived_us;
        x->unread = connection;
        if (deferred_push(s, x))
            return;
    }
    exchange_free(x);
    close(connection);
}

/* Who has to be read first is read soon, but by few: those who say nothing keep nobody else
 * waiting. Called with the lock held. */
static struct exchange *take_next(struct deferred *s)
{
    size_t half = s->loop->waiters > 1 ? s->loop->waiters / 2 : 1;
    size_t readers_max = half < READERS_MAX ? half : READERS_MAX;
    struct exchange *x = s->reading < readers_max ? take(&s->unread) : NULL;
    if (x != NULL)
        s->reading++;
    else
        x = take(&s->later);
    return x;
}

/* NULL: the end, and nothing is left; who is being read and comes back has his reader. */
static struct exchange *take_later(struct deferred *s)
{
    struct exchange *x;
    pthread_mutex_lock(&s->lock);
    while ((x = take_next(s)) == NULL && !(s->ending && s->waiting == 0))
        pthread_cond_wait(&s->changed, &s->lock);
    if (x != NULL && --s->waiting == 0 && s->ending)
        pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return x;
}

static void set_aside(struct deferred *s, struct exchange *x)
{
    pthread_mutex_lock(&s->lock);
    x->next = s->unused;
    s->unused = x;
    pthread_mutex_unlock(&s->lock);
}

/* Lets him speak for a moment. False: his time is over. */
static bool wait_a_little(struct deferred *s, const struct exchange *x)
{
    const struct timespec moment = {.tv_nsec = PATIENCE_US * NS_PER_US};
    int64_t waited_us = clock_system.mono_us(clock_system.self) - x->arrived_us;
    pthread_mutex_lock(&s->lock);
    int64_t patience_s = s->ending ? LAST_WORD_S : s->loop->timeout_s;
    pthread_mutex_unlock(&s->lock);
    if (waited_us > patience_s * US_PER_S)
        return false;
    nanosleep(&moment, NULL);
    return true;
}

/* Reads x, if its request has come; if not, x waits on behind the others of its kind, for as long
 * as a read may take. False: there is nothing to be answered yet, or ever. */
static bool read_late(struct deferred *s, struct exchange *x)
{
    int connection = x->unread;
    enum probe arrival = request_probe(connection, 0);
    bool again = arrival == PROBE_PART && wait_a_little(s, x), read = false;
    if (!again) {
        x->unread = -1;
        if (arrival != PROBE_PART)
            read = exchange_read(x, connection, s->loop->timeout_s, arrival == PROBE_WHOLE);
        else
            close(connection);
    }
    pthread_mutex_lock(&s->lock);
    s->reading--;
    if (again) {
        put(&s->unread, x);
        s->waiting++;
    }
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (!again && !read)
        set_aside(s, x);
    return read;
}

void deferred_run(struct deferred *s, unsigned thread)
{
    for (struct exchange *x; (x = take_later(s)) != NULL;) {
        if (x->unread >= 0 && !read_late(s, x))
            continue;
        s->loop->handler(s->loop->context, thread, &x, 1, true);
        exchange_answer(x);
        set_aside(s, x);
    }
}

void deferred_end(struct deferred *s)
{
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void deferred_init(struct deferred *s, const struct loop *loop)
{
    *s = (struct deferred){.loop = loop};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
}

void deferred_destroy(struct deferred *s)
{
    while (s->unused != NULL) {
        struct exchange *x = s->unused;
        s->unused = x->next;
        exchange_free(x);
    }
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}
