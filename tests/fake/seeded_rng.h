/* A random source whose bytes depend on a seed alone. */
#ifndef HONGBAO_TESTS_SEEDED_RNG_H
#define HONGBAO_TESTS_SEEDED_RNG_H

#include "lib/base/crypto.h"
#include <stdatomic.h>

struct seeded_rng {
    struct rng rng; /* pass this one on; its self is the struct: do not copy */
    _Atomic uint64_t state;
};

/* Initialize r so that the bytes it gives depend on seed alone. r is thread-safe; which thread gets
 * which bytes depends on their order. */
void seeded_rng_init(struct seeded_rng *r, uint64_t seed);

#endif
