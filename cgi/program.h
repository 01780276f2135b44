/* What the four FastCGI programs have in common: options, settings, secrets, processes, and the way
 * of a request from the loop to its handler and back. A program is one table of handlers. */
#ifndef HONGBAO_CGI_PROGRAM_H
#define HONGBAO_CGI_PROGRAM_H

#include "cgi/brake.h"
#include "cgi/server/loop.h"
#include "lib/service/common/session_pool.h"
#include "lib/wire/api.h"
#include "lib/wire/token.h"
#include <stdatomic.h>

_Static_assert(LOOP_BURST_MAX <= BATCH_MAX, "a burst is one call of a service");

struct process;

/* What belongs to one thread; sessions are made when they are first needed. */
struct thread {
    struct store *store, *replica;
    struct cache *cache;
    struct buf log; /* lines not written yet */
};

/* One request on its way; lives in its exchange's memory, with the program's own work behind it. */
struct call {
    struct process *process;
    struct thread *thread;
    struct exchange *exchange; /* whose request and response are: */
    const struct http_request *request;
    struct http_response *response;
    const struct api_route *route;
    enum err err; /* how it went */
    struct id id; /* where the path has one */
    bool has_who;
    int64_t deadline_us; /* monotonic */
    bool uses_store;     /* went through call_store */
    bool may_wait;       /* for the primary, longer than others should wait for it */
    struct problem problem;
    bool begun;     /* the burst function has seen it and left it for later */
    void *work;     /* work_size bytes, as the last request left them */
    struct who who; /* large; last, so that it is not cleared for nothing */
};
/* ERR_OK: the response is filled. Else the problem is shown; one that problem_set prepared is taken
 * as it is. */
typedef enum err handler_fn(struct call *c);
/* Answers many calls of one route together: sets err of each as a handler would return it, or,
 * where it may not wait and has to, its exchange's `later`; then it is called again for that one
 * alone, with may_wait and what it left in the call's work. */
typedef void burst_fn(struct call **calls, size_t n);

struct program {
    const char *name; /* "hongbao-send" */
    const char *summary;
    size_t pool;                       /* offset of its struct config_pool in struct config */
    handler_fn *handlers[ROUTE_COUNT]; /* NULL: another program's route */
    /* of burst_route, in place of a handler */
    burst_fn *burst;
    enum route burst_route;
    size_t work_size; /* bytes that a call of burst_route needs */
    /* Makes the services of one process, when the generation is known. */
    enum err (*start)(struct process *p);
    void (*stop)(struct process *p);
};

/* One worker process. */
struct process {
    const struct program *program;
    const struct config *config;
    const struct config_pool *pool;
    struct runtime runtime;
    struct token_keys keys;
    struct token_cache *tokens;
    unsigned acceptors, waiters; /* numbers 0.., and after them */
    struct thread *threads;
    void *services; /* the program's own */
    atomic_bool ready;
    atomic_flag starting;
    _Atomic int64_t next_start_us;
    struct session_pool *sessions; /* of its services */
    struct brake *brake;           /* between the threads and the primary */
};

int program_main(int argc, char **argv, const struct program *program);

/* For handlers: the thread's sessions, with the request's deadline. NULL: no memory, or the
 * database is stalled and others are to be answered at once (ERR_UNAVAILABLE). */
struct store *call_store(struct call *c);
struct store *call_replica(struct call *c);
/* NULL: no memory. */
struct cache *call_cache(struct call *c);
/* SHA-256 of user, route and Idempotency-Key. */
void call_key_hash(const struct call *c, uint8_t out[32]);

/* ---- dispatch.c ---- */
/* The loop's handler; context is the process. */
void dispatch(void *context, unsigned thread, struct exchange **burst, size_t n, bool may_wait);
/* True once the services of the process are up. Tries to bring them up, at most twice a second. */
bool process_ready(struct process *p);

#endif
