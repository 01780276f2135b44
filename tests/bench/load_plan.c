/* Maps the file instead of reading it: requests are sent from the mapping without a copy. */
#include "tests/bench/load_plan.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_SIZE (4 * sizeof(uint32_t))

/* Read the record at `at`. Return its end, or 0 if it is truncated. */
static size_t read_record(char *bytes, size_t size, size_t at, struct request *r)
{
    uint32_t head[4];
    if (size - at < HEAD_SIZE)
        return 0;
    memcpy(head, bytes + at, HEAD_SIZE);
    at += HEAD_SIZE;
    *r = (struct request){.bytes = bytes + at,
                          .then = bytes + at + head[0],
                          .size = head[0],
                          .then_size = head[1],
                          .hole_at = head[2],
                          .hole_size = head[3]};
    size_t length = (size_t)r->size + r->then_size;
    size_t holed = r->then_size > 0 ? r->then_size : r->size;
    bool fits = r->size > 0 && length <= size - at && (size_t)r->hole_at + r->hole_size <= holed;
    return fits ? at + length : 0;
}

static bool read_records(struct plan *plan, char *bytes, size_t size)
{
    size_t room = 0;
    for (size_t at = 0; at < size;) {
        if (plan->count == room) {
            room = room > 0 ? 2 * room : 4096;
            struct request *more = realloc(plan->requests, room * sizeof more[0]);
            if (more == NULL)
                return false;
            plan->requests = more;
        }
        at = read_record(bytes, size, at, &plan->requests[plan->count]);
        if (at == 0)
            return false;
        plan->count++;
    }
    return plan->count > 0;
}

bool plan_read(struct plan *plan, const char *path)
{
    struct stat status;
    char *bytes = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (bytes == MAP_FAILED || !read_records(plan, bytes, (size_t)status.st_size)) {
        fprintf(stderr, "load: %s holds no prepared requests\n", path);
        return false;
    }
    return true;
}

struct request *plan_take(struct plan *plan)
{
    size_t at = atomic_fetch_add_explicit(&plan->next, 1, memory_order_relaxed);
    if (at < plan->count)
        return &plan->requests[at];
    return plan->cycle ? &plan->requests[at % plan->count] : NULL;
}

bool plan_ran_out(const struct plan *plan)
{
    return !plan->cycle && atomic_load(&plan->next) > plan->count;
}
