/* Files of keys. Loading one is strict: a key that someone else can read, or that is no key, must
 * not look as if it protected anything. */
#ifndef HONGBAO_WIRE_SECRET_H
#define HONGBAO_WIRE_SECRET_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The keys of a secret file: one or two lines of 64 hex digits, the current key first, then the
 * previous one. */
struct secret_pair {
    size_t n; /* 1 or 2; 0: not loaded */
    uint8_t key[2][32];
};
/* Load the keys of the file path into *pair. ERR_FAULT, with the reason appended to *message and
 * *pair empty, if the file is unreadable or malformed, if its group or others have access to it
 * (an ACL for a user is no such access), or if a key is all zeros or both are equal. */
MUST_USE enum err secret_load(struct secret_pair *pair, const char *path, struct buf *message);
/* Keep the memory of this process, and of those that it forks, out of core dumps and from other
 * processes of its user. ERR_FAULT if the system refuses. */
MUST_USE enum err secret_keep_out_of_dumps(void);
/* Return true if a and b have a key in common. Takes the same time for all keys. */
bool secret_overlaps(const struct secret_pair *a, const struct secret_pair *b);

#endif
