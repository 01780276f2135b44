/* The open and send services on the fakes. One leader runs on the caller's thread, so a batch is
 * exactly what one call submits. */
#ifndef HONGBAO_TESTS_FAKE_BATCHES_H
#define HONGBAO_TESTS_FAKE_BATCHES_H

#include "lib/service/open/open.h"
#include "lib/service/send/send.h"
#include "tests/fake/fake_service.h"

struct fake_batches {
    struct fake_service fake;
    struct session_pool *open_sessions, *send_sessions;
    struct open_service *open;
    struct send_service *send;
    struct store *other;   /* a session of another process */
    struct open_set *held; /* what it has locked */
};

/* Make all of it, with markers. Aborts on failure. */
void fake_batches_init(struct fake_batches *b);
/* Free all of it, and fail the test if the books do not agree. */
void fake_batches_end(struct fake_batches *b);

/* One open. */
struct fake_opening {
    struct who who;
    struct id id;
    struct open_request request; /* answered */
};
/* Fill o: an open by user of the envelope id, with a ticket that lives for life_s more seconds
 * (negative: it has lapsed). */
void fake_opening_fill(struct fake_batches *b, struct fake_opening *o, const struct id *id,
                       const char *user, int64_t life_s);
/* Run os[0..n) as one batch. */
void fake_openings_run(struct fake_batches *b, struct fake_opening *os, size_t n);
/* Open, with a ticket that lives. The result is valid until the next call. */
const struct fake_opening *fake_opening(struct fake_batches *b, const struct id *id,
                                        const char *user);
/* Return true if o was answered with a claim, and it is stored as answered. */
bool fake_opening_is_stored(struct fake_batches *b, const struct fake_opening *o);

/* One send. */
struct fake_sending {
    struct who who;
    struct send_request request; /* answered */
};
/* Fill s: user sends total_fen in 2 equal shares to anyone for an hour, under key, with a body that
 * has this total and no other difference. */
void fake_sending_fill(struct fake_sending *s, const char *user, const char *key,
                       int64_t total_fen);
/* Run ss[0..n) as one batch. */
void fake_sendings_run(struct fake_batches *b, struct fake_sending *ss, size_t n);
/* Send one. The result is valid until the next call. */
const struct fake_sending *fake_sending(struct fake_batches *b, const char *user, const char *key,
                                        int64_t total_fen);

/* Let the other session hold the row of the envelope, or of the account, until fake_unlock. */
void fake_lock_envelope(struct fake_batches *b, const struct id *id);
void fake_lock_account(struct fake_batches *b, const char *user);
void fake_unlock(struct fake_batches *b);

#endif
