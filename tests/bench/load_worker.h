/* One thread of the load: its connections and its clock. */
#ifndef HONGBAO_BENCH_LOAD_WORKER_H
#define HONGBAO_BENCH_LOAD_WORKER_H

#include "tests/bench/load_plan.h"
#include "tests/bench/load_tally.h"

struct load {
    struct plan plan;
    unsigned port;            /* on 127.0.0.1 */
    int64_t start_ns, end_ns; /* monotonic; nothing is begun after the end */
    int64_t grace_ns;         /* after the end, for what is under way */
    double rate;              /* requests a second of all threads together; 0: closed loop */
    bool retry;               /* repeat after Retry-After */
    unsigned threads;
};

struct worker {
    struct load *load;
    unsigned number, connections;
    struct tally tally;
    uint64_t begun;      /* requests taken from the plan */
    uint64_t retried;    /* requests sent again after Retry-After */
    uint64_t lost;       /* the connection ended, or what came was no answer */
    uint64_t unanswered; /* still under way when the grace was over */
    bool failed;         /* could not connect: said on standard error */
};

int64_t load_now_ns(void);
/* Runs to the end. In the closed loop each connection is a client that sends its next request when
 * it has its answer. In the open loop requests are due at fixed times; the latency counts from
 * then, whether or not a connection was free. With retry, a connection whose answer says
 * Retry-After waits and repeats the identical request. worker: struct worker; returns NULL. */
void *worker_run(void *worker);

#endif
