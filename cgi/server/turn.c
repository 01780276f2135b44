#include "cgi/server/turn.h"
#include "lib/base/clock.h"
#include <time.h>

/* Longer than a burst takes on a healthy machine, shorter than anybody notices. */
#define HELD_UP_US 20000
#define US_PER_S 1000000
#define NS_PER_US 1000

static int64_t now_us(void)
{
    return clock_system.mono_us(clock_system.self);
}

void turn_init(struct turn *t)
{
    *t = (struct turn){.taken = false};
    clock_condition(&t->changed);
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->queue, NULL);
}

void turn_destroy(struct turn *t)
{
    pthread_mutex_destroy(&t->queue);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->changed);
}

/* With the lock held. While the owner waits for connections the watcher sleeps, so that an idle
 * process is idle; while the owner works it looks now and then, so that no burst has to wake it. */
static void watch(struct turn *t)
{
    while (t->taken && !t->ended) {
        if (t->busy_since_us == 0) {
            t->watcher_sleeps = true;
            pthread_cond_wait(&t->changed, &t->lock);
            t->watcher_sleeps = false;
            continue;
        }
        int64_t until_us = t->busy_since_us + HELD_UP_US;
        if (now_us() >= until_us)
            return;
        struct timespec until = {.tv_sec = until_us / US_PER_S,
                                 .tv_nsec = until_us % US_PER_S * NS_PER_US};
        pthread_cond_timedwait(&t->changed, &t->lock, &until);
    }
}

bool turn_take(struct turn *t, unsigned who)
{
    pthread_mutex_lock(&t->queue);
    pthread_mutex_lock(&t->lock);
    watch(t);
    bool mine = !t->ended;
    if (mine) {
        t->taken = true;
        t->owner = who;
        t->busy_since_us = 0;
    }
    pthread_mutex_unlock(&t->lock);
    pthread_mutex_unlock(&t->queue);
    return mine;
}

void turn_busy(struct turn *t)
{
    pthread_mutex_lock(&t->lock);
    t->busy_since_us = now_us();
    if (t->watcher_sleeps)
        pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

bool turn_keep(struct turn *t, unsigned who)
{
    pthread_mutex_lock(&t->lock);
    bool mine = t->owner == who;
    if (mine)
        t->busy_since_us = 0;
    pthread_mutex_unlock(&t->lock);
    return mine;
}

void turn_end(struct turn *t)
{
    pthread_mutex_lock(&t->lock);
    t->ended = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
}
