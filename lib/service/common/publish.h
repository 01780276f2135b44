/* Whoever knows that an envelope has durably closed tells the nets in front of the database: the
 * marker in front of the web server, and the gate. Every failure is harmless: the next net answers.
 */
#ifndef HONGBAO_SERVICE_COMMON_PUBLISH_H
#define HONGBAO_SERVICE_COMMON_PUBLISH_H

#include "lib/service/common/runtime.h"

/* es[0..n) have closed, and this process committed that itself, or waited for a commit of its own
 * that began after they were read. cache may be NULL; readers are told by a hint, whose flush is
 * the caller's. */
void publish_closed(const struct runtime *runtime, struct cache *cache,
                    const struct envelope *const *es, size_t n);

/* Has it its marker, if it is to have one? */
bool publish_has_marker(const struct runtime *runtime, const struct closing *c);
/* Puts the marker that whoever closed it did not; c is durable as above. */
void publish_missing_marker(const struct runtime *runtime, const struct closing *c);

#endif
