/* What the four FastCGI programs have in common: options, settings, secrets, worker processes, and
 * the way of a request from the server to a service and back. A program is one table of doors. */
#ifndef HONGBAO_CGI_PROGRAM_H
#define HONGBAO_CGI_PROGRAM_H

#include "cgi/server/loop.h"
#include "lib/service/common/session_pool.h"
#include "lib/wire/api.h"
#include "lib/wire/token.h"
#include <stdatomic.h>

_Static_assert(LOOP_BURST_MAX <= BATCH_MAX, "a burst is one call of a service");

#ifndef HONGBAO_VERSION
#define HONGBAO_VERSION "0"
#endif

struct process;
struct door;

/* One HTTP request on its way. Lives in its exchange's memory. */
struct call {
    struct process *process;
    const struct http_request *http;
    struct http_response *response;
    const struct api_route *route; /* ROUTE_NONE until it is known */
    const struct door *door;       /* of the route */
    struct id id;                  /* all zero if the path has none */
    const struct who *who;         /* NULL: not signed in */
    int64_t arrived_us;            /* monotonic */
    int64_t deadline_us;           /* monotonic */
    enum err err;           /* so far: a deferred call with an error found the services down */
    struct problem problem; /* details of err, if the door has set them */
    /* For the log: what the call did. Set by the door; all zero: nothing. */
    struct id envelope;    /* that a send has made */
    const char *account;   /* whose balance has changed, if not the user's own; NULL */
    const char *reference; /* of a top-up or withdrawal; NULL */
    int64_t amount_fen;    /* 0: none */
    void *request;         /* what the service is asked: door->size bytes, which hold what
                              the previous request left */
};

/* How one route is answered. The functions return ERR_OK or the error to answer with, after
 * problem_set on call->problem if there are details. */
struct door {
    enum route route;
    size_t size; /* bytes of call->request */
    bool always; /* answered even while the services are not up */
    /* Fill c->request from c->http, c->id and c->who. NULL: there is nothing to fill. */
    enum err (*decode)(struct call *c);
    /* Answer requests[0..n), 1 <= n <= LOOP_BURST_MAX, together; set deferred[i], false on entry,
     * for those that have to wait. Stop at deadline_us (monotonic). thread: acceptors are
     * 0..acceptors-1, and calls of one thread do not overlap. NULL: all have to wait. */
    void (*now)(struct process *p, unsigned thread, void *const *requests, size_t n,
                int64_t deadline_us, bool *deferred);
    /* Answer the one request of c, which `now` has deferred; may block. NULL: `now` defers none. */
    enum err (*wait)(struct call *c);
    /* Fill c->response from c->request, or return the service's error. NULL: `wait` has done so. */
    enum err (*encode)(struct call *c);
};

struct program {
    const char *name; /* "hongbao-send" */
    const char *summary;
    size_t pool;              /* offset of its struct config_pool in struct config */
    const struct door *doors; /* n_doors of them */
    size_t n_doors;
    /* Create p->services. Called once the generation is known; ERR_FAULT: no memory. */
    enum err (*start)(struct process *p);
    /* Free p->services, which start has created. */
    void (*stop)(struct process *p);
};

/* One worker process. */
struct process {
    const struct program *program;
    const struct config *config;
    const struct config_pool *pool;
    uint64_t settings; /* config_hash of config */
    struct runtime runtime;
    struct token_keys keys;
    struct token_cache *tokens;
    struct session_pool *sessions;
    unsigned acceptors, waiters; /* threads 0..acceptors-1, and the rest */
    struct buf *logs;            /* lines not written yet, by thread */
    void *services;              /* the program's own */
    _Atomic unsigned busy;       /* waiters that answer a request now */
    struct server_state *database, *cache;
    atomic_bool ready;
    bool ending;        /* the database was restored; of the thread that ticks */
    enum err start_err; /* of the last try to start the services; under starting */
    atomic_flag starting;
    _Atomic int64_t next_start_us;
};

/* Run a FastCGI program with the command line argv[0..argc) and return its exit code. */
int program_main(int argc, char **argv, const struct program *program);

/* ---- process.c ---- */

/* What main prepares and every worker process uses. */
struct setup {
    const struct program *program;
    struct config config;
    struct token_keys keys;
    struct secret_pair ticket_keys;
    struct metrics *metrics;
    struct markers *markers;
    const char *config_path;
    bool supervised; /* the parent is our master, not a web server */
};

/* Serve on `listener` as one worker process until a signal ends it. context: the struct setup.
 * Return 0, or -1 if it could not start (logged). */
int process_run(void *context, int listener);

/* Return true if the services of p are up. Otherwise try to start them, at most twice a second and
 * on one thread at a time. Thread-safe. */
bool process_ready(struct process *p);

/* ---- dispatch.c ---- */

/* Answer burst[0..n) on `thread` for the process `context`, and set deferred[i] for the exchanges
 * that dispatch_wait has to answer: `now` of struct loop. Thread-safe for different threads. */
void dispatch_now(void *context, unsigned thread, struct exchange **burst, size_t n,
                  bool *deferred);

/* Answer x on `thread` for the process `context`; may block: `wait` of struct loop. */
void dispatch_wait(void *context, unsigned thread, struct exchange *x);

/* Return the bytes of an exchange's memory that program needs. */
size_t dispatch_memory_size(const struct program *program);

/* Set the problem of c to a rate that its user exceeds, with detail, limit (the setting, in its
 * unit) and the retry_after_s to wait. Return ERR_RATE_LIMITED. */
enum err call_refuse_rate(struct call *c, int64_t retry_after_s, int64_t limit, const char *detail);

/* Count c against rate for key, its user or its address. Return ERR_OK, or ERR_RATE_LIMITED with
 * detail, the time to wait and limit, the setting in its unit, in the problem of c. */
enum err call_limit(struct call *c, const struct rate *rate, int64_t limit, const char *key,
                    const char *detail);

/* Count c against rate for the client's address; of an IPv6 address the network counts, its first
 * 64 bits. Use limit and detail, and return, as call_limit. A loopback address is not limited: it
 * is the operator's or that of a proxy for all clients. */
enum err call_limit_address(struct call *c, const struct rate *rate, int64_t limit,
                            const char *detail);

/* Count c, for which no user answers since it has no token or a wrong one, against the rate of its
 * address. Return as call_limit_address. */
enum err call_limit_anonymous(struct call *c);

/* Write to out the key of c's Idempotency-Key: SHA-256 of user, route and key. The route requires
 * one.
 */
void call_key_hash(const struct call *c, uint8_t out[32]);

#endif
