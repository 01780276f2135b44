/* SplitMix64 (Steele, Lea, Flood 2014): its state is a counter, so one atomic addition makes it
 * thread-safe. */
#include "tests/fake/seeded_rng.h"
#include <string.h>

static uint64_t seeded_next(struct seeded_rng *r)
{
    const uint64_t step = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = atomic_fetch_add(&r->state, step) + step;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void seeded_fill(void *self, void *out, size_t n)
{
    unsigned char *at = out;
    while (n > 0) {
        uint64_t word = seeded_next(self);
        size_t part = n < sizeof word ? n : sizeof word;
        memcpy(at, &word, part);
        at += part;
        n -= part;
    }
}

void seeded_rng_init(struct seeded_rng *r, uint64_t seed)
{
    r->rng = (struct rng){.fill = seeded_fill, .self = r};
    atomic_init(&r->state, seed);
}
