/* Who has opened an envelope, as far as a process has seen: so that a watcher who has not opened it
 * is told so without the database, however many claims there are. A bounded table; safe for
 * threads. Only the bytes of a hash are kept of each: a wrong match costs a question. */
#ifndef HONGBAO_SERVICE_LOOK_CLAIMER_SET_H
#define HONGBAO_SERVICE_LOOK_CLAIMER_SET_H

#include "lib/domain/views.h"

#define CLAIMER_SET_MAX 4096 /* of one envelope; it is not worth it beyond */

struct claimer_set;
struct claimer_set *claimer_set_new(void); /* NULL: no memory */
void claimer_set_free(struct claimer_set *c);
/* The first so many claims of the envelope, in the order of seq, are known. */
int64_t claimer_set_known(struct claimer_set *c, const struct id *id);
/* Adds what is new of n claims, which are durable, and in the order of seq without a gap. Without
 * effect where those before them are not known. */
void claimer_set_add(struct claimer_set *c, const struct id *id, const struct claim *claims,
                     size_t n);
void claimer_set_forget(struct claimer_set *c, const struct id *id);
/* True: none of the first `opened` claims is the user's. False: one may be, or not all are known.
 */
bool claimer_set_without(struct claimer_set *c, const struct id *id, int64_t opened,
                         const char *user);

#endif
