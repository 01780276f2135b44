/* Repairs only what is harmless to repair twice; everything else is frozen and left to an operator,
 * because a program that finds wrong books cannot know which table is right. */
#include "lib/service/settle/reconcile.h"
#include "lib/base/log.h"
#include "lib/service/common/freeze.h"
#include "lib/service/common/gate.h"
#include <stdlib.h>
#include <string.h>

#define STEP_ENVELOPES 100
#define STEP_CLAIMS 5000

static void log_repair(const struct runtime *runtime, const struct id *id, const char *what)
{
    char text[ID_TEXT_SIZE];
    id_format(text, id);
    log_event(LOG_LEVEL_WARN, "reconcile_repaired", "envelope %s: %s", text, what);
    metrics_add(runtime->metrics, METRIC_RECONCILE_REPAIRS, 1);
}

/* Queue the credits of lost claims again. A credit that is queued already, that the schema
 * refuses or whose row another daemon holds keeps no others waiting. */
static enum err requeue_lost(const struct runtime *runtime, struct store *store,
                             const struct books *b)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < b->n_lost && i < BOOKS_LOST_MAX && err == ERR_OK; i++) {
        err = store->ops->credit_requeue(store, &b->lost[i]);
        if (err == ERR_OK)
            log_repair(runtime, &b->envelope.id, "queued a lost credit again");
        else
            store->ops->rollback(store);
        if (err_class(err) == CLASS_DATA || err == ERR_LOCKED || err == ERR_DEADLOCK)
            err = ERR_OK;
    }
    return err;
}

/* Return true if no correct process can have written g: e was read after it. */
static bool gate_wrong(const struct runtime *runtime, const struct gate *g,
                       const struct envelope *e)
{
    struct gate right;
    gate_from_envelope(runtime, e, &right);
    return g->shares != right.shares || g->expires_us != right.expires_us ||
           g->restricted != right.restricted || g->guest != right.guest ||
           (g->state != STATE_OPEN && g->state != right.state);
}

/* Return true if e is closed and the gate is open: not wrong, but every grab would reach the
 * primary.
 */
static bool gate_behind(const struct gate *g, const struct envelope *e)
{
    return g->state == STATE_OPEN && e->state != STATE_OPEN;
}

/* Replace the gate by one from the primary's current row. The cas fails if the gate has changed
 * since it was read. A final state is published only when it is durable, hence the barrier. */
static enum err repair_gate(const struct runtime *runtime, struct store *store, struct cache *cache,
                            const struct id *id)
{
    struct gate_item item;
    struct gate seen, right;
    struct envelope e;
    bool valid, found;
    int64_t now_us;
    if (gate_get(runtime, cache, id, &item, &seen, &valid) != CACHE_HIT)
        return ERR_OK;
    enum err err = store->ops->envelope_get(store, id, &e, &found, &now_us);
    if (err != ERR_OK || !found ||
        (valid && !gate_wrong(runtime, &seen, &e) && !gate_behind(&seen, &e)))
        return err;
    if (e.state != STATE_OPEN)
        err = store->ops->barrier(store);
    gate_from_envelope(runtime, &e, &right);
    if (err == ERR_OK && gate_cas(runtime, cache, &item.item, &right) == CACHE_STORED) {
        metrics_add(runtime->metrics, METRIC_GATE_REPAIRED, 1);
        log_repair(runtime, id, "replaced its gate");
    }
    return err;
}

/* Read all gates of a step in one round trip. The snapshot is older than the gates, so one that
 * looks wrong is checked again by itself. */
static enum err check_gates(const struct runtime *runtime, struct store *store, struct cache *cache,
                            const struct books *books, size_t n)
{
    struct cache_item items[STEP_ENVELOPES];
    char(*texts)[GATE_TEXT_SIZE] = calloc(n, sizeof *texts);
    enum err err = texts == NULL ? ERR_FAULT : ERR_OK;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        items[i].value = texts[i];
        items[i].value_cap = sizeof texts[i];
        item_key(items[i].key, ITEM_KEY_GATE, runtime->generation, &books[i].envelope.id);
    }
    if (err == ERR_OK)
        cache->ops->get(cache, items, n);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        const struct envelope *e = &books[i].envelope;
        struct gate g;
        if (items[i].result != CACHE_HIT)
            continue;
        bool valid = gate_read(&g, texts[i], items[i].len, runtime->generation, &e->id);
        if (!valid || gate_wrong(runtime, &g, e) || gate_behind(&g, e))
            err = repair_gate(runtime, store, cache, &e->id);
    }
    free(texts);
    return err;
}

