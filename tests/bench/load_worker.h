/* A thread of the load client, with its connections and its schedule. */
#ifndef HONGBAO_BENCH_LOAD_WORKER_H
#define HONGBAO_BENCH_LOAD_WORKER_H

#include "tests/bench/load_plan.h"
#include "tests/bench/load_tally.h"

struct load {
    struct plan plan;
    unsigned port;            /* on 127.0.0.1 */
    int64_t start_ns, end_ns; /* monotonic; no request starts after the end */
    int64_t grace_ns;         /* time after the end for requests in flight */
    double rate;              /* requests per second of all threads together; 0: closed loop */
    bool retry;               /* repeat after Retry-After */
    unsigned threads;
};

struct worker {
    struct load *load;
    unsigned number, connections;
    struct tally tally;
    uint64_t begun;      /* requests taken from the plan */
    uint64_t retried;    /* requests repeated after Retry-After */
    uint64_t lost;       /* connection closed, or malformed answer */
    uint64_t unanswered; /* still in flight after the grace time */
    bool failed;         /* could not connect; reported on standard error */
};

/* Return the monotonic time. */
int64_t load_now_ns(void);
/* Run the load of a thread to its end. worker: a struct worker. Return NULL. In the closed loop,
 * each connection sends its next request when the previous one is answered. In the open loop,
 * requests are due at fixed times; latency counts from then, even if no connection was free. With
 * retry, a connection waits as long as a Retry-After header says and repeats the identical request.
 */
void *worker_run(void *worker);

#endif
