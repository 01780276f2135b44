/* One batch of opens as one transaction: lock the envelopes in order, give back earlier claims,
 * draw, store, commit. */
#ifndef HONGBAO_SERVICE_OPEN_OPEN_BATCH_H
#define HONGBAO_SERVICE_OPEN_OPEN_BATCH_H

#include "lib/service/common/runtime.h"

/* One user at one envelope; distinct within a batch. */
struct open_work {
    struct id id;
    const struct who *who;
    bool lapsed;  /* his ticket is genuine but too old: only an earlier claim or the end is answered
                   */
    enum err err; /* out; ERR_OK: answer is set */
    struct open_answer answer;
    int64_t expires_us; /* out, with an opened answer: of the envelope */
    bool must_close;    /* out: past due, and whoever answers has to close it first */
};

struct open_batch;                                                /* the resources of one leader */
struct open_batch *open_batch_new(const struct runtime *runtime); /* NULL: no memory */
void open_batch_free(struct open_batch *b);
/* As retry_ops.run; rows are struct open_work *, in order of arrival. After the commit the cache
 * is told who opened, and gates and markers of envelopes that closed say so. */
enum err open_batch_run(void *batch, void **rows, size_t n, bool nowait);
/* The leader's own sessions, for what follows the batch. */
struct store *open_batch_store(struct open_batch *b);
struct cache *open_batch_cache(struct open_batch *b);

#endif
