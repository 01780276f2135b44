/* Credits on the tables in memory: the counterpart of mysql_credit.c. */
#include "lib/base/clock.h"
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool in_lanes(const struct memory_credit *row, uint32_t lanes)
{
    return (lanes >> memory_lane_of(row->c.user) & 1) != 0;
}

enum err memory_credit_lanes(struct store *store, uint32_t *lanes)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_CREDIT_LANES);
    *lanes = 0;
    if (err != ERR_OK)
        return err;
    const struct memory_credit *rows = db->tables[MEMORY_CREDITS].rows;
    for (size_t i = 0; i < db->tables[MEMORY_CREDITS].n; i++)
        if (rows[i].not_before_us <= memory_now_us(db))
            *lanes |= UINT32_C(1) << memory_lane_of(rows[i].c.user);
    return memory_leave(store, MEMORY_CREDIT_LANES, ERR_OK);
}

static int compare_age(const void *a, const void *b)
{
    const struct credit *x = a, *y = b;
    return x->opened_us < y->opened_us ? -1 : x->opened_us > y->opened_us ? 1 : 0;
}

static int compare_amount(const void *a, const void *b)
{
    const struct credit *x = a, *y = b;
    return x->amount_fen > y->amount_fen ? -1 : x->amount_fen < y->amount_fen ? 1 : 0;
}

static int compare_key(const void *a, const void *b)
{
    const struct credit *x = a, *y = b;
    int order = strcmp(x->user, y->user);
    return order != 0 ? order : id_compare(&x->envelope, &y->envelope);
}

static enum err lock_lanes(struct memory_store *s, uint32_t lanes)
{
    enum err err = ERR_OK;
    for (uint32_t lane = 0; lane < LANES && err == ERR_OK; lane++)
        if ((lanes >> lane & 1) != 0)
            err = memory_lock(s, MEMORY_LANES, &lane);
    return err;
}

/* Appends the first `limit` of candidates[0..n) in that order. */
static void take_first(struct credit_set *set, struct credit *candidates, size_t n, size_t limit,
                       int (*compare)(const void *a, const void *b))
{
    qsort(candidates, n, sizeof candidates[0], compare);
    for (size_t i = 0; i < n && i < limit; i++) {
        assert(set->n < CREDIT_BATCH_MAX);
        set->rows[set->n++] = candidates[i];
    }
}

static void sort_distinct(struct credit_set *set)
{
    size_t n = 0;
    if (set->n > 0)
        qsort(set->rows, set->n, sizeof set->rows[0], compare_key);
    for (size_t i = 0; i < set->n; i++)
        if (n == 0 || compare_key(&set->rows[n - 1], &set->rows[i]) != 0)
            set->rows[n++] = set->rows[i];
    set->n = n;
}

static void choose(struct memory_db *db, struct credit_set *set)
{
    const struct memory_rows *t = &db->tables[MEMORY_CREDITS];
    struct credit *candidates = calloc(t->n + 1, sizeof *candidates);
    size_t n = 0, all = set->limit_oldest + set->limit_largest;
    assert(candidates != NULL);
    for (size_t i = 0; i < t->n; i++) {
        const struct memory_credit *row = &((const struct memory_credit *)t->rows)[i];
        if (in_lanes(row, set->lanes) && row->not_before_us <= set->now_us)
            candidates[n++] = row->c;
    }
    take_first(set, candidates, n, all, compare_age);
    bool full = set->n == all;
    bool overdue = set->n > 0 && set->now_us - set->rows[0].opened_us > set->old_after_us;
    if (full && !lanes_single(set->lanes)) {
        set->taken = false;
    } else if (full && !overdue) {
        set->n = set->limit_oldest;
        take_first(set, candidates, n, set->limit_largest, compare_amount);
    }
    free(candidates);
    sort_distinct(set);
}

