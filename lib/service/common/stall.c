/* Stall detector. A request that hangs is recognised by the time it has spent inside, not by its
 * end: the client library's time-outs are whole seconds, and by then every thread would be stuck
 * behind it. Probing with one use at a time finds the end of a stall without filling the process
 * with requests that hang again. */
#include "lib/service/common/stall.h"
#include "lib/base/log.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define NO_SLOT (-1)

struct stall_slot {
    bool inside;
    bool hung; /* this use has been seen to hang; reported once */
    int64_t entered_us;
};

struct stall {
    const struct clock *clock;
    struct metrics *metrics;
    pthread_mutex_t lock;
    pthread_cond_t left; /* a shared slot became free, or the state changed */
    bool stalled;        /* only probes may enter */
    bool reported;       /* database_stalled was logged and no use has been fast since */
    int probe;           /* the slot that probes, or NO_SLOT */
    unsigned leaders, n; /* slots of leaders, and of all */
    struct stall_slot slots[];
};

/* What a call has to log once it has released the lock. */
enum stall_change { STALL_UNCHANGED, STALL_BEGAN, STALL_ENDED };

struct stall *stall_new(const struct clock *clock, struct metrics *metrics, unsigned leaders,
                        unsigned shared)
{
    assert(leaders + shared >= 1);
    struct stall *s = calloc(1, sizeof *s + (leaders + shared) * sizeof s->slots[0]);
    if (s == NULL)
        return NULL;
    s->clock = clock;
    s->metrics = metrics;
    s->leaders = leaders;
    s->n = leaders + shared;
    s->probe = NO_SLOT;
    clock_condition(&s->left);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void stall_free(struct stall *s)
{
    if (s == NULL)
        return;
    pthread_cond_destroy(&s->left);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static int64_t stall_now_us(const struct stall *s)
{
    return s->clock->mono_us(s->clock->self);
}

static enum stall_change stall_begin(struct stall *s)
{
    bool new = !s->reported;
    s->reported = true;
    return new ? STALL_BEGAN : STALL_UNCHANGED;
}

static void stall_report(struct stall *s, enum stall_change change)
{
    if (change == STALL_UNCHANGED)
        return;
    if (change == STALL_BEGAN)
        metrics_add(s->metrics, METRIC_DATABASE_STALLS, 1);
    log_event(change == STALL_BEGAN ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
              change == STALL_BEGAN ? "database_stalled" : "database_recovered",
              change == STALL_BEGAN ? "no answer within %d ms" : "an answer within %d ms",
              (int)(STALL_US / 1000));
}

/* Return the slot of slots[from..to) that was entered first, or NO_SLOT if none is occupied. */
static int stall_oldest(const struct stall *s, unsigned from, unsigned to)
{
    int oldest = NO_SLOT;
    for (unsigned i = from; i < to; i++)
        if (s->slots[i].inside &&
            (oldest == NO_SLOT || s->slots[i].entered_us < s->slots[oldest].entered_us))
            oldest = (int)i;
    return oldest;
}

static int stall_free_slot(const struct stall *s)
{
    for (unsigned i = s->leaders; i < s->n; i++)
        if (!s->slots[i].inside)
            return (int)i;
    return NO_SLOT;
}

/* Return true if slot has been inside for longer than STALL_US. A slot that hangs is reported once.
 */
static bool stall_hangs(struct stall *s, int slot, enum stall_change *change)
{
    struct stall_slot *at = &s->slots[slot];
    if (stall_now_us(s) - at->entered_us <= STALL_US)
        return false;
    if (!at->hung)
        *change = stall_begin(s);
    at->hung = true;
    return true;
}

static bool stall_may_enter(const struct stall *s)
{
    return !s->stalled || s->probe == NO_SLOT;
}

static void stall_occupy(struct stall *s, int slot)
{
    s->slots[slot] = (struct stall_slot){.inside = true, .entered_us = stall_now_us(s)};
    if (s->stalled)
        s->probe = slot;
}

/* Wait until a shared slot is free and return it; NO_SLOT if all those inside may hang. */
static int stall_wait_for_room(struct stall *s, enum stall_change *change)
{
    int slot;
    while ((slot = stall_free_slot(s)) == NO_SLOT && s->n > s->leaders && !s->stalled) {
        int oldest = stall_oldest(s, s->leaders, s->n);
        if (stall_hangs(s, oldest, change))
            return NO_SLOT;
        int64_t until_us = s->slots[oldest].entered_us + STALL_US + 1;
        struct timespec until = {.tv_sec = until_us / US_PER_S,
                                 .tv_nsec = until_us % US_PER_S * NS_PER_US};
        pthread_cond_timedwait(&s->left, &s->lock, &until);
    }
    return slot;
}

int stall_enter(struct stall *s)
{
    enum stall_change change = STALL_UNCHANGED;
    pthread_mutex_lock(&s->lock);
    int slot = stall_wait_for_room(s, &change);
    if (slot != NO_SLOT && !stall_may_enter(s))
        slot = NO_SLOT;
    if (slot != NO_SLOT)
        stall_occupy(s, slot);
    pthread_mutex_unlock(&s->lock);
    stall_report(s, change);
    return slot;
}

bool stall_enter_leader(struct stall *s, unsigned leader)
{
    pthread_mutex_lock(&s->lock);
    assert(leader < s->leaders && !s->slots[leader].inside);
    bool enter = stall_may_enter(s);
    if (enter)
        stall_occupy(s, (int)leader);
    pthread_mutex_unlock(&s->lock);
    return enter;
}

void stall_leave(struct stall *s, unsigned slot, bool answered)
{
    enum stall_change change = STALL_UNCHANGED;
    pthread_mutex_lock(&s->lock);
    assert(slot < s->n && s->slots[slot].inside);
    bool slow = stall_now_us(s) - s->slots[slot].entered_us > STALL_US;
    bool before = s->stalled;
    if (slow && !answered) {
        s->stalled = true;
        change = stall_begin(s);
    }
    if (!slow) { /* a refused connection is an answer too: it holds no thread */
        s->stalled = false;
        change = s->reported ? STALL_ENDED : STALL_UNCHANGED;
        s->reported = false;
    }
    if (s->probe == (int)slot)
        s->probe = NO_SLOT;
    s->slots[slot].inside = false;
    if (s->stalled == before)
        pthread_cond_signal(&s->left);
    else
        pthread_cond_broadcast(&s->left);
    pthread_mutex_unlock(&s->lock);
    stall_report(s, change);
}

bool stall_blocks_queue(struct stall *s, unsigned leaders, int64_t *until_us)
{
    enum stall_change change = STALL_UNCHANGED;
    pthread_mutex_lock(&s->lock);
    assert(leaders <= s->leaders);
    int oldest = stall_oldest(s, 0, leaders);
    bool blocks = !stall_may_enter(s) || (oldest != NO_SLOT && stall_hangs(s, oldest, &change));
    *until_us = oldest != NO_SLOT ? s->slots[oldest].entered_us + STALL_US + 1 : INT64_MAX;
    pthread_mutex_unlock(&s->lock);
    stall_report(s, change);
    return blocks;
}

bool stall_answered(enum err err)
{
    switch (err_class(err)) {
    case CLASS_OK:
    case CLASS_CLIENT:
    case CLASS_DATA:
        return true;
    case CLASS_RETRY:
        return err != ERR_UNAVAILABLE;
    case CLASS_UNCERTAIN:
    case CLASS_FAULT:
    default:
        return false;
    }
}