/* Return true if a marker with the answer `stated` may not be there for e: the end is not the
 * stored one, or it is not for everyone. */
static bool marker_wrong(enum envelope_state stated, const struct envelope *e)
{
    return stated != STATE_OPEN && (stated != e->state || e->to_kind != TO_ANYONE);
}

static void log_stuck_marker(const struct runtime *runtime, const struct id *id)
{
    char text[ID_TEXT_SIZE];
    id_format(text, id);
    log_event(LOG_LEVEL_ERROR, "reconcile_alarm",
              "envelope %s: its marker states a wrong end and cannot be removed", text);
    metrics_add(runtime->metrics, METRIC_RECONCILE_ALARMS, 1);
}

/* Remove the marker of the envelope in b if it is wrong: no correct process made it, or it was made
 * before the database lost its end, and the web server answers every grab with it. The snapshot may
 * be older than the marker, so the primary's current row decides. */
static enum err check_marker(const struct runtime *runtime, struct store *store,
                             const struct books *b)
{
    const struct id *id = &b->envelope.id;
    struct envelope e;
    bool found;
    int64_t now_us;
    enum envelope_state stated = marker_state(runtime->markers, runtime->generation, id);
    if (!marker_wrong(stated, &b->envelope))
        return ERR_OK;
    enum err err = store->ops->envelope_get(store, id, &e, &found, &now_us);
    if (err != ERR_OK || !found || !marker_wrong(stated, &e))
        return err;
    if (!marker_remove(runtime->markers, runtime->generation, id))
        log_stuck_marker(runtime, id);
    else
        log_repair(runtime, id, "removed its marker, which stated a wrong end");
    return ERR_OK;
}

static enum err check_books(const struct runtime *runtime, struct store *store,
                            const struct books *b)
{
    enum books_rule rule = books_check(b);
    return rule != BOOKS_AGREE ? freeze_envelope(runtime, store, &b->envelope.id, rule)
                               : requeue_lost(runtime, store, b);
}

/* Begin where the program stopped, but never before the oldest envelope that is compared. A restart
 * at the beginning would let a fault that ends the program hide everything that comes later. */
static void reconcile_begin(const struct runtime *runtime, struct reconcile *r)
{
    struct id floor = id_floor(runtime->clock->wall_us(runtime->clock->self) -
                               runtime->config->reconcile_days * S_PER_DAY * US_PER_S);
    if (!r->resumed)
        r->after = id_floor(metrics_get_reconciled(runtime->metrics));
    r->resumed = true;
    if (id_compare(&r->after, &floor) < 0)
        r->after = floor;
}

static void reconcile_advance(const struct runtime *runtime, struct reconcile *r,
                              const struct id *last)
{
    r->after = last != NULL ? *last : (struct id){{0}};
    metrics_set_reconciled(runtime->metrics, last != NULL ? id_time_us(last) : 0);
}

enum err reconcile_step(const struct runtime *runtime, struct store *store, struct cache *cache,
                        struct reconcile *r)
{
    struct books *books = calloc(STEP_ENVELOPES, sizeof *books);
    size_t n = 0;
    if (books == NULL)
        return ERR_FAULT;
    reconcile_begin(runtime, r);
    enum err err = store->ops->books_read(store, &r->after, books, STEP_ENVELOPES, STEP_CLAIMS, &n);
    for (size_t i = 0; i < n && err == ERR_OK; i++)
        err = check_books(runtime, store, &books[i]);
    for (size_t i = 0; i < n && err == ERR_OK; i++)
        err = check_marker(runtime, store, &books[i]);
    if (err == ERR_OK && n > 0)
        err = check_gates(runtime, store, cache, books, n);
    if (err == ERR_OK)
        reconcile_advance(runtime, r, n > 0 ? &books[n - 1].envelope.id : NULL);
    else
        store->ops->rollback(store);
    free(books);
    return err;
}
