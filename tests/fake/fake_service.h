/* What a service needs to run without servers: a runtime whose store, cache, clock and randomness
 * are the fakes of this folder. */
#ifndef HONGBAO_TESTS_FAKE_SERVICE_H
#define HONGBAO_TESTS_FAKE_SERVICE_H

#include "lib/service/common/gate.h"
#include "tests/fake/fixed_clock.h"
#include "tests/fake/memory_cache.h"
#include "tests/fake/memory_store.h"
#include "tests/fake/seeded_rng.h"

#define FAKE_US_PER_S INT64_C(1000000)

struct fake_service {
    struct runtime runtime; /* its self is this struct: do not copy */
    struct config config;   /* the defaults; change what the test is about */
    struct fixed_clock clock;
    struct seeded_rng rng;
    struct memory_db *db;
    struct memory_cache *server;
    struct store *store; /* a session and a connection of the test's own */
    struct cache *cache;
    char marker_dir[64];
};

/* Make all of it, with an empty database and cache, and no markers. The log goes to /dev/null.
 * Aborts on failure. */
void fake_service_init(struct fake_service *f);
/* Let f->runtime keep markers, in a temporary directory. */
void fake_markers_init(struct fake_service *f);
/* Close and free all of it, and remove the markers. Services made of f->runtime are freed before.
 */
void fake_service_end(struct fake_service *f);

/* Remove the marker of id, as if the process that closed it had died before it made one. */
void fake_markers_forget(struct fake_service *f, const struct id *id);
/* Move both clocks forward to wall_us. */
void fake_clock_to(struct fake_service *f, int64_t wall_us);

/* Store an envelope as a send would, and complete *e: members that are zero become those of a lucky
 * envelope of 10 shares and 1000 fen from "alice" to anyone, open for an hour. The sender gets an
 * account that can pay it. */
void fake_send(struct fake_service *f, struct envelope *e);
/* Let user open the next share of id; returns the claim. */
struct claim fake_open(struct fake_service *f, const struct id *id, const char *user);
/* Return the envelope as it is stored now. */
const struct envelope *fake_envelope(struct fake_service *f, const struct id *id);
/* Write the gate that fits e into the cache. */
void fake_gate_put(struct fake_service *f, const struct envelope *e);
/* Write the gate of e with `left` shares into the cache, or its final state. */
void fake_gate_put_shares(struct fake_service *f, const struct envelope *e, int64_t left);
/* Read the gate of id from the cache into *g. False: there is none that is valid. */
bool fake_gate_get(struct fake_service *f, const struct id *id, struct gate *g);
/* Return true if the marker of id exists. */
bool fake_marker_exists(struct fake_service *f, const struct id *id);
/* Return the value of a counter. */
uint64_t fake_metric(const struct fake_service *f, enum metric which);

#endif
