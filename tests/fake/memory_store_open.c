/* Opens, closings and refunds on the tables in memory: the counterpart of mysql_open.c and
 * mysql_close.c. */
#include "lib/base/clock.h"
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static enum err read_envelope(struct memory_store *s, struct open_set *set, size_t i)
{
    struct memory_seed like = {.envelope = set->ids[i]};
    struct envelope *e = &set->envelopes[i];
    const struct memory_envelope *row = memory_find_envelope(s->db, &set->ids[i]);
    if (row == NULL)
        return ERR_OK;
    memory_copy_envelope(row, e);
    const struct memory_seed *seed = memory_find(s->db, MEMORY_SEEDS, &like);
    if (!e->has_seed && seed != NULL) {
        e->has_seed = true;
        memcpy(e->seed, seed->seed, sizeof e->seed);
    }
    set->exists[i] = true;
    set->opened_before[i] = e->opened_shares;
    return memory_lock(s, MEMORY_ENVELOPES, row);
}

static void look_for_claims(struct memory_store *s, struct open_set *set)
{
    for (size_t i = 0; i < set->n_rows; i++) {
        struct open_row *r = &set->rows[i];
        struct claim like = {.envelope = r->envelope};
        if (!r->look)
            continue;
        assert(strlen(r->user) < sizeof like.user);
        memcpy(like.user, r->user, strlen(r->user));
        const struct claim *c = memory_find(s->db, MEMORY_CLAIMS, &like);
        r->found = c != NULL;
        if (c != NULL)
            r->claim = *c;
    }
}

enum err memory_open_read(struct store *store, struct open_set *set)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_OPEN_READ);
    if (err != ERR_OK)
        return err;
    memory_begin(s);
    assert(set->n_envelopes >= 1 && set->n_envelopes <= BATCH_MAX && set->n_rows <= BATCH_MAX);
    for (size_t i = 0; i < set->n_envelopes && err == ERR_OK; i++) {
        assert(i == 0 || id_compare(&set->ids[i - 1], &set->ids[i]) < 0);
        err = read_envelope(s, set, i);
    }
    if (err == ERR_OK)
        look_for_claims(s, set);
    set->now_us = memory_now_us(s->db);
    return memory_leave(store, MEMORY_OPEN_READ, err);
}

enum err memory_open_look(struct store *store, struct open_set *set)
{
    enum err err = memory_enter(store, MEMORY_OPEN_LOOK);
    if (err != ERR_OK)
        return err;
    assert(memory_of(store)->in_transaction);
    look_for_claims(memory_of(store), set);
    return memory_leave(store, MEMORY_OPEN_LOOK, ERR_OK);
}

static enum err insert_claim(struct memory_store *s, const struct claim *c)
{
    struct memory_credit credit = {.c = {.envelope = c->envelope,
                                         .seq = c->seq,
                                         .amount_fen = c->amount_fen,
                                         .opened_us = c->opened_us}};
    memcpy(credit.c.user, c->user, sizeof credit.c.user);
    enum err err = memory_insert(s, MEMORY_CLAIMS, c);
    return err == ERR_OK ? memory_insert(s, MEMORY_CREDITS, &credit) : err;
}

enum err memory_open_write(struct store *store, const struct open_set *set)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_OPEN_WRITE);
    if (err != ERR_OK)
        return err;
    assert(s->in_transaction);
    for (size_t i = 0; i < set->n_rows && err == ERR_OK; i++)
        if (set->rows[i].insert)
            err = insert_claim(s, &set->rows[i].claim);
    if (err == ERR_OK)
        err = memory_update_envelopes(s, set);
    return memory_leave(store, MEMORY_OPEN_WRITE, err);
}

enum err memory_thanks_write(struct store *store, const struct claim *c)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_THANKS_WRITE);
    if (err != ERR_OK)
        return err;
    assert(s->in_transaction);
    const struct claim *claim = memory_find(s->db, MEMORY_CLAIMS, c);
    const struct memory_envelope *envelope = memory_find_envelope(s->db, &c->envelope);
    if (claim == NULL || envelope == NULL)
        return memory_leave(store, MEMORY_THANKS_WRITE, ERR_FAULT);
    struct claim thanked = *claim;
    struct memory_envelope row = *envelope;
    thanked.thanks = c->thanks;
    row.e.version++;
    err = memory_replace(s, MEMORY_CLAIMS, &thanked);
    if (err == ERR_OK)
        err = memory_replace(s, MEMORY_ENVELOPES, &row);
    return memory_leave(store, MEMORY_THANKS_WRITE, err);
}

/* Only what an open or a closing changes, and only of an open envelope. */
static enum err update_envelope(struct memory_store *s, const struct open_set *set, size_t i)
{
    const struct envelope *e = &set->envelopes[i];
    struct memory_envelope row;
    const struct memory_envelope *now = memory_find_envelope(s->db, &set->ids[i]);
    if (now == NULL || now->e.state != STATE_OPEN)
        return ERR_FAULT;
    row = *now;
    row.e.version = e->version;
    if (e->opened_shares > set->opened_before[i]) {
        row.e.opened_shares = e->opened_shares;
        row.e.opened_fen = e->opened_fen;
    }
    if (e->luckiest_seq > set->opened_before[i]) {
        row.e.luckiest_seq = e->luckiest_seq;
        row.e.luckiest_fen = e->luckiest_fen;
        memcpy(row.e.luckiest_user, e->luckiest_user, sizeof row.e.luckiest_user);
        memcpy(row.e.luckiest_name, e->luckiest_name, sizeof row.e.luckiest_name);
    }
    if (e->state == STATE_OPEN)
        return memory_replace(s, MEMORY_ENVELOPES, &row);
    row.e.state = e->state;
    row.e.closed_us = e->closed_us;
    row.e.closed_by = e->closed_by;
    row.e.refunded_fen = e->refunded_fen;
    row.e.has_seed = true;
    memcpy(row.e.seed, e->seed, sizeof row.e.seed);
    struct memory_seed seed = {.envelope = set->ids[i]};
    enum err err = memory_replace(s, MEMORY_ENVELOPES, &row);
    err = err == ERR_OK ? memory_delete(s, MEMORY_SEEDS, &seed) : err;
    return err == ERR_OK ? memory_insert(s, MEMORY_CLOSINGS, &set->ids[i]) : err;
}

