/* Deadlines, day limits and expiry are rules over time. They can only be tested at their edges
 * where the test sets the time. */
#include "tests/fake/fixed_clock.h"

static int64_t fixed_wall_us(void *self)
{
    struct fixed_clock *f = self;
    return atomic_load(&f->wall_us);
}

static int64_t fixed_mono_us(void *self)
{
    struct fixed_clock *f = self;
    return atomic_load(&f->mono_us);
}

void fixed_clock_init(struct fixed_clock *f)
{
    f->clock = (struct clock){.wall_us = fixed_wall_us, .mono_us = fixed_mono_us, .self = f};
    atomic_init(&f->wall_us, FIXED_CLOCK_WALL_US);
    atomic_init(&f->mono_us, FIXED_CLOCK_MONO_US);
}

void fixed_clock_advance(struct fixed_clock *f, int64_t us)
{
    atomic_fetch_add(&f->wall_us, us);
    atomic_fetch_add(&f->mono_us, us);
}

void fixed_clock_set_wall(struct fixed_clock *f, int64_t wall_us)
{
    atomic_store(&f->wall_us, wall_us);
}
