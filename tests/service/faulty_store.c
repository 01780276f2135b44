#include "tests/service/faulty_store.h"
#include <stdlib.h>

struct faulty {
    struct store store;
    struct store_ops ops; /* the real ones, but for those that may fail */
    struct store *real;
    struct faults *faults;
};

static struct faulty *of(struct store *s)
{
    return (struct faulty *)s;
}

/* True if this call is the one that fails. */
static bool strikes(struct store *s)
{
    struct faults *f = of(s)->faults;
    f->calls++;
    if (f->at == 0 || f->struck || f->calls != f->at)
        return false;
    f->struck = true;
    return true;
}

/* Runs call unless the fault prevents it; the outcome that the caller is told. */
#define FAULTY(s, call)                                                                            \
    do {                                                                                           \
        enum fault kind_ = of(s)->faults->kind;                                                    \
        if (!strikes(s))                                                                           \
            return of(s)->real->ops->call;                                                         \
        if (kind_ == FAULT_LOST)                                                                   \
            (void)(of(s)->real->ops->call == ERR_OK);                                              \
        return kind_ == FAULT_DEADLOCK ? ERR_DEADLOCK : ERR_UNAVAILABLE;                           \
    } while (0)

static void faulty_close(struct store *s)
{
    of(s)->real->ops->close(of(s)->real);
    free(s);
}

static void faulty_set_deadline(struct store *s, int64_t mono_us)
{
    of(s)->real->ops->set_deadline(of(s)->real, mono_us);
}

static enum err faulty_commit(struct store *s)
{
    enum fault kind = of(s)->faults->kind;
    struct store *real = of(s)->real;
    if (!strikes(s))
        return real->ops->commit(real);
    if (kind == FAULT_DEADLOCK)
        return ERR_DEADLOCK;
    if (kind == FAULT_LOST)
        return real->ops->commit(real) == ERR_OK ? ERR_UNCERTAIN : ERR_FAULT;
    real->ops->rollback(real);
    return kind == FAULT_UNCERTAIN ? ERR_UNCERTAIN : ERR_UNAVAILABLE;
}

static void faulty_rollback(struct store *s)
{
    of(s)->real->ops->rollback(of(s)->real);
}

static enum err faulty_barrier(struct store *s)
{
    FAULTY(s, barrier(of(s)->real));
}

static enum err faulty_open_read(struct store *s, struct open_set *set)
{
    FAULTY(s, open_read(of(s)->real, set));
}

static enum err faulty_open_look(struct store *s, struct open_set *set)
{
    FAULTY(s, open_look(of(s)->real, set));
}

static enum err faulty_open_write(struct store *s, const struct open_set *set)
{
    FAULTY(s, open_write(of(s)->real, set));
}

static enum err faulty_thanks_write(struct store *s, const struct claim *c)
{
    FAULTY(s, thanks_write(of(s)->real, c));
}

static enum err faulty_send_read(struct store *s, struct send_set *set)
{
    FAULTY(s, send_read(of(s)->real, set));
}

static enum err faulty_send_write(struct store *s, const struct send_set *set)
{
    FAULTY(s, send_write(of(s)->real, set));
}

static enum err faulty_wallet_read(struct store *s, struct wallet_row *row)
{
    FAULTY(s, wallet_read(of(s)->real, row));
}

static enum err faulty_wallet_write(struct store *s, const struct wallet_row *row)
{
    FAULTY(s, wallet_write(of(s)->real, row));
}

static enum err faulty_credit_lanes(struct store *s, uint32_t *lanes)
{
    FAULTY(s, credit_lanes(of(s)->real, lanes));
}

static enum err faulty_credit_read(struct store *s, struct credit_set *set)
{
    FAULTY(s, credit_read(of(s)->real, set));
}

static enum err faulty_credit_write(struct store *s, const struct credit_set *set,
                                    const struct transfer *transfers, int year_offset_min)
{
    FAULTY(s, credit_write(of(s)->real, set, transfers, year_offset_min));
}

static enum err faulty_refund_write(struct store *s, const struct open_set *set,
                                    const struct transfer *transfers, size_t n)
{
    FAULTY(s, refund_write(of(s)->real, set, transfers, n));
}

struct store *faulty_store_new(struct store *real, struct faults *faults)
{
    struct faulty *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->real = real;
    f->faults = faults;
    f->store.ops = &f->ops;
    f->ops = (struct store_ops){.close = faulty_close,
                                .set_deadline = faulty_set_deadline,
                                .commit = faulty_commit,
                                .rollback = faulty_rollback,
                                .barrier = faulty_barrier,
                                .open_read = faulty_open_read,
                                .open_look = faulty_open_look,
                                .thanks_write = faulty_thanks_write,
                                .open_write = faulty_open_write,
                                .send_read = faulty_send_read,
                                .send_write = faulty_send_write,
                                .wallet_read = faulty_wallet_read,
                                .wallet_write = faulty_wallet_write,
                                .credit_lanes = faulty_credit_lanes,
                                .credit_read = faulty_credit_read,
                                .credit_write = faulty_credit_write,
                                .refund_write = faulty_refund_write};
    return &f->store;
}
