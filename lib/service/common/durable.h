/* Durable before visible: an answer that rests on rows which other processes committed waits here
 * for a commit of this process that began after they were read. Threads that wait at the same time
 * share one. Thread-safe. */
#ifndef HONGBAO_SERVICE_COMMON_DURABLE_H
#define HONGBAO_SERVICE_COMMON_DURABLE_H

#include "lib/service/common/runtime.h"

struct durable;

/* Create the table of versions known to be durable. runtime must outlive it. Return NULL if out of
 * memory. */
struct durable *durable_new(const struct runtime *runtime);

/* Free d, which no thread may be using. d may be NULL. */
void durable_free(struct durable *d);

/* Wait until everything that this thread read before the call is durable, and return ERR_OK. id and
 * version name what was read: a version found durable once is remembered, and neither it nor an
 * older one waits again. store is the caller's session, with no transaction open. On an error of
 * the barrier, return it: nothing is known about what was read. */
MUST_USE enum err durable_wait(struct durable *d, struct store *store, const struct id *id,
                               int64_t version);

#endif
