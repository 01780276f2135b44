/* One batch of sends as one transaction: lock the senders' accounts in order, give back what known
 * keys made, decide about money in memory, store, commit, fill the cache. An idempotency key
 * belongs to its sender, so the account's lock is the key's lock too. */
#ifndef HONGBAO_SERVICE_SEND_SEND_BATCH_H
#define HONGBAO_SERVICE_SEND_SEND_BATCH_H

#include "lib/service/common/batched.h"

/* A copy of one request, since the caller may leave before it is run. */
struct send_job {
    struct batched_job base; /* first; err ERR_OK: draft is the answer */
    char user[USER_SIZE], name[NAME_SIZE];
    uint8_t key_hash[32], body_hash[32];
    /* in: mode, total, shares, greeting and recipients of the request; out: the envelope as it was
     * when it was made, without its seed */
    struct envelope draft;
    enum err refused;
    bool count_open;    /* in: count the sender's open envelopes */
    bool too_many_open; /* out: why base.err is ERR_LIMIT_EXCEEDED; else it is the day's total */
    int64_t expires_in_s;
    bool has_expires_in, has_greeting;
    char greeting_sent[GREETING_SIZE];
    bool made;       /* out: by this run, not by an earlier one */
    bool replayed;   /* out: by an earlier request */
    struct id tried; /* what a run before this one made, if its commit got no reply */
};

/* Create the resources of a leader that uses session; as leader_new of batched_ops. */
void *send_batch_new(const struct runtime *runtime, struct session *session);

/* Free them; as leader_free of batched_ops. */
void send_batch_free(void *batch);

/* Run jobs[0..n), distinct by key, as one transaction; nowait: do not wait for locked
 * rows. As run of batched_ops. After the commit, add
 * the gates and envelope items of what was made to the cache. */
enum err send_batch_run(void *batch, void **jobs, size_t n, bool nowait);

/* Turn ERR_LOCKED of jobs[0..n) into ERR_IDEMPOTENCY_IN_PROGRESS where another transaction is
 * working on the job's very key; as finish of batched_ops. */
void send_batch_finish(void *batch, void **jobs, size_t n);

#endif
