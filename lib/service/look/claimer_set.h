/* Claimer sets: which users have opened an envelope, as far as this process knows. A watcher that
 * has no claim is found to have none without the database, however many claims there are. A bounded
 * table. Only a hash of each user is kept; a collision costs one query. Thread-safe. */
#ifndef HONGBAO_SERVICE_LOOK_CLAIMER_SET_H
#define HONGBAO_SERVICE_LOOK_CLAIMER_SET_H

#include "lib/domain/views.h"

#define CLAIMER_SET_MAX 4096 /* claims of one envelope; beyond that the memory is not worth it */

struct claimer_set;

/* Create an empty table. Return NULL if out of memory. */
struct claimer_set *claimer_set_new(void);

/* Free c. c may be NULL. */
void claimer_set_free(struct claimer_set *c);

/* Return n such that claims 1..n of envelope id are in c. */
int64_t claimer_set_known(struct claimer_set *c, const struct id *id);

/* Add the users of claims[0..n) of envelope id: durable, in the order of seq, without gaps. Those
 * already present are skipped. No effect if claims before them are missing. */
void claimer_set_add(struct claimer_set *c, const struct id *id, const struct claim *claims,
                     size_t n);

/* Drop what is known of envelope id. */
void claimer_set_forget(struct claimer_set *c, const struct id *id);

/* Return true if none of the first `opened` claims of envelope id is user's. False: one may be, or
 * not all of them are known. */
bool claimer_set_without(struct claimer_set *c, const struct id *id, int64_t opened,
                         const char *user);

#endif
