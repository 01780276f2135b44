/* A marker is made only after its envelope has durably closed. So the markers of a directory are
 * listed first and their envelopes read after that: one that is open then has a wrong marker. */
#include "lib/service/settle/marker_check.h"
#include <stdlib.h>
#include <string.h>

struct marker_batch {
    const struct runtime *runtime;
    struct store *store;
    struct audit_count *out;
    size_t n;
    struct id ids[BATCH_MAX];
    struct envelope_end ends[BATCH_MAX];
    enum err err; /* the first */
};

static bool end_differs(const struct marker_batch *b, size_t i)
{
    const struct envelope_end *end = &b->ends[i];
    enum envelope_state stated =
        marker_state(b->runtime->markers, b->runtime->generation, &b->ids[i]);
    if (stated == STATE_OPEN)
        return false; /* removed meanwhile */
    return !end->exists || end->state != stated || end->to_kind != TO_ANYONE;
}

static void batch_check(struct marker_batch *b)
{
    if (b->n > 0 && b->err == ERR_OK)
        b->err = b->store->ops->envelope_ends(b->store, b->ids, b->n, b->ends);
    for (size_t i = 0; i < b->n && b->err == ERR_OK; i++) {
        b->out->rows++;
        if (!end_differs(b, i))
            continue;
        if (b->out->violations++ == 0)
            id_format(b->out->example, &b->ids[i]);
    }
    b->n = 0;
}

static void batch_add(void *context, const struct id *id)
{
    struct marker_batch *b = context;
    b->ids[b->n++] = *id;
    if (b->n == BATCH_MAX)
        batch_check(b);
}

enum err marker_check(const struct runtime *runtime, struct store *store, struct audit_count *out)
{
    memset(out, 0, sizeof *out);
    struct marker_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return ERR_FAULT;
    *b = (struct marker_batch){.runtime = runtime, .store = store, .out = out};
    for (unsigned shard = 0; shard < MARKER_SHARDS && b->err == ERR_OK; shard++)
        markers_each(runtime->markers, runtime->generation, shard, batch_add, b);
    batch_check(b);
    enum err err = b->err;
    if (err != ERR_OK)
        store->ops->rollback(store);
    free(b);
    return err;
}
