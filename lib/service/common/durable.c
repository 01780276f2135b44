#include "lib/service/common/durable.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096

/* A bounded table; a newcomer takes the place of whoever was there. */
struct slot {
    struct id id;
    int64_t version;
};

struct durable {
    const struct runtime *runtime;
    pthread_mutex_t lock;
    pthread_cond_t finished_changed;
    bool running;
    uint64_t started, finished; /* number of the last barrier begun, and of the last that held */
    struct slot slots[SLOTS];
};

struct durable *durable_new(const struct runtime *runtime)
{
    struct durable *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->runtime = runtime;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->finished_changed, NULL);
    return d;
}

void durable_free(struct durable *d)
{
    if (d == NULL)
        return;
    pthread_cond_destroy(&d->finished_changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static struct slot *slot_of(struct durable *d, const struct id *id)
{
    return &d->slots[id_slot(id, SLOTS)];
}

static void remember(struct slot *slot, const struct id *id, int64_t version)
{
    bool same = id_compare(&slot->id, id) == 0;
    if (!same || slot->version < version)
        *slot = (struct slot){.id = *id, .version = version};
}

/* Runs one barrier. Called and returns with the lock held. */
static enum err run_barrier(struct durable *d, struct store *store)
{
    d->running = true;
    uint64_t mine = ++d->started;
    pthread_mutex_unlock(&d->lock);
    enum err err = store->ops->barrier(store);
    if (err != ERR_OK)
        store->ops->rollback(store);
    metrics_add(d->runtime->metrics, METRIC_BARRIERS, 1);
    pthread_mutex_lock(&d->lock);
    d->running = false;
    if (err == ERR_OK)
        d->finished = mine;
    pthread_cond_broadcast(&d->finished_changed);
    return err;
}

enum err durable_wait(struct durable *d, struct store *store, const struct id *id, int64_t version)
{
    enum err err = ERR_OK;
    pthread_mutex_lock(&d->lock);
    struct slot *slot = slot_of(d, id);
    if (id_compare(&slot->id, id) != 0 || slot->version < version) {
        uint64_t need = d->started + 1; /* one that begins after what was read */
        while (err == ERR_OK && d->finished < need) {
            if (!d->running)
                err = run_barrier(d, store);
            else
                pthread_cond_wait(&d->finished_changed, &d->lock);
        }
        if (err == ERR_OK)
            remember(slot, id, version);
    }
    pthread_mutex_unlock(&d->lock);
    return err;
}
