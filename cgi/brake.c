#include "cgi/brake.h"
#include "lib/base/clock.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define STALL_US 500000 /* longer than any healthy database takes */
#define US_PER_S 1000000
#define NS_PER_US 1000

struct brake {
    pthread_mutex_t lock;
    pthread_cond_t left; /* somebody left */
    bool stalled;
    unsigned threads, inside, inside_max;
    unsigned prober;      /* while stalled: the thread that asks, plus 1; 0 none */
    int64_t entered_us[]; /* by thread; 0: outside */
};

static int64_t now_us(void)
{
    return clock_system.mono_us(clock_system.self);
}

struct brake *brake_new(unsigned threads)
{
    struct brake *b = calloc(1, sizeof *b + threads * sizeof b->entered_us[0]);
    if (b == NULL)
        return NULL;
    b->threads = threads;
    b->inside_max = threads - threads / 4;
    clock_condition(&b->left);
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

void brake_free(struct brake *b)
{
    if (b == NULL)
        return;
    pthread_cond_destroy(&b->left);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* When the one who has been inside for the longest time entered. */
static int64_t oldest_us(const struct brake *b)
{
    int64_t oldest = INT64_MAX;
    for (unsigned i = 0; i < b->threads; i++)
        if (b->entered_us[i] != 0 && b->entered_us[i] < oldest)
            oldest = b->entered_us[i];
    return oldest;
}

/* With the lock held: waits for room while those inside may still be healthy. */
static bool wait_for_room(struct brake *b)
{
    while (b->inside >= b->inside_max && !b->stalled) {
        int64_t until_us = oldest_us(b) + STALL_US;
        if (now_us() >= until_us)
            return false;
        struct timespec until = {.tv_sec = until_us / US_PER_S,
                                 .tv_nsec = until_us % US_PER_S * NS_PER_US};
        pthread_cond_timedwait(&b->left, &b->lock, &until);
    }
    return b->inside < b->inside_max && (!b->stalled || b->prober == 0);
}

bool brake_enter(struct brake *b, unsigned thread)
{
    pthread_mutex_lock(&b->lock);
    bool enter = wait_for_room(b);
    if (enter) {
        b->entered_us[thread] = now_us();
        b->inside++;
        if (b->stalled)
            b->prober = thread + 1;
    }
    pthread_mutex_unlock(&b->lock);
    return enter;
}

bool brake_leave(struct brake *b, unsigned thread, enum brake_result result)
{
    pthread_mutex_lock(&b->lock);
    bool slow = now_us() - b->entered_us[thread] > STALL_US;
    bool before = b->stalled;
    if (!slow)
        b->stalled = false; /* even a refused connection is an answer that holds nobody up */
    else if (result == BRAKE_FAILED)
        b->stalled = true;
    if (b->prober == thread + 1)
        b->prober = 0;
    b->entered_us[thread] = 0;
    b->inside--;
    if (b->stalled == before)
        pthread_cond_signal(&b->left); /* room for one */
    else
        pthread_cond_broadcast(&b->left);
    bool noticed = b->stalled && !before;
    pthread_mutex_unlock(&b->lock);
    return noticed;
}
