/* Moving envelopes out of the database. The session, named a, was opened with the credentials of a
 * database administrator: no other user may delete money. Errors as in store.h; after any the
 * caller calls archive_rollback. archive_begin begins a transaction, which the other functions that
 * write continue; archive_commit or archive_rollback ends it. */
#ifndef HONGBAO_STORE_ARCHIVE_H
#define HONGBAO_STORE_ARCHIVE_H

#include "lib/domain/books.h"
#include "lib/domain/carried.h"
#include "lib/store/desk.h"

#define ARCHIVE_ENVELOPES_MAX 100 /* in one transaction */

/* Commit the transaction. ERR_UNCERTAIN if the reply was lost. */
MUST_USE enum err archive_commit(struct desk *a);
/* Roll back the transaction, if there is one. */
void archive_rollback(struct desk *a);

/* Process the file *f. */
typedef void archive_file_fn(void *context, const struct archive_file *f);
/* Call each(context, ...) for every file, in order of number. A plain read. */
MUST_USE enum err archive_files(struct desk *a, archive_file_fn *each, void *context);
/* Set *now_us to the primary's time and *oldest_us to when the oldest idempotency key was stored,
 * INT64_MAX if there is none: no key refers to an envelope sent before. A plain read. */
MUST_USE enum err archive_times(struct desk *a, int64_t *now_us, int64_t *oldest_us);
/* Set *number to that of the file that envelope id is in; 0: none. A plain read. */
MUST_USE enum err archive_find(struct desk *a, const struct id *id, int64_t *number);

/* Begin a transaction that excludes those of other sessions of this kind. */
MUST_USE enum err archive_begin(struct desk *a);

/* One envelope, and what all tables hold of it. The claims are added to books, but not kept. */
struct archive_item {
    struct books books;
    size_t n_sides; /* transfers of the sender, of which two are kept */
    struct transfer sides[2];
    bool unnumbered;        /* a transfer has no entry yet */
    int64_t last_booked_us; /* of all its transfers */
};
/* A claim with the transfer that credited it; without one, transfer.amount_fen is 0. */
struct archive_claim {
    struct books_claim books;
    struct transfer transfer;
};
struct archive_set {
    size_t n; /* envelopes, in order of id */
    struct archive_item items[ARCHIVE_ENVELOPES_MAX];
};
/* Process claim c of set->items[at]. The claims of an item come in order of seq, and the items in
 * their order. */
typedef void archive_claim_fn(void *context, size_t at, struct archive_claim *c);
/* Lock the first envelopes behind *after, in order of id, that closed, and were sent before sent_us
 * and closed before closed_us, at most ARCHIVE_ENVELOPES_MAX with at most claims_max opened shares
 * together but at least one, and read what all tables hold of them into *set, calling
 * each(context, ...) for every claim. A damaged transfer leaves `unnumbered` set. */
MUST_USE enum err archive_read(struct desk *a, const struct id *after, int64_t sent_us,
                               int64_t closed_us, size_t claims_max, struct archive_set *set,
                               archive_claim_fn *each, void *context);

/* The rows of one envelope that are to go. */
struct archive_drop {
    struct id id;
    int64_t claims, transfers;
};
/* Delete envelopes[0..n), n >= 1, with their claims and transfers, note that they are in file
 * number, and remove the reasons of acts on them that hold a name of theirs. ERR_FAULT, logged, if
 * there are other rows than stated. */
MUST_USE enum err archive_delete(struct desk *a, const struct archive_drop *envelopes, size_t n,
                                 int64_t number);
/* Lock and read the carried row of the user and day of each of rows[0..n), sorted and distinct,
 * into old[0..n), with the user "" where there is none. */
MUST_USE enum err archive_carried_read(struct desk *a, const struct carried *rows, size_t n,
                                       struct carried *old);
/* Store rows[0..n), in place of those of the same user and day. */
MUST_USE enum err archive_carried_write(struct desk *a, const struct carried *rows, size_t n);
/* Add envelope e, which was sent to a group, to the sums of the group on the day day_us. */
MUST_USE enum err archive_group_add(struct desk *a, const struct envelope *e, int64_t day_us);
/* Store *f, in place of what is stored of that number. */
MUST_USE enum err archive_file_write(struct desk *a, const struct archive_file *f);

#endif
