/* Moves closed envelopes from the database to a file, a batch at a time, and carries their sums per
 * account and day. */
#ifndef HONGBAO_SERVICE_SETTLE_ARCHIVE_H
#define HONGBAO_SERVICE_SETTLE_ARCHIVE_H

#include "lib/store/archive.h"

/* Where the rows go. self of each function is the member below. Nothing is in the file until
 * `store`, and a failure before it is remembered and returned by `seal`. */
struct archive_sink {
    /* Begin the rows of the envelope in item: its own, and those of its sides. */
    void (*begin)(void *self, const struct archive_item *item);
    /* Add claim c of the envelope that was begun last. */
    void (*claim)(void *self, const struct archive_claim *c);
    /* End the envelope; drop its rows unless keep. */
    void (*end)(void *self, bool keep);
    /* Drop the rows that are not stored yet. */
    void (*clear)(void *self);
    /* Set number, bytes and sha256 in f to those of the file with the rows that are not stored yet,
     * making the file if there is none. ERR_FAULT after printing the reason. */
    enum err (*seal)(void *self, struct archive_file *f);
    /* Write the rows that are not stored yet, and flush file and directory to disk. ERR_FAULT after
     * printing the reason. */
    enum err (*store)(void *self);
    void *self;
};

#define ARCHIVE_REASON_SIZE 64

struct archive_run {
    /* in */
    struct desk *archive;
    const struct archive_sink *sink;
    int64_t before_us;  /* envelopes whose last transfer was booked before */
    int64_t sent_us;    /* and that were sent before */
    int offset_min;     /* of days, east of UTC */
    const uint8_t *key; /* of CARRIED_KEY_SIZE bytes */
    bool dry_run;       /* change nothing, but count */
    /* state and out; begin with zeros */
    struct id after;
    struct archive_file file;             /* begun_us and before_us are in */
    int64_t envelopes, claims, transfers; /* moved, or with dry_run to be moved */
    int64_t left;                         /* closed in time, but not moved; the first one: */
    struct id left_example;
    char left_reason[ARCHIVE_REASON_SIZE];
    char tampered[USER_SIZE]; /* the user of a carried row whose MAC is wrong; "" */
};

/* Move the next envelopes of *run and advance it; set *more to false if there were none. Only
 * envelopes whose books and draws agree, and that nothing waits for, are moved; the others are
 * counted as left. The rows are in the file, on disk, before they are deleted. ERR_FAULT: also if a
 * carried row has a wrong MAC; ERR_UNCERTAIN: the batch is in the file and may be in the database,
 * and a new run goes on. Other errors of archive.h: nothing of the batch happened. */
MUST_USE enum err archive_step(struct archive_run *run, bool *more);

#endif
