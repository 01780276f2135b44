/* Counts of answers by kind, with their latencies and arrival times. */
#ifndef HONGBAO_BENCH_LOAD_TALLY_H
#define HONGBAO_BENCH_LOAD_TALLY_H

#include "tests/bench/load_answer.h"
#include <stdint.h>
#include <stdio.h>

#define TALLY_KINDS 32
#define TALLY_SLICE_NS 100000000 /* the series counts tenths of a second */
#define TALLY_SLICES 6000
/* Latency histogram: 32 cells per power of two. */
#define TALLY_STEPS 32
#define TALLY_CELLS (40 * TALLY_STEPS)

struct tally_kind {
    int status;
    char word[WORD_SIZE];
    uint64_t count;
    uint64_t in_time; /* before the end of the run */
    int64_t last_ns, longest_ns, sum_ns;
    uint32_t cells[TALLY_CELLS];
    uint32_t slices[TALLY_SLICES];
};

struct tally {
    int n;
    int last;          /* kind of the last answer, the likeliest next one */
    uint64_t overflow; /* answers of kinds that do not fit */
    struct tally_kind *kinds;
};

/* Initialize t. Return false if out of memory. */
bool tally_init(struct tally *t);
/* Count an answer of kind (status, word) that arrived at_ns after the start of the run, with the
 * given latency. in_time: before the end of the run. */
void tally_add(struct tally *t, int status, const char *word, int64_t at_ns, int64_t latency_ns,
               bool in_time);
/* Add the counts of from to into. */
void tally_merge(struct tally *into, const struct tally *from);
/* Print t to out as members of a JSON object, by "<status> <word>". series: include the counts per
 * tenth of a second. */
void tally_print(const struct tally *t, bool series, FILE *out);
/* Return the number of answers of all kinds before the end of the run. */
uint64_t tally_in_time(const struct tally *t);
/* Return the arrival time of the last answer of any kind. */
int64_t tally_last_ns(const struct tally *t);

#endif
