/* Publish a durable close to every layer in front of the database: the marker in front of the web
 * server, and the gate. Every failure is harmless: the next layer answers. */
#ifndef HONGBAO_SERVICE_COMMON_PUBLISH_H
#define HONGBAO_SERVICE_COMMON_PUBLISH_H

#include "lib/service/common/runtime.h"

/* Publish that this process has closed es[0..n) and committed it. Write markers and final gates,
 * and a hint with the new version for readers; the caller flushes cache. cache may be NULL: markers
 * only. */
void publish_closed(const struct runtime *runtime, struct cache *cache,
                    const struct envelope *const *es, size_t n);

/* Publish the same of e, which another process closed: this one has completed a commit of its own
 * that began after reading e. The version read may be old already, so the hint
 * replaces none. cache as above. */
void publish_read_close(const struct runtime *runtime, struct cache *cache,
                        const struct envelope *e);

/* Return true if the envelope of c needs no marker, or has it. */
bool publish_has_marker(const struct runtime *runtime, const struct closing *c);

/* Create the marker of c, whose close is durable as above, if it is missing: the process that
 * closed it may have died before it did so. */
void publish_missing_marker(const struct runtime *runtime, const struct closing *c);

#endif
