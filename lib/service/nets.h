/* Whoever knows that an envelope has durably closed tells the nets in front of the database: the
 * marker in front of the web server, and the gate. Every failure is harmless: the next net answers.
 */
#ifndef HONGBAO_SERVICE_NETS_H
#define HONGBAO_SERVICE_NETS_H

#include "lib/service/env.h"

/* es[0..n) have closed, and this process committed that itself, or waited for a commit of its own
 * that began after they were read. cache may be NULL; readers are told by a hint, whose flush is
 * the caller's. */
void nets_close(const struct env *env, struct cache *cache, const struct envelope *const *es,
                size_t n);

/* Has it its marker, if it is to have one? */
bool nets_marked(const struct env *env, const struct closing *c);
/* Puts the marker that whoever closed it did not; c is durable as above. */
void nets_mend(const struct env *env, const struct closing *c);

#endif
