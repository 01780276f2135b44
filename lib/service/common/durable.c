/* Durability. InnoDB shows a commit to others before it is on disk. The log is flushed in order, so
 * a commit of our own that begins after a read makes durable whatever was read. */
#include "lib/service/common/durable.h"
#include <pthread.h>
#include <stdlib.h>

#define ENTRIES 4096

/* A new entry evicts the one in its place. */
struct durable_entry {
    struct id id;
    int64_t version;
};

struct durable {
    const struct runtime *runtime;
    pthread_mutex_t lock;
    pthread_cond_t finished_changed;
    bool running;
    uint64_t started, finished; /* number of the last barrier begun, and of the last committed */
    struct durable_entry entries[ENTRIES];
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

static struct durable_entry *durable_entry_of(struct durable *d, const struct id *id)
{
    return &d->entries[id_slot(id, ENTRIES)];
}

static void durable_remember(struct durable_entry *entry, const struct id *id, int64_t version)
{
    bool same = id_compare(&entry->id, id) == 0;
    if (!same || entry->version < version)
        *entry = (struct durable_entry){.id = *id, .version = version};
}

/* Run one barrier. Called and returns with the lock held; releases it in between. */
static enum err durable_run_barrier(struct durable *d, struct store *store)
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
    struct durable_entry *entry = durable_entry_of(d, id);
    if (id_compare(&entry->id, id) != 0 || entry->version < version) {
        uint64_t need = d->started + 1; /* one that begins after what was read */
        while (err == ERR_OK && d->finished < need) {
            if (!d->running)
                err = durable_run_barrier(d, store);
            else
                pthread_cond_wait(&d->finished_changed, &d->lock);
        }
        if (err == ERR_OK)
            durable_remember(entry, id, version);
    }
    pthread_mutex_unlock(&d->lock);
    return err;
}
