/* Text of a version item: the newest durable version of an envelope without recipients, and the
 * newest claims, so that a reader that remembers a slightly older version can complete it. */
#ifndef HONGBAO_WIRE_VERSION_VALUE_H
#define HONGBAO_WIRE_VERSION_VALUE_H

#include "lib/base/err.h"
#include "lib/domain/envelope.h"

#define VERSION_CLAIMS_MAX 4
#define VERSION_TEXT_SIZE 2600

struct version_value {
    int64_t version;
    bool guest; /* the sender is a guest */
    /* The newest claims in order of seq. Each made one version, the last one this version. */
    size_t n_claims;
    struct claim claims[VERSION_CLAIMS_MAX];
};

/* Write *v, of envelope id, to out as printable ASCII and a NUL. Return its length without the NUL.
 */
size_t version_value_write(char out[VERSION_TEXT_SIZE], const struct version_value *v,
                           const struct id *id);
/* Read text[0..len) into *out. Return false, with *out undefined, unless it is exactly one
 * well-formed version item of envelope id. */
MUST_USE bool version_value_read(struct version_value *out, const char *text, size_t len,
                                 const struct id *id);

#endif
