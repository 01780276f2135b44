/* All comparisons are of offsets between two clocks, so that it does not matter how often the guard
 * looks. A look takes time: the offset is only known to lie between two values. */
#include "lib/service/common/clock_guard.h"
#include "lib/base/log.h"
#include "lib/store/store.h"

#define PRECISE_US INT64_C(100000) /* a look no longer than this corrects the trusted offset */
#define DRIFT_DIVISOR 1000
#define UNKNOWN_US (INT64_MAX / 4)

void clock_guard_init(struct clock_guard *g, const struct runtime *runtime)
{
    *g = (struct clock_guard){.runtime = runtime};
    atomic_init(&g->offset_us, INT64_MIN);
    atomic_init(&g->keys_after_us, 0);
}

static int64_t guard_mono_us(const struct clock_guard *g)
{
    return g->runtime->clock->mono_us(g->runtime->clock->self);
}

/* The offset lies between low_us and high_us. Return true if that agrees with one between from_us
 * and to_us that was confirmed for_us ago. */
static bool offset_agrees(int64_t low_us, int64_t high_us, int64_t from_us, int64_t to_us,
                          int64_t for_us)
{
    int64_t slack_us = CLOCK_STEP_US + for_us / DRIFT_DIVISOR;
    return low_us <= to_us + slack_us && high_us >= from_us - slack_us;
}

static void guard_trust(struct clock_guard *g, int64_t low_us, int64_t high_us, int64_t now_us)
{
    int64_t middle_us = low_us + (high_us - low_us) / 2;
    g->held = false;
    atomic_store(&g->offset_us, middle_us);
    if (high_us - low_us > PRECISE_US && g->low_us == g->high_us)
        return;
    g->low_us = g->high_us = middle_us;
    g->looked_us = now_us;
}

static void guard_hold(struct clock_guard *g, int64_t offset_us, int64_t now_us)
{
    int64_t trusted_us = offset_us > g->high_us ? g->high_us : g->low_us;
    if (!g->held)
        log_event(LOG_LEVEL_WARN, "clock_stepped",
                  "the database's clock is off by %lld s: refunds and the deletion of idempotency "
                  "keys wait until it is back or has been steady for %lld s",
                  (long long)((offset_us - trusted_us) / US_PER_S),
                  (long long)g->runtime->config->clock_steady_s);
    g->held = true;
    g->new_us = offset_us;
    g->new_since_us = now_us;
    g->next_write_us = now_us;
    atomic_store(&g->offset_us, INT64_MIN);
}

/* The new time is right. */
static void guard_accept(struct clock_guard *g, int64_t low_us, int64_t high_us, int64_t now_us)
{
    int64_t keys_after_us =
        now_us + high_us + g->runtime->config->idempotency_days * S_PER_DAY * US_PER_S;
    bool ahead = low_us > g->high_us;
    if (ahead)
        atomic_store(&g->keys_after_us, keys_after_us);
    log_event(LOG_LEVEL_WARN, "clock_accepted", "the database's clock has been steady%s",
              ahead ? "; idempotency keys are kept for idempotency_days from now" : "");
    g->low_us = low_us;
    g->high_us = high_us;
    guard_trust(g, low_us, high_us, now_us);
}

bool clock_guard_note(struct clock_guard *g, int64_t primary_us, int64_t before_us)
{
    int64_t now_us = guard_mono_us(g);
    int64_t low_us = primary_us - now_us, high_us = primary_us - before_us;
    if (offset_agrees(low_us, high_us, g->low_us, g->high_us, now_us - g->looked_us)) {
        if (g->held)
            log_event(LOG_LEVEL_INFO, "clock_returned", "the database's clock is back");
        g->next_write_us = g->held ? now_us : g->next_write_us;
        guard_trust(g, low_us, high_us, now_us);
    } else if (!g->held ||
               !offset_agrees(low_us, high_us, g->new_us, g->new_us, now_us - g->new_since_us)) {
        guard_hold(g, high_us, now_us);
    } else if (now_us - g->new_since_us >= g->runtime->config->clock_steady_s * US_PER_S) {
        guard_accept(g, low_us, high_us, now_us);
        g->next_write_us = now_us;
    }
    return !g->held;
}

/* The time may have been trusted just before this process started, or a gap before. */
static void guard_start(struct clock_guard *g, const struct clock_row *row, int64_t now_us)
{
    bool known = row->seen_us != 0;
    g->low_us = known ? row->seen_us - now_us : -UNKNOWN_US;
    g->high_us = known ? row->seen_us + CLOCK_GAP_US - now_us : UNKNOWN_US;
    g->looked_us = now_us;
    g->started = true;
    atomic_store(&g->keys_after_us, row->keys_after_us);
}

static enum err guard_look(struct clock_guard *g, struct store *store)
{
    struct clock_row row;
    int64_t before_us = guard_mono_us(g);
    enum err err = store->ops->clock_read(store, &row);
    if (err != ERR_OK)
        return err;
    if (!g->started)
        guard_start(g, &row, before_us);
    bool trusted = clock_guard_note(g, row.now_us, before_us);
    if (before_us < g->next_write_us)
        return ERR_OK;
    row.held_us = trusted ? 0 : row.now_us;
    row.seen_us = trusted ? row.now_us : row.seen_us;
    row.keys_after_us = atomic_load(&g->keys_after_us);
    err = store->ops->clock_write(store, &row);
    if (err == ERR_OK)
        g->next_write_us = before_us + CLOCK_WRITE_US;
    return err;
}

enum err clock_guard_look(struct clock_guard *g, struct store *store)
{
    enum err err = guard_look(g, store);
    if (err != ERR_OK)
        store->ops->rollback(store);
    return err;
}

bool clock_guard_keys_now(const struct clock_guard *g, int64_t *now_us)
{
    int64_t offset_us = atomic_load(&g->offset_us);
    if (offset_us == INT64_MIN)
        return false;
    *now_us = guard_mono_us(g) + offset_us;
    return *now_us >= atomic_load(&g->keys_after_us);
}

bool clock_witnessed(const struct clock_row *row)
{
    return row->seen_us == 0 ||
           (row->held_us == 0 && row->now_us - row->seen_us <= CLOCK_WITNESS_US);
}
