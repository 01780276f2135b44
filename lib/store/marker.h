/* Markers: files with the final answer of a grab, which the web server finds by the address of the
 * envelope and gives to whoever grabs it, without asking a program.
 *
 *   DIR/current -> GENERATION            where the web server looks
 *   DIR/GENERATION/sold_out, expired     the two answers
 *   DIR/GENERATION/b8/ID                 a marker: a hard link to an answer, in one of 256
 *                                        directories named by the last digits of the id
 *
 * A marker is there whole or not at all, after a power cut too: an answer is on the disk before
 * anything links to it. Answers are replaced once a day, so that the age of the file is that of the
 * marker, to a day. Nothing here decides: whoever puts a marker knows that the envelope is durably
 * closed, in this generation, and that its end is no secret. A missing marker costs speed only.
 *
 * Every function takes NULL for "no markers wanted", and does nothing. Thread-safe. */
#ifndef HONGBAO_STORE_MARKER_H
#define HONGBAO_STORE_MARKER_H

#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/domain/envelope.h"

#define MARKER_SHARDS 256
#define MARKER_GENERATION_SIZE 33 /* of a generation as text */

struct markers;
/* dir: an absolute path of at most 255 bytes. Touches no file. NULL: no memory. */
struct markers *markers_new(const char *dir, const struct clock *clock);
void markers_free(struct markers *m);

enum marker_result { MARKER_PUT, MARKER_THERE, MARKER_FAILED };
/* state: SOLD_OUT or EXPIRED. Failed: the reason is logged, once until it works again. */
enum marker_result marker_put(struct markers *m, const uint8_t generation[16], const struct id *id,
                              enum envelope_state state);
bool marker_exists(const struct markers *m, const uint8_t generation[16], const struct id *id);

/* ---- the tree; marker_tree.c ---- */
/* Makes DIR and the directories of the generation where they are missing, owned by the owner of
 * DIR, and lets `current` name it, durably. False: errno says why; `current` is what it was. */
MUST_USE bool markers_switch(const struct markers *m, const uint8_t generation[16]);
/* Takes `current` away, durably: nothing is found any more. False: errno says why. */
MUST_USE bool markers_retire(const struct markers *m);
/* What `current` names, or "". */
void markers_current(const struct markers *m, char out[MARKER_GENERATION_SIZE]);
/* A step of cleaning up, of some milliseconds: removes markers put more than a day before
 * before_us, from directory *shard on, which moves on and begins again after the last; and some of
 * what other generations left, unless `current` names them. Returns how many markers went. */
size_t markers_sweep(const struct markers *m, const uint8_t generation[16], int64_t before_us,
                     unsigned *shard);

#endif
