/* One batch of grabs against the cache: one get for all, one cas an envelope, hints for the
 * tickets. Decides nothing about money; whatever the cache cannot answer for certain is asked of
 * the primary. */
#ifndef HONGBAO_SERVICE_GRAB_GRAB_BATCH_H
#define HONGBAO_SERVICE_GRAB_GRAB_BATCH_H

#include "lib/service/common/runtime.h"

enum grab_outcome {
    GRAB_NEW,          /* has not been to the gate yet */
    GRAB_ANSWERED,     /* answer is set */
    GRAB_WON,          /* a new ticket is his, and his item says so or soon will */
    GRAB_REFUSED,      /* err is set */
    GRAB_NEEDS_RECORD, /* the envelope has recipients: is he among them? */
    /* the primary has to be asked because the gate ... */
    GRAB_ASK_MISSING, /* is not there */
    GRAB_ASK_BROKEN,  /* does not parse, or is another's */
    GRAB_ASK_EMPTY,   /* is at zero, or past due, and the hold was free */
    GRAB_ASK_UNKNOWN  /* could not be read or changed */
};

struct grab_work {
    struct id id;
    char user[USER_SIZE];
    bool admitted;             /* is known to be among the recipients */
    bool rate_limited;         /* may only be told of an end */
    enum grab_outcome outcome; /* out */
    enum err err;              /* out, REFUSED */
    struct grab_answer answer; /* out, ANSWERED, WON: without the ticket yet */
    int64_t expires_us;        /* out: of the envelope, where the gate was read */
    bool restricted;           /* out: likewise */
};

struct recent_tickets;
struct grab_batch; /* the resources of one leader; recent is shared by all. NULL: no memory */
struct grab_batch *grab_batch_new(const struct runtime *runtime,
                                  struct recent_tickets *recent_tickets);
void grab_batch_free(struct grab_batch *b);
/* works[0..n), n <= BATCH_MAX, in order of arrival; the same user and envelope may appear again. */
void grab_batch_run(struct grab_batch *b, struct grab_work **works, size_t n);

#endif
