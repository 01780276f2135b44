/* One batch of opens as one transaction: lock the envelopes in order, give back earlier claims,
 * draw, store, commit; then publish what is durable. */
#ifndef HONGBAO_SERVICE_OPEN_OPEN_BATCH_H
#define HONGBAO_SERVICE_OPEN_OPEN_BATCH_H

#include "lib/service/common/batched.h"

/* One user at one envelope. A copy of the request, since the caller may leave before it is run. */
struct open_job {
    struct batched_job base; /* first; err ERR_OK: answer is set */
    struct id id;
    char user[USER_SIZE], name[NAME_SIZE];
    size_t n_groups;
    const char (*groups)[GROUP_SIZE]; /* live as long as the job */
    bool lapsed;  /* the ticket is genuine but too old: only an earlier claim or the end is answered
                   */
    bool claimed; /* the user is thought to have a claim */
    struct open_answer answer; /* out */
    bool replayed;             /* out: answer is a claim that an earlier request made */
    int64_t drawn_us;   /* when a run before this one made a claim for the job; 0: none did */
    int64_t expires_us; /* out, with an opened answer: of the envelope */
    bool must_close;    /* out, err ERR_OK: past due, and to be closed before answering */
};

/* The resources of one leader. */
struct open_batch;

/* Create the resources of a leader that uses session; as leader_new of batched_ops. */
void *open_batch_new(const struct runtime *runtime, struct session *session);

/* Free them; as leader_free of batched_ops. */
void open_batch_free(void *batch);

/* Run jobs[0..n), distinct by user and envelope, as one transaction; nowait: do not
 * wait for locked rows. As run of batched_ops. After the commit, write the claims to the cache, and
 * publish envelopes that have closed. */
enum err open_batch_run(void *batch, void **jobs, size_t n, bool nowait);

/* Close the envelopes of those of jobs[0..n) that found them past due, and answer with the stored
 * end; as finish of batched_ops. */
void open_batch_finish(void *batch, void **jobs, size_t n);

#endif
