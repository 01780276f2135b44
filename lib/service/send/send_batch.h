/* One batch of sends as one transaction: lock the senders' accounts in order, give back what known
 * keys made, decide about money in memory, store, commit, fill the cache. An idempotency key
 * belongs to its sender, so the account's lock is the key's lock too. */
#ifndef HONGBAO_SERVICE_SEND_SEND_BATCH_H
#define HONGBAO_SERVICE_SEND_SEND_BATCH_H

#include "lib/service/common/runtime.h"

/* One request; keys are distinct within a batch. */
struct send_work {
    char user[USER_SIZE], name[NAME_SIZE];
    uint8_t key_hash[32], body_hash[32];
    struct envelope
        draft; /* mode, total, shares, greeting, to as wished; out: the envelope at birth */
    int64_t expires_in_s;
    enum err err; /* out; ERR_OK: draft is the answer */
    bool made;    /* out: by this run, not by an earlier one */
};

struct send_batch;                                                /* the resources of one leader */
struct send_batch *send_batch_new(const struct runtime *runtime); /* NULL: no memory */
void send_batch_free(struct send_batch *b);
/* As retry_ops.run; rows are struct send_work *, in order of arrival. */
enum err send_batch_run(void *batch, void **rows, size_t n, bool nowait);
struct store *send_batch_store(struct send_batch *b);

#endif
