/* Admission: whether a user may try for a share of an envelope. Grabs and claims pass it alike; it
 * is answered from the cache wherever possible, and the primary is asked under a cap. */
#ifndef HONGBAO_SERVICE_GRAB_ADMISSION_H
#define HONGBAO_SERVICE_GRAB_ADMISSION_H

#include "lib/service/common/session_pool.h"
#include "lib/service/grab/grab_batch.h"

struct admission;

/* Create it. At most a quarter of `waiters` threads, but one at least, ask the primary at once.
 * Callers with a number below `acceptors` have memory of their own. runtime and sessions must
 * outlive it. Return NULL if out of memory. */
struct admission *admission_new(const struct runtime *runtime, struct session_pool *sessions,
                                unsigned waiters, unsigned acceptors);

/* Free a. No call may be in progress. a may be NULL. */
void admission_free(struct admission *a);

/* Decide what the process and the cache alone can decide of jobs[0..n), 1 <= n <= BATCH_MAX, in a
 * fixed number of round trips to the cache, whatever n is. Of each job the identity, id and claim
 * are set, and all else is zero. deferred[i] false: jobs[i] is decided, as after admission_wait;
 * true: it is not, and admission_wait has to. acceptor: no two calls with the same number below
 * `acceptors` of admission_new overlap; any other number may be used by several threads. */
void admission_now(struct admission *a, unsigned acceptor, struct grab_job **jobs, size_t n,
                   bool *deferred);

/* Decide a job that admission_now has deferred, with the primary's help. Its outcome is then
 * GRAB_ANSWERED or GRAB_WON with an answer, or GRAB_REFUSED with err: ERR_NOT_FOUND,
 * ERR_NOT_RECIPIENT, ERR_RATE_LIMITED (never for an envelope known to have closed, but for a claim
 * that may still be given an earlier share), ERR_UNAVAILABLE, ERR_FAULT. Wait no longer than until
 * deadline_us (monotonic). Thread-safe. */
void admission_wait(struct admission *a, struct grab_job *job, int64_t deadline_us);

/* Return true if job is decided and its user may try for a share, or has one already. */
bool admission_granted(const struct grab_job *job);

/* Write the user's item of job, a claim that was admitted but could not be opened, so that its
 * repeat takes no second share of the gate. Thread-safe. */
void admission_keep(struct admission *a, const struct grab_job *job);

#endif
