#include "lib/service/common/batch.h"
#include "lib/store/store.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LEADERS_MAX 4
#define US_PER_S 1000000

enum entry_state { ENTRY_QUEUED, ENTRY_RUNNING, ENTRY_DONE };

/* What one caller waits for. Held by the queue or the batch that runs it, and by the caller until
 * he leaves; the last holder frees it, so a caller may leave at his deadline while it is being run.
 */
struct batch_entry {
    int64_t deadline_us;
    enum entry_state state;
    unsigned holders;
    pthread_cond_t changed;
    struct batch_entry *next;
    size_t n;
    void *items[];
};

struct batch {
    struct batch_settings settings;
    const struct clock *clock;
    struct metrics *metrics;
    pthread_mutex_t lock;
    struct batch_entry *head, *tail;
    bool running[LEADERS_MAX];
    bool breaker_counted[LEADERS_MAX];
    int64_t started_us[LEADERS_MAX];
};

static int64_t now_us(const struct batch *b)
{
    return b->clock->mono_us(b->clock->self);
}

struct batch *batch_new(const struct batch_settings *settings, const struct clock *clock,
                        struct metrics *metrics)
{
    assert(settings->leaders >= 1 && settings->leaders <= LEADERS_MAX);
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->settings = *settings;
    b->clock = clock;
    b->metrics = metrics;
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

void batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    assert(b->head == NULL);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static struct batch_entry *entry_new(void **items, size_t n, int64_t deadline_us)
{
    assert(n >= 1 && n <= BATCH_MAX);
    struct batch_entry *e = calloc(1, sizeof *e + n * sizeof e->items[0]);
    if (e == NULL)
        return NULL;
    memcpy(e->items, items, n * sizeof items[0]);
    e->n = n;
    e->deadline_us = deadline_us;
    e->state = ENTRY_QUEUED;
    e->holders = 2;
    clock_condition(&e->changed);
    return e;
}

/* With b->lock held. */
static void entry_let_go(struct batch *b, struct batch_entry *e)
{
    assert(e->holders > 0);
    if (--e->holders > 0)
        return;
    for (size_t i = 0; i < e->n; i++)
        b->settings.release(e->items[i]);
    pthread_cond_destroy(&e->changed);
    free(e);
}

static void queue_push(struct batch *b, struct batch_entry *e)
{
    if (b->tail == NULL)
        b->head = e;
    else
        b->tail->next = e;
    b->tail = e;
}

static void queue_remove(struct batch *b, struct batch_entry *e)
{
    struct batch_entry *previous = NULL;
    for (struct batch_entry *at = b->head; at != e; at = at->next)
        previous = at;
    if (previous == NULL)
        b->head = e->next;
    else
        previous->next = e->next;
    if (b->tail == e)
        b->tail = previous;
    e->next = NULL;
}

/* The slot of a leader that nobody uses, or LEADERS_MAX. */
static unsigned slot_find(const struct batch *b)
{
    for (unsigned i = 0; i < b->settings.leaders; i++)
        if (!b->running[i])
            return i;
    return LEADERS_MAX;
}

/* True while a batch has been running for longer than the breaker allows: the store has stalled,
 * and nobody shall wait behind it. It closes by itself when that batch comes back. */
static bool breaker_open(struct batch *b)
{
    int64_t now = now_us(b);
    for (unsigned i = 0; i < b->settings.leaders; i++) {
        if (!b->running[i] || now - b->started_us[i] <= b->settings.breaker_us)
            continue;
        if (!b->breaker_counted[i])
            metrics_add(b->metrics, METRIC_DATABASE_STALLS, 1);
        b->breaker_counted[i] = true;
        return true;
    }
    return false;
}

/* Takes what has waited longest, as far as it fits into one batch. Returns how many entries. */
static size_t take_entries(struct batch *b, struct batch_entry **taken, int64_t *deadline_us)
{
    size_t n = 0, members = 0;
    *deadline_us = INT64_MAX;
    while (b->head != NULL && members + b->head->n <= BATCH_MAX) {
        struct batch_entry *e = b->head;
        queue_remove(b, e);
        e->state = ENTRY_RUNNING;
        if (e->deadline_us < *deadline_us)
            *deadline_us = e->deadline_us;
        members += e->n;
        taken[n++] = e;
    }
    return n;
}

static size_t gather_members(struct batch_entry *const *taken, size_t entries, void **members)
{
    size_t n = 0;
    for (size_t i = 0; i < entries; i++)
        for (size_t k = 0; k < taken[i]->n; k++)
            members[n++] = taken[i]->items[k];
    return n;
}

/* Runs one batch as leader of slot. Called and returns with the lock held; drops it in between. */
static void lead(struct batch *b, unsigned slot)
{
    struct batch_entry *taken[BATCH_MAX];
    void *members[BATCH_MAX];
    int64_t deadline_us;
    size_t entries = take_entries(b, taken, &deadline_us);
    size_t n = gather_members(taken, entries, members);
    b->running[slot] = true;
    b->breaker_counted[slot] = false;
    b->started_us[slot] = now_us(b);
    pthread_mutex_unlock(&b->lock);

    metrics_batch(b->metrics, b->settings.kind, (unsigned)n);
    b->settings.run(b->settings.context, slot, members, n, deadline_us);

    pthread_mutex_lock(&b->lock);
    b->running[slot] = false;
    for (size_t i = 0; i < entries; i++) {
        taken[i]->state = ENTRY_DONE;
        pthread_cond_signal(&taken[i]->changed);
        entry_let_go(b, taken[i]);
    }
    if (b->head != NULL)
        pthread_cond_signal(&b->head->changed);
}

/* Waits for a change of e, at most until its deadline or until a running batch would open the
 * breaker. */
static void wait_for_change(struct batch *b, struct batch_entry *e)
{
    int64_t until_us = e->deadline_us;
    for (unsigned i = 0; e->state == ENTRY_QUEUED && i < b->settings.leaders; i++)
        if (b->running[i] && b->started_us[i] + b->settings.breaker_us + 1 < until_us)
            until_us = b->started_us[i] + b->settings.breaker_us + 1;
    struct timespec until = {.tv_sec = until_us / US_PER_S,
                             .tv_nsec = (until_us % US_PER_S) * 1000};
    pthread_cond_timedwait(&e->changed, &b->lock, &until);
}

/* With the lock held: ERR_OK when e is done, ERR_UNAVAILABLE when the caller has to leave. */
static enum err wait_done(struct batch *b, struct batch_entry *e)
{
    while (e->state != ENTRY_DONE) {
        unsigned slot = slot_find(b);
        bool late = now_us(b) >= e->deadline_us;
        if (e->state == ENTRY_QUEUED && (late || breaker_open(b))) {
            queue_remove(b, e);
            entry_let_go(b, e);
            return ERR_UNAVAILABLE;
        }
        if (late)
            return ERR_UNAVAILABLE;
        if (e->state == ENTRY_QUEUED && slot < LEADERS_MAX)
            lead(b, slot);
        else
            wait_for_change(b, e);
    }
    return ERR_OK;
}

enum err batch_submit(struct batch *b, void **items, size_t n, int64_t deadline_us,
                      struct batch_entry **entry)
{
    *entry = NULL;
    struct batch_entry *e = entry_new(items, n, deadline_us);
    if (e == NULL) {
        for (size_t i = 0; i < n; i++)
            b->settings.release(items[i]);
        return ERR_FAULT;
    }
    pthread_mutex_lock(&b->lock);
    queue_push(b, e);
    enum err err = wait_done(b, e);
    if (err == ERR_OK)
        *entry = e;
    else /* his own hold; NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the batch had another */
        entry_let_go(b, e);
    pthread_mutex_unlock(&b->lock);
    return err;
}

void batch_release(struct batch *b, struct batch_entry *entry)
{
    pthread_mutex_lock(&b->lock);
    entry_let_go(b, entry);
    pthread_mutex_unlock(&b->lock);
}
