/* Answers counted by what they are, with their latencies and when they came. */
#ifndef HONGBAO_BENCH_LOAD_TALLY_H
#define HONGBAO_BENCH_LOAD_TALLY_H

#include "tests/bench/load_answer.h"
#include <stdint.h>
#include <stdio.h>

#define TALLY_KINDS 32
#define TALLY_SLICE_NS 100000000 /* the series counts by tenths of a second */
#define TALLY_SLICES 6000
/* Latencies in steps of a 32nd of their power of two. */
#define TALLY_STEPS 32
#define TALLY_CELLS (40 * TALLY_STEPS)

struct tally_kind {
    int status;
    char word[WORD_SIZE];
    uint64_t count;
    uint64_t in_time; /* of them, before the run's end */
    int64_t last_ns, longest_ns, sum_ns;
    uint32_t cells[TALLY_CELLS];
    uint32_t slices[TALLY_SLICES];
};

struct tally {
    int n;
    int last;          /* kind of the last answer: the likeliest next one */
    uint64_t overflow; /* answers of a kind for which there is no room */
    struct tally_kind *kinds;
};

/* False: no memory. */
bool tally_init(struct tally *t);
/* An answer that came at at_ns after the start, and had been due for latency_ns. */
void tally_add(struct tally *t, int status, const char *word, int64_t at_ns, int64_t latency_ns,
               bool in_time);
void tally_merge(struct tally *into, const struct tally *from);
/* As members of a JSON object, by "<status> <word>". series: also the counts by tenths of a second.
 */
void tally_print(const struct tally *t, bool series, FILE *out);
/* Sums over all kinds. */
uint64_t tally_in_time(const struct tally *t);
int64_t tally_last_ns(const struct tally *t);

#endif
