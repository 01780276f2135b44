/* Durable before visible: an answer that rests on rows other processes committed waits here for a
 * commit of this process that began after they were read. Threads that wait together share one. */
#ifndef HONGBAO_SERVICE_COMMON_DURABLE_H
#define HONGBAO_SERVICE_COMMON_DURABLE_H

#include "lib/service/common/runtime.h"

struct durable;
struct durable *durable_new(const struct runtime *runtime); /* NULL: no memory */
void durable_free(struct durable *d);
/* All that this thread read before the call is durable when ERR_OK comes back. (id, version) says
 * what was read: a version found durable once is remembered, and nothing older asks again. store is
 * the caller's own session, outside a transaction. */
MUST_USE enum err durable_wait(struct durable *d, struct store *store, const struct id *id,
                               int64_t version);

#endif
