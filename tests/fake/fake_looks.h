/* A look service on the fakes, and looks made as a dispatcher makes them: at the door that does not
 * wait, then, if deferred, at the one that does. */
#ifndef HONGBAO_TESTS_FAKE_LOOKS_H
#define HONGBAO_TESTS_FAKE_LOOKS_H

#include "lib/service/look/look.h"
#include "tests/fake/fake_service.h"

/* One look, and what became of it. */
struct fake_look {
    struct who who;
    struct id id;
    int64_t has_version, has_seq; /* what the reader has already; version 0: nothing */
    struct look_request request;  /* answered; fake_look_end releases it */
    bool deferred;
};

struct fake_looks {
    struct fake_service fake;
    struct session_pool *sessions;
    struct look_service *service;
    struct envelope e;     /* stored: 10 shares to anyone; the cache has nothing of it */
    struct fake_look last; /* the result of fake_look */
};

/* Make all of it. Aborts on failure. */
void fake_looks_init(struct fake_looks *f);
/* Free all of it. */
void fake_looks_end(struct fake_looks *f);

/* Fill l: the first `limit` claims of the envelope id, for user; NULL: not signed in. */
void fake_look_fill(struct fake_look *l, const struct id *id, const char *user, size_t limit);
/* Answer l, whatever it takes. */
void fake_look_run(struct fake_looks *f, struct fake_look *l);
/* Release the answer of l. */
void fake_look_end(struct fake_look *l);
/* Look at f->e with a limit of 100. The result is valid until the next call. */
const struct fake_look *fake_look(struct fake_looks *f, const char *user);

/* Look at f->e as user. Return true if the page, its version and the user's own claim are what is
 * stored now. */
bool fake_look_is_true(struct fake_looks *f, const char *user);

/* Return how many reads of rows (not of versions) the database has served. */
unsigned fake_looks_reads(struct fake_looks *f);
/* Let user open the next share of f->e; announce the new version with that claim in the cache, as
 * the process that made it does. */
struct claim fake_open_announced(struct fake_looks *f, const char *user);
/* Write the version item of f->e: `version`, made by claims[0..n) as the newest. */
void fake_version_put(struct fake_looks *f, int64_t version, bool guest, const struct claim *claims,
                      size_t n);

#endif
