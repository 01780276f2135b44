/* Threads of hongbao-settle: each repeats one kind of round, with sessions of its own. */
#ifndef HONGBAO_BIN_SETTLE_WORKER_H
#define HONGBAO_BIN_SETTLE_WORKER_H

#include "lib/service/common/clock_guard.h"
#include "lib/service/common/session_pool.h"
#include "lib/service/settle/reconcile.h"
#include <stdatomic.h>

#define HOST_NAME_SIZE 64

struct crew; /* all threads of the program */

struct settle_worker {
    const char *name; /* for the log */
    const struct runtime *runtime;
    struct session_pool *sessions; /* for services that take a session themselves */
    struct session *session;       /* holds the next two */
    struct store *store;
    struct cache *cache;
    /* Perform one bounded round. *again is true if more waits: the next round follows after
     * rest_ms. An error means that the database is unavailable. */
    enum err (*round)(struct settle_worker *w, bool *again);
    int64_t first_ms;              /* pause before the first round */
    int64_t rest_ms;               /* pause before the next round if more waits; set by the round */
    int64_t next_us;               /* monotonic; for rounds that work only at intervals */
    struct clock_guard *guard;     /* of the crew; the thread of the refunds looks */
    struct reconcile reconcile;    /* progress of the reconciliation */
    char entries_after[USER_SIZE]; /* progress of the numbering of transfers */
    char guest[USER_SIZE];         /* progress of the end of idle guests */
    char host[HOST_NAME_SIZE];     /* name of this host */
    unsigned sweep_shard;          /* progress of the clean-up of markers */
    _Atomic int64_t finished_us;   /* monotonic: the end of the last round without an error */
    _Atomic int64_t ended_us;      /* monotonic: the end of the last round, whatever came of it */
    bool failing;                  /* an error was logged and rounds have failed since */
    struct crew *crew;
};

/* Return a crew without threads, to be freed by crew_stop, or NULL if there is no memory. runtime
 * must outlive it. */
struct crew *crew_new(const struct runtime *runtime);
/* Start a thread called name that performs round, the first time after first_ms milliseconds.
 * ERR_FAULT: no memory, or the thread could not be started. */
MUST_USE enum err crew_add(struct crew *crew, const char *name, int64_t first_ms,
                           enum err (*round)(struct settle_worker *w, bool *again));
/* Return true if every thread of crew has finished a round without an error lately. Thread-safe. */
bool crew_ready(const struct crew *crew);
/* Return true if every thread of crew has ended a round lately, with or without an error: none
 * hangs. Thread-safe. */
bool crew_works(const struct crew *crew);
/* Note that the database was restored: the generation of the runtime is over. Thread-safe, as is
 * the next. */
void crew_note_restored(struct crew *crew);
/* Return true after crew_note_restored. */
bool crew_restored(const struct crew *crew);
/* Return the number of threads of crew. */
size_t crew_size(const struct crew *crew);
/* Wait for the running rounds, end all threads and free crew. */
void crew_stop(struct crew *crew);

#endif
