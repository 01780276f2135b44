/* Publish a durable close to every layer in front of the database: the marker in front of the web
 * server, and the gate. Every failure is harmless: the next layer answers. */
#ifndef HONGBAO_SERVICE_COMMON_PUBLISH_H
#define HONGBAO_SERVICE_COMMON_PUBLISH_H

#include "lib/service/common/runtime.h"

/* Publish that es[0..n) have closed. Their close must be durable: this process committed it, or has
 * completed a commit of its own that began after reading it. Write markers and final gates, and a
 * hint with the new version for readers; the caller flushes cache. cache may be NULL: markers
 * only. */
void publish_closed(const struct runtime *runtime, struct cache *cache,
                    const struct envelope *const *es, size_t n);

/* Return true if the envelope of c needs no marker, or has it. */
bool publish_has_marker(const struct runtime *runtime, const struct closing *c);

/* Create the marker of c, whose close is durable as above, if it is missing: the process that
 * closed it may have died before it did so. */
void publish_missing_marker(const struct runtime *runtime, const struct closing *c);

#endif
