/* The state of each process in the shared file. A process finds its place by its pid; one that died
 * leaves its place to the next that needs one, a minute later. */
#include "lib/base/clock.h"
#include "lib/base/metrics_layout.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOT_KEPT_US (60 * US_PER_S)

static const char *const program_names[METRIC_PROGRAMS] = {"send", "grab", "open", "query",
                                                           "settle"};

enum metric_program metrics_program(const char *name)
{
    static const char prefix[] = "hongbao-";
    size_t skip = strncmp(name, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
    for (int i = 0; i < METRIC_PROGRAMS; i++)
        if (strcmp(name + skip, program_names[i]) == 0)
            return (enum metric_program)i;
    return METRIC_PROGRAMS;
}

static int64_t slot_load(const _Atomic int64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void slot_store(_Atomic int64_t *word, int64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* A beat may be a little younger than mono_us, which its reader took before. One in the far future
 * was written before the machine was restarted. */
static bool slot_beats(const struct worker_slot *s, int64_t mono_us, int64_t within_us)
{
    int64_t age_us = mono_us - slot_load(&s->beat_us);
    return slot_load(&s->pid) != 0 && age_us >= -within_us && age_us <= within_us;
}

static struct worker_slot *slot_of(struct metrics *m, int64_t pid, int64_t mono_us)
{
    for (size_t i = 0; i < METRIC_WORKERS; i++)
        if (slot_load(&m->workers[i].pid) == pid)
            return &m->workers[i];
    for (size_t i = 0; i < METRIC_WORKERS; i++) {
        struct worker_slot *s = &m->workers[i];
        int64_t owner = slot_load(&s->pid);
        if (!slot_beats(s, mono_us, SLOT_KEPT_US) &&
            atomic_compare_exchange_strong(&s->pid, &owner, pid))
            return s;
    }
    return NULL;
}

/* Return the resident memory of this process; 0: unknown. */
static int64_t memory_bytes(void)
{
    char line[128];
    const char *second = NULL;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL)
        second = strchr(line, ' ');
    fclose(file);
    return second != NULL ? (int64_t)strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static int64_t open_descriptors(void)
{
    int64_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the directory itself */
}

void metrics_beat(struct metrics *m, const struct metric_worker *w, int64_t mono_us)
{
    struct worker_slot *s = slot_of(m, getpid(), mono_us);
    if (s == NULL)
        return;
    slot_store(&s->program, w->program);
    slot_store(&s->ready, w->ready);
    slot_store(&s->busy, w->busy);
    slot_store(&s->threads, w->threads);
    slot_store(&s->settings, (int64_t)w->settings);
    slot_store(&s->generation, (int64_t)w->generation);
    slot_store(&s->memory_bytes, memory_bytes());
    slot_store(&s->descriptors, open_descriptors());
    slot_store(&s->beat_us, mono_us);
}

void metrics_leave(struct metrics *m)
{
    int64_t pid = getpid();
    for (size_t i = 0; i < METRIC_WORKERS; i++)
        if (slot_load(&m->workers[i].pid) == pid)
            slot_store(&m->workers[i].pid, 0);
}

unsigned metrics_ready(const struct metrics *m, enum metric_program program, int64_t mono_us)
{
    unsigned n = 0;
    for (size_t i = 0; i < METRIC_WORKERS; i++) {
        const struct worker_slot *s = &m->workers[i];
        n += slot_beats(s, mono_us, METRIC_BEAT_MAX_US) &&
             slot_load(&s->program) == (int64_t)program && slot_load(&s->ready) != 0;
    }
    return n;
}

bool metrics_process_beats(const struct metrics *m, int64_t pid, int64_t mono_us, int64_t within_us)
{
    for (size_t i = 0; i < METRIC_WORKERS; i++)
        if (slot_load(&m->workers[i].pid) == pid)
            return slot_beats(&m->workers[i], mono_us, within_us);
    return false;
}

bool metrics_other_settings(const struct metrics *m, enum metric_program program, uint64_t settings,
                            int64_t mono_us)
{
    for (size_t i = 0; i < METRIC_WORKERS; i++) {
        const struct worker_slot *s = &m->workers[i];
        if (slot_beats(s, mono_us, METRIC_BEAT_MAX_US) &&
            slot_load(&s->program) == (int64_t)program &&
            slot_load(&s->settings) != (int64_t)settings)
            return true;
    }
    return false;
}

uint64_t metrics_generation(const uint8_t generation[16])
{
    uint64_t number;
    memcpy(&number, generation, sizeof number);
    return number != 0 ? number : 1;
}

/* One that was stopped does not beat, and may go on. */
static bool slot_exists(const struct worker_slot *s, int64_t mono_us)
{
    return slot_beats(s, mono_us, SLOT_KEPT_US) &&
           (kill((pid_t)slot_load(&s->pid), 0) == 0 || errno == EPERM);
}

bool metrics_other_generation(const struct metrics *m, uint64_t generation, int64_t mono_us)
{
    for (size_t i = 0; i < METRIC_WORKERS; i++) {
        const struct worker_slot *s = &m->workers[i];
        int64_t its = slot_load(&s->generation);
        if (slot_exists(s, mono_us) && its != 0 && its != (int64_t)generation)
            return true;
    }
    return false;
}

int64_t metrics_process(const struct metrics *m, enum metric_program program, int64_t mono_us)
{
    for (size_t i = 0; i < METRIC_WORKERS; i++) {
        const struct worker_slot *s = &m->workers[i];
        if (slot_beats(s, mono_us, METRIC_BEAT_MAX_US) &&
            slot_load(&s->program) == (int64_t)program)
            return slot_load(&s->pid);
    }
    return 0;
}

void metrics_restart(struct metrics *m, enum metric_program program)
{
    atomic_fetch_add_explicit(&m->restarts[program], 1, memory_order_relaxed);
}

/* ---- Prometheus text ---- */

struct worker_sum {
    int64_t workers, ready, busy, threads, memory_bytes, descriptors;
};

static void sum_workers(const struct metrics *m, int64_t mono_us,
                        struct worker_sum sums[METRIC_PROGRAMS])
{
    memset(sums, 0, METRIC_PROGRAMS * sizeof sums[0]);
    for (size_t i = 0; i < METRIC_WORKERS; i++) {
        const struct worker_slot *s = &m->workers[i];
        int64_t program = slot_load(&s->program);
        if (!slot_beats(s, mono_us, METRIC_BEAT_MAX_US) || program < 0 ||
            program >= METRIC_PROGRAMS)
            continue;
        struct worker_sum *sum = &sums[program];
        sum->workers++;
        sum->ready += slot_load(&s->ready) != 0;
        sum->busy += slot_load(&s->busy);
        sum->threads += slot_load(&s->threads);
        sum->memory_bytes += slot_load(&s->memory_bytes);
        sum->descriptors += slot_load(&s->descriptors);
    }
}

struct worker_row {
    const char *name, *help;
    size_t offset; /* in struct worker_sum */
};

static const struct worker_row worker_rows[] = {
    {"hongbao_workers", "Processes that run.", offsetof(struct worker_sum, workers)},
    {"hongbao_workers_ready", "Processes that do their work.", offsetof(struct worker_sum, ready)},
    {"hongbao_threads", "Threads that serve requests or queues.",
     offsetof(struct worker_sum, threads)},
    {"hongbao_threads_busy", "Waiter threads that answer a request now.",
     offsetof(struct worker_sum, busy)},
    {"hongbao_resident_memory_bytes", "Resident memory of all processes of a program.",
     offsetof(struct worker_sum, memory_bytes)},
    {"hongbao_open_descriptors", "Open file descriptors of all processes of a program.",
     offsetof(struct worker_sum, descriptors)},
};

void metrics_print_workers(const struct metrics *m, int64_t mono_us, struct buf *out)
{
    struct worker_sum sums[METRIC_PROGRAMS];
    sum_workers(m, mono_us, sums);
    for (size_t r = 0; r < sizeof worker_rows / sizeof worker_rows[0]; r++) {
        const struct worker_row *row = &worker_rows[r];
        buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", row->name, row->help, row->name);
        for (int p = 0; p < METRIC_PROGRAMS; p++) {
            int64_t value;
            memcpy(&value, (const char *)&sums[p] + row->offset, sizeof value);
            buf_printf(out, "%s{program=\"%s\"} %" PRId64 "\n", row->name, program_names[p], value);
        }
    }
    static const char restarts[] = "hongbao_worker_restarts_total";
    buf_printf(out, "# HELP %s Processes that died and were replaced.\n# TYPE %s counter\n",
               restarts, restarts);
    for (int p = 0; p < METRIC_PROGRAMS; p++)
        buf_printf(out, "%s{program=\"%s\"} %" PRIu64 "\n", restarts, program_names[p],
                   atomic_load_explicit(&m->restarts[p], memory_order_relaxed));
}
