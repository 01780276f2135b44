/* Markers: files with the final answer of a grab, which the web server finds by the address of the
 * envelope and sends without running a program.
 *
 *   DIR/current -> GENERATION            where the web server looks
 *   DIR/GENERATION/sold_out, expired     the two answers
 *   DIR/GENERATION/b8/ID                 a marker: a hard link to an answer, in one of 256
 *                                        directories named by the last digits of the id
 *
 * A marker exists complete or not at all, after a power failure too: an answer is on disk before
 * anything links to it. Answers are replaced once a day, so that the age of a marker file is, to a
 * day, the age of the marker. Nothing here decides: the caller has made sure that the envelope is
 * durably closed, in this generation, and that its end is no secret. A missing marker costs speed
 * only.
 *
 * Every function takes NULL markers, which means that none are wanted, and does nothing then. All
 * are thread-safe. */
#ifndef HONGBAO_STORE_MARKER_H
#define HONGBAO_STORE_MARKER_H

#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/domain/envelope.h"

#define MARKER_SHARDS 256
#define MARKER_GENERATION_SIZE 33 /* of a generation as text */

struct markers;
/* Return markers in dir, an absolute path of at most 255 bytes; clock must outlive them. Accesses
 * no file. Return NULL if there is no memory or dir is too long. Free with markers_free. */
struct markers *markers_new(const char *dir, const struct clock *clock);
/* Free m; the files stay. */
void markers_free(struct markers *m);

enum marker_result { MARKER_PUT, MARKER_THERE, MARKER_FAILED };
/* Create the marker of envelope id in generation with the answer for state, SOLD_OUT or EXPIRED
 * (asserted). Return MARKER_PUT if it is new, MARKER_THERE if it existed or m is NULL,
 * MARKER_FAILED on an error, which is logged once until a marker can be created again. */
enum marker_result marker_put(struct markers *m, const uint8_t generation[16], const struct id *id,
                              enum envelope_state state);
/* Return true if the marker of envelope id in generation exists or m is NULL. */
bool marker_exists(const struct markers *m, const uint8_t generation[16], const struct id *id);

/* Return the state that the marker of envelope id in generation states: SOLD_OUT or EXPIRED. OPEN
 * if there is none, if it cannot be read, or if m is NULL. */
enum envelope_state marker_state(const struct markers *m, const uint8_t generation[16],
                                 const struct id *id);
/* Remove the marker of envelope id in generation. Return true if it is gone; false, with errno set,
 * on failure. m may not be NULL. */
MUST_USE bool marker_remove(const struct markers *m, const uint8_t generation[16],
                            const struct id *id);

/* ---- the tree; marker_tree.c ---- */
/* Create DIR and the directories of generation where they are missing, owned by the owner of DIR,
 * and make `current` point to it, durably. Return false with errno set and `current` unchanged on
 * failure. */
MUST_USE bool markers_switch(const struct markers *m, const uint8_t generation[16]);
/* Remove `current`, durably, so that the web server finds no marker. Return false with errno set on
 * failure. */
MUST_USE bool markers_retire(const struct markers *m);
/* Call each(context, id) for every marker of generation in directory shard, 0..MARKER_SHARDS-1. */
void markers_each(const struct markers *m, const uint8_t generation[16], unsigned shard,
                  void (*each)(void *context, const struct id *id), void *context);
/* Copy the generation that `current` points to into out, in hex; "" if there is none. */
void markers_current(const struct markers *m, char out[MARKER_GENERATION_SIZE]);
/* Perform one step of the clean-up, some milliseconds long: remove markers of generation created
 * more than a day before before_us (UTC), beginning with directory *shard, which advances and wraps
 * around, and some files of other generations unless `current` points to them. Return the number of
 * markers removed. */
size_t markers_sweep(const struct markers *m, const uint8_t generation[16], int64_t before_us,
                     unsigned *shard);

#endif
