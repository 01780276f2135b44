/* The grabs of one burst against the cache: one get for the gates and users' items, one more for
 * the envelope items of restricted envelopes, one cas per envelope, hints for the tickets. Nothing
 * here decides about money; what the cache cannot answer for certain is left to the primary. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_BATCH_H
#define HONGBAO_SERVICE_GRAB_GRAB_BATCH_H

#include "lib/service/common/runtime.h"

enum grab_outcome {
    GRAB_NEW,      /* not decided yet */
    GRAB_ANSWERED, /* answer is set */
    GRAB_WON,      /* the user has a new ticket: answer is set, but for its text */
    GRAB_REFUSED,  /* err is set */
    /* The primary has to be asked, because ... */
    GRAB_ASK_RECIPIENTS, /* the item of a restricted envelope is not in the cache */
    GRAB_ASK_MISSING,    /* there is no gate */
    GRAB_ASK_FINAL,      /* only the gate states that the envelope has closed */
    GRAB_ASK_BROKEN,     /* the gate does not parse, or is another envelope's */
    GRAB_ASK_EMPTY,      /* the gate is at zero or past due, and the hold was free */
    GRAB_ASK_UNKNOWN     /* the gate could not be read or changed */
};

/* The state of one grab. */
struct grab_job {
    const struct who *who;        /* in */
    const struct id *id;          /* in */
    bool claim;                   /* in: the job is a claim: what the cache knows of its user comes
                                     before the end of the envelope and before recipients */
    enum envelope_state end;      /* in: final state where this process knows it, else STATE_OPEN */
    bool rate_limited;            /* in: may only be answered with an end that is known to this
                                     process or that the gate holds */
    int64_t retry_after_s;        /* in, with rate_limited: when the rate allows the job */
    bool admitted;                /* in, out: known to be a recipient of a restricted envelope */
    enum grab_outcome outcome;    /* out */
    enum err err;                 /* out, REFUSED */
    struct grab_answer answer;    /* out, ANSWERED and WON */
    int64_t expires_us;           /* out: deadline of the envelope, where the gate was read */
    bool restricted;              /* in, with end; out: the envelope has recipients */
    struct cache_item *user_item; /* while a batch runs: the user's item */
    const struct grab_job *repeats; /* while a batch runs: the earlier job that it repeats */
};

struct recent_tickets;
struct grab_batch; /* memory for one burst at a time */

/* Create room for bursts of up to max jobs, 1..BATCH_MAX. recent_tickets may be shared; it and
 * runtime must outlive the batch. Return NULL if out of memory. */
struct grab_batch *grab_batch_new(const struct runtime *runtime,
                                  struct recent_tickets *recent_tickets, size_t max);

/* Free b. b may be NULL. */
void grab_batch_free(struct grab_batch *b);

/* Give each of jobs[0..n), n <= max, in order of arrival, an outcome. Several may be of the same
 * user and envelope. cache is the caller's; nothing is left to flush. */
void grab_batch_run(struct grab_batch *b, struct cache *cache, struct grab_job **jobs, size_t n);

#endif
