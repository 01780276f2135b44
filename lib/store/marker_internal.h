/* What marker.c and marker_tree.c share. */
#ifndef HONGBAO_STORE_MARKER_INTERNAL_H
#define HONGBAO_STORE_MARKER_INTERNAL_H

#include "lib/store/marker.h"
#include <stdatomic.h>

#define MARKER_DIR_SIZE 256
#define MARKER_PATH_SIZE (MARKER_DIR_SIZE + 128)
#define MARKER_ANSWERS 2
#define MARKER_ANSWER_LIFE_US (INT64_C(86400) * 1000000)

/* One of the two answers that a marker can be. */
struct marker_answer {
    const char *name;
    char text[64];
    size_t len;
};

struct markers {
    const struct clock *clock;
    char dir[MARKER_DIR_SIZE];
    struct marker_answer answers[MARKER_ANSWERS];
    atomic_bool failing; /* said in the log */
};

/* Gives what root makes to the owner of DIR, so that the programs can go on with it. */
MUST_USE bool marker_hand_over(const struct markers *m, int fd);

#endif
