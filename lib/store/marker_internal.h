/* Shared by marker.c and marker_tree.c. */
#ifndef HONGBAO_STORE_MARKER_INTERNAL_H
#define HONGBAO_STORE_MARKER_INTERNAL_H

#include "lib/store/marker.h"
#include <stdatomic.h>
#include <sys/types.h>

#define MARKER_DIR_SIZE 256
#define MARKER_PATH_SIZE (MARKER_DIR_SIZE + 128)
#define MARKER_ANSWERS 2
#define MARKER_ANSWER_LIFE_US (S_PER_DAY * US_PER_S)

struct marker_answer {
    const char *name; /* of its file */
    char text[64];    /* JSON */
    size_t len;
};

struct markers {
    const struct clock *clock;
    char dir[MARKER_DIR_SIZE];
    struct marker_answer answers[MARKER_ANSWERS];
    atomic_bool failing; /* an error was logged and markers have failed since */
};

/* Give the file fd, if root created it, to the owner of DIR of m, so that the programs can change
 * it. Return false with errno set on failure. */
MUST_USE bool marker_hand_over(const struct markers *m, int fd);

/* Return mode with write permission for the group if DIR has it: then several users of one group
 * share the markers, and may link each other's files. */
mode_t marker_mode(const struct markers *m, mode_t mode);

#endif
