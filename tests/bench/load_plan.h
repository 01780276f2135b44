/* The prepared requests of a run: a file of records. A record is four 32-bit numbers in host byte
 * order (request_size, then_size, hole_at, hole_size; in bytes), followed by the bytes of `request`
 * and `then`. `then` (then_size 0: none) is sent after an answer with a ticket of hole_size bytes,
 * which replaces the bytes at hole_at in `then`. Without `then`, the hole (hole_size 0: none) is in
 * `request`; the ETag of each answer replaces it if it is hole_size bytes long. */
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
    bool cycle; /* restart at the end, instead of sending each request once */
    atomic_size_t next;
};

/* Map the file at path into plan, for the life of the process. Return false, with a message on
 * standard error, if it cannot be read or is malformed. */
bool plan_read(struct plan *plan, const char *path);
/* Return the next request of plan, or NULL at the end. Thread-safe. */
struct request *plan_take(struct plan *plan);
/* Return true if plan_take has returned NULL for plan. */
bool plan_ran_out(const struct plan *plan);

#endif
