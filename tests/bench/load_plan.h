/* The requests of a run, prepared beforehand: a file of records, one after the other. A record is
 * four numbers of 32 bits in the machine's order (sizes in bytes) and then the bytes of one request
 * or two: request_size, then_size, hole_at, hole_size, request, then `then` (then_size 0: none) is
 * sent after an answer that brings a ticket; the ticket, which must be hole_size bytes long, goes
 * to hole_at within it. Without a second request, a hole is in the first (hole_size 0: none): the
 * ETag of each answer, if it is so long, goes there for the next time. */
#ifndef HONGBAO_BENCH_LOAD_PLAN_H
#define HONGBAO_BENCH_LOAD_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
    char *bytes;
    const char *then;
    uint32_t size, then_size, hole_at, hole_size;
};

struct plan {
    struct request *requests;
    size_t count;
    bool cycle; /* begin again at the end; else each is sent once */
    atomic_size_t next;
};

/* Maps the file for the life of the process. False, and a line on standard error, if it cannot be
 * read or is not of this form. */
bool plan_read(struct plan *plan, const char *path);
/* The next request, by whichever thread asks; NULL: there are no more. */
struct request *plan_take(struct plan *plan);
/* True if plan_take has returned NULL. */
bool plan_ran_out(const struct plan *plan);

#endif
