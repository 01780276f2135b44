/* A session on the real database that fails at a chosen operation, in the ways a database does. */
#ifndef HONGBAO_TESTS_FAULTY_STORE_H
#define HONGBAO_TESTS_FAULTY_STORE_H

#include "lib/store/store.h"

enum fault {
    FAULT_REFUSED,   /* not done, and said so: server away */
    FAULT_LOST,      /* done, and then said to have failed; a commit: done, and said uncertain */
    FAULT_UNCERTAIN, /* not done; a commit is said to be uncertain, all else to have failed */
    FAULT_DEADLOCK,
    FAULT_KINDS
};
/* Shared by all sessions of a test: the operation number `at` fails, once. */
struct faults {
    enum fault kind;
    unsigned at;    /* 1-based; 0: never */
    unsigned calls; /* so far */
    bool struck;
};
/* Takes real over. NULL: no memory. Not for several threads. */
struct store *faulty_store_new(struct store *real, struct faults *faults);

#endif