enum err memory_credit_read(struct store *store, struct credit_set *set)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_CREDIT_READ);
    set->n = 0;
    set->taken = false;
    if (err == ERR_LOCKED)
        return ERR_OK;
    if (err != ERR_OK)
        return err;
    memory_begin(s);
    assert(set->lanes != 0 && set->limit_oldest + set->limit_largest <= CREDIT_BATCH_MAX);
    set->now_us = memory_now_us(s->db);
    set->taken = lock_lanes(s, set->lanes) == ERR_OK;
    if (set->taken)
        choose(s->db, set);
    return memory_leave(store, MEMORY_CREDIT_READ, ERR_OK);
}

enum err memory_add_year(struct memory_store *s, const char *user, int year,
                         const struct year_totals *more)
{
    struct memory_year y = {.year = year};
    assert(strlen(user) < sizeof y.user);
    memcpy(y.user, user, strlen(user));
    const struct memory_year *row = memory_current(s, MEMORY_YEARS, &y);
    if (row != NULL)
        y = *row;
    y.totals.sent_count += more->sent_count;
    y.totals.sent_fen += more->sent_fen;
    y.totals.refunded_fen += more->refunded_fen;
    y.totals.received_count += more->received_count;
    y.totals.received_fen += more->received_fen;
    y.totals.luckiest_count += more->luckiest_count;
    return memory_upsert(s, MEMORY_YEARS, &y);
}

static enum err book(struct memory_store *s, const struct credit *c, const struct transfer *t,
                     int year_offset_min)
{
    const struct year_totals received = {.received_count = 1, .received_fen = c->amount_fen};
    const struct memory_credit credit = {.c = *c};
    enum err err = memory_add_balance(s, c->user, c->amount_fen, true);
    err = err == ERR_OK ? memory_insert_transfer(s, t) : err;
    if (err == ERR_OK)
        err = memory_add_year(s, c->user, clock_year_of(c->opened_us, year_offset_min), &received);
    return err == ERR_OK ? memory_delete(s, MEMORY_CREDITS, &credit) : err;
}

enum err memory_credit_write(struct store *store, const struct credit_set *set,
                             const struct transfer *transfers, int year_offset_min)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_CREDIT_WRITE);
    if (err != ERR_OK)
        return err;
    assert(s->in_transaction && set->n >= 1 && set->n <= CREDIT_BATCH_MAX);
    for (size_t i = 0; i < set->n && err == ERR_OK; i++)
        err = book(s, &set->rows[i], &transfers[i], year_offset_min);
    return memory_leave(store, MEMORY_CREDIT_WRITE, err);
}

enum err memory_credit_postpone(struct store *store, const struct credit *c, int64_t not_before_us)
{
    struct memory_store *s = memory_of(store);
    struct memory_credit credit = {.c = *c};
    enum err err = memory_enter(store, MEMORY_CREDIT_POSTPONE);
    if (err != ERR_OK)
        return err;
    const struct memory_credit *row = memory_find(s->db, MEMORY_CREDITS, &credit);
    if (row != NULL) {
        credit = *row;
        credit.c.attempts++;
        credit.not_before_us = not_before_us;
        err = memory_replace(s, MEMORY_CREDITS, &credit);
    }
    return memory_leave(store, MEMORY_CREDIT_POSTPONE, err);
}

enum err memory_credit_requeue(struct store *store, const struct claim *c)
{
    struct memory_credit credit = {.c = {.envelope = c->envelope,
                                         .seq = c->seq,
                                         .amount_fen = c->amount_fen,
                                         .opened_us = c->opened_us}};
    enum err err = memory_enter(store, MEMORY_CREDIT_REQUEUE);
    if (err != ERR_OK)
        return err;
    memcpy(credit.c.user, c->user, sizeof credit.c.user);
    err = memory_insert(memory_of(store), MEMORY_CREDITS, &credit);
    return memory_leave(store, MEMORY_CREDIT_REQUEUE, err);
}
