/* Peers E and F: what an expert would write. One process, one request per winner; the requests that
 * wait together are one transaction. It locks the envelopes, draws the amounts, stores a claim and
 * a row of the ledger for each winner, and answers after the commit. A user has one share by a
 * unique key. */
#ifndef HONGBAO_BENCH_PEERS_BATCH_H
#define HONGBAO_BENCH_PEERS_BATCH_H

#include "lib/base/batch_max.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BATCH_ENVELOPES_MAX 65536 /* their numbers are below */
#define BATCH_USER_SIZE 65

enum batch_result {
    BATCH_OK,
    BATCH_DUPLICATE, /* a unique key refused a row */
    BATCH_AGAIN,     /* the server rolled the transaction back, because of a deadlock */
    BATCH_FAILED
};

/* A database. Connections belong to one thread. */
struct batch_db {
    /* Connect to the server that `where` names. Return NULL on failure, with a message on standard
     * error. */
    void *(*open)(const char *where);
    /* Run the statements in sql, and store the numbers of all result rows in out, at most out_max,
     * and their count in *n. A failure discards the further statements. */
    enum batch_result (*run)(void *connection, const char *sql, int64_t *out, size_t out_max,
                             size_t *n);
};
extern const struct batch_db batch_mysql, batch_pgsql;

enum batch_answer { BATCH_SHARE, BATCH_SOLD_OUT, BATCH_UNKNOWN, BATCH_UNAVAILABLE };

/* One claim. user needs no quoting. */
struct batch_claim {
    unsigned envelope;          /* in */
    char user[BATCH_USER_SIZE]; /* in */
    enum batch_answer answer;   /* out */
    int64_t seq, amount;        /* out, SHARE */
    bool wins;                  /* while the batch runs: the next share is this user's */
};

struct batch; /* what one thread uses */

/* Create it for thread number `thread`, with a connection to the server that `where` names. closed
 * is shared by all threads: envelopes whose last share is durable. Return NULL on failure. */
struct batch *batch_new(const struct batch_db *db, const char *where, unsigned thread,
                        _Atomic bool closed[BATCH_ENVELOPES_MAX]);

/* Answer claims[0..n), n <= BATCH_MAX, in one transaction. */
void batch_run(struct batch *b, struct batch_claim **claims, size_t n);

#endif