enum err memory_update_envelopes(struct memory_store *s, const struct open_set *set)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < set->n_envelopes && err == ERR_OK; i++)
        if (set->changed[i])
            err = update_envelope(s, set, i);
    return err;
}

enum err memory_refund_write(struct store *store, const struct open_set *set,
                             const struct transfer *transfers, size_t n)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_REFUND_WRITE);
    if (err != ERR_OK)
        return err;
    assert(s->in_transaction && n <= BATCH_MAX);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        if (transfers[i].amount_fen == 0)
            continue;
        err = memory_add_balance(s, transfers[i].user, transfers[i].amount_fen, false);
        err = err == ERR_OK ? memory_insert_transfer(s, &transfers[i]) : err;
    }
    if (err == ERR_OK)
        err = memory_update_envelopes(s, set);
    return memory_leave(store, MEMORY_REFUND_WRITE, err);
}

static int compare_due(const void *a, const void *b)
{
    const struct memory_seed *x = a, *y = b;
    return x->expires_us < y->expires_us ? -1 : x->expires_us > y->expires_us ? 1 : 0;
}

enum err memory_due_list(struct store *store, struct id *ids, size_t limit, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_DUE_LIST);
    *n = 0;
    if (err != ERR_OK)
        return err;
    struct memory_rows *t = &db->tables[MEMORY_SEEDS];
    struct memory_seed *sorted = calloc(t->n + 1, sizeof *sorted);
    size_t open = 0;
    assert(sorted != NULL);
    for (size_t i = 0; i < t->n; i++) {
        sorted[open] = ((const struct memory_seed *)t->rows)[i];
        const struct memory_envelope *row = memory_find_envelope(db, &sorted[open].envelope);
        open += row != NULL && row->frozen_rule == 0 ? 1 : 0;
    }
    qsort(sorted, open, sizeof *sorted, compare_due);
    for (size_t i = 0; i < open && *n < limit && sorted[i].expires_us <= memory_now_us(db); i++)
        ids[(*n)++] = sorted[i].envelope;
    free(sorted);
    return memory_leave(store, MEMORY_DUE_LIST, ERR_OK);
}

static int compare_ids(const void *a, const void *b)
{
    return id_compare(a, b);
}

enum err memory_closing_list(struct store *store, struct closing *out, size_t limit, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_CLOSING_LIST);
    *n = 0;
    if (err != ERR_OK)
        return err;
    struct memory_rows *t = &db->tables[MEMORY_CLOSINGS];
    if (t->n > 0)
        qsort(t->rows, t->n, sizeof(struct id), compare_ids);
    for (size_t i = 0; i < t->n && *n < limit; i++) {
        const struct memory_envelope *row =
            memory_find_envelope(db, &((const struct id *)t->rows)[i]);
        if (row != NULL)
            out[(*n)++] = (struct closing){
                .id = row->e.id, .state = row->e.state, .restricted = row->e.to_kind != TO_ANYONE};
    }
    return memory_leave(store, MEMORY_CLOSING_LIST, ERR_OK);
}

static enum err tally_one(struct memory_store *s, const struct envelope *e, int year_offset_min)
{
    const struct year_totals sent = {
        .sent_count = 1, .sent_fen = e->total_fen, .refunded_fen = e->refunded_fen};
    const struct year_totals lucky = {.luckiest_count = 1};
    struct claim like = {.envelope = e->id};
    memcpy(like.user, e->luckiest_user, sizeof like.user);
    const struct claim *c = memory_find(s->db, MEMORY_CLAIMS, &like);
    enum err err =
        memory_add_year(s, e->sender, clock_year_of(e->created_us, year_offset_min), &sent);
    if (err == ERR_OK && e->luckiest_user[0] != '\0')
        err = memory_add_year(s, e->luckiest_user,
                              clock_year_of(c != NULL ? c->opened_us : 0, year_offset_min), &lucky);
    return err == ERR_OK ? memory_delete(s, MEMORY_CLOSINGS, &e->id) : err;
}

enum err memory_tally_run(struct store *store, int year_offset_min, const struct closing *closings,
                          size_t n, size_t *done)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_TALLY_RUN);
    size_t count = 0;
    *done = 0;
    if (err != ERR_OK)
        return err;
    memory_begin(s);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        const struct memory_envelope *row = memory_find_envelope(s->db, &closings[i].id);
        if (row == NULL || memory_current(s, MEMORY_CLOSINGS, &closings[i].id) == NULL)
            continue;
        err = memory_lock(s, MEMORY_ENVELOPES, row);
        err = err == ERR_OK ? tally_one(s, &row->e, year_offset_min) : err;
        count++;
    }
    if (err == ERR_OK)
        err = memory_commit_inside(s);
    if (err == ERR_OK)
        *done = count;
    return memory_leave(store, MEMORY_TALLY_RUN, err);
}
