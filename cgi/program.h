/* What the four FastCGI programs have in common: options, settings, secrets, processes, and the way
 * of a request from the loop to its handler and back. A program is one table of handlers. */
#ifndef HONGBAO_CGI_PROGRAM_H
#define HONGBAO_CGI_PROGRAM_H

#include "cgi/brake.h"
#include "lib/service/env.h"
#include "lib/wire/api.h"
#include "lib/wire/token.h"
#include <stdatomic.h>

struct process;

/* What belongs to one request thread, made when it is first needed. */
struct thread {
    struct store *store, *replica;
    struct cache *cache;
};

/* One request on its way. */
struct call {
    struct process *process;
    struct thread *thread;
    const struct http_request *request;
    struct http_response *response;
    const struct api_route *route;
    struct id id; /* where the path has one */
    bool has_who;
    struct who who;
    int64_t deadline_us; /* monotonic */
    bool uses_store;     /* went through call_store */
    struct problem problem;
};
/* ERR_OK: the response is filled. Else the problem is shown; one that problem_set prepared is taken
 * as it is. */
typedef enum err handler_fn(struct call *c);

struct program {
    const char *name; /* "hongbao-send" */
    const char *summary;
    size_t pool;                       /* offset of its struct config_pool in struct config */
    handler_fn *handlers[ROUTE_COUNT]; /* NULL: another program's route */
    /* Makes the services of one process, when the generation is known. */
    enum err (*start)(struct process *p);
    void (*stop)(struct process *p);
};

/* One worker process. */
struct process {
    const struct program *program;
    const struct config *config;
    const struct config_pool *pool;
    struct env env;
    struct token_keys keys;
    struct token_cache *tokens;
    struct thread *threads;
    void *services; /* the program's own */
    atomic_bool ready;
    atomic_flag starting;
    _Atomic int64_t next_start_us;
    struct brake *brake; /* between the threads and the primary */
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
void dispatch(void *context, unsigned thread, const struct http_request *request,
              struct http_response *response);
/* True once the services of the process are up. Tries to bring them up, at most twice a second. */
bool process_ready(struct process *p);

#endif
