/* Reconciliation and the audit on the tables in memory: the counterpart of mysql_reconcile.c. */
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FROZEN_UNTIL_US INT64_C(253370764800000000) /* the year 9999 */

void memory_copy_envelope(const struct memory_envelope *row, struct envelope *out)
{
    *out = row->e;
    out->frozen = row->frozen_rule != 0;
}

static int compare_envelopes(const void *a, const void *b)
{
    const struct memory_envelope *x = a, *y = b;
    return id_compare(&x->e.id, &y->e.id);
}

static int compare_seq(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = id_compare(&x->envelope, &y->envelope);
    return order != 0 ? order : x->seq < y->seq ? -1 : x->seq > y->seq ? 1 : 0;
}

static bool is_of(const struct transfer *t, const struct id *envelope)
{
    return t->ref_len >= ID_SIZE && memcmp(t->ref, envelope->b, ID_SIZE) == 0 &&
           (t->kind == TRANSFER_SEND || t->kind == TRANSFER_CLAIM || t->kind == TRANSFER_REFUND);
}

static void collect_claim(struct memory_db *db, const struct claim *c, struct books *out)
{
    struct books_claim b = {.claim = *c};
    struct memory_credit like = {.c = {.envelope = c->envelope}};
    memcpy(like.c.user, c->user, sizeof like.c.user);
    const struct memory_credit *credit = memory_find(db, MEMORY_CREDITS, &like);
    if (credit != NULL) {
        b.pending = true;
        b.pending_seq = credit->c.seq;
        b.pending_fen = credit->c.amount_fen;
    }
    struct transfer wanted =
        transfer_for_claim(c->user, &c->envelope, (uint32_t)c->seq, c->amount_fen, c->opened_us);
    for (size_t i = 0; i < db->tables[MEMORY_TRANSFERS].n; i++) {
        const struct transfer *t = &((const struct transfer *)db->tables[MEMORY_TRANSFERS].rows)[i];
        if (t->kind != TRANSFER_CLAIM || t->ref_len != wanted.ref_len ||
            memcmp(t->ref, wanted.ref, wanted.ref_len) != 0)
            continue;
        b.credited = true;
        b.credited_fen = t->amount_fen;
        memcpy(b.credited_user, t->user, sizeof b.credited_user);
    }
    books_add_claim(out, &b);
}

static void memory_collect_books(struct memory_db *db, const struct memory_envelope *row,
                                 struct books *out)
{
    struct memory_rows *claims = &db->tables[MEMORY_CLAIMS];
    const struct memory_rows *transfers = &db->tables[MEMORY_TRANSFERS];
    struct memory_seed like = {.envelope = row->e.id};
    memset(out, 0, sizeof *out);
    memory_copy_envelope(row, &out->envelope);
    const struct memory_seed *seed = memory_find(db, MEMORY_SEEDS, &like);
    out->seed_row = seed != NULL;
    out->seed_expires_us = seed != NULL ? seed->expires_us : 0;
    out->closing_row = memory_find(db, MEMORY_CLOSINGS, &row->e.id) != NULL;
    if (claims->n > 0)
        qsort(claims->rows, claims->n, sizeof(struct claim), compare_seq);
    for (size_t i = 0; i < claims->n; i++) {
        const struct claim *c = &((const struct claim *)claims->rows)[i];
        if (id_compare(&c->envelope, &row->e.id) == 0)
            collect_claim(db, c, out);
    }
    for (size_t i = 0; i < transfers->n; i++) {
        const struct transfer *t = &((const struct transfer *)transfers->rows)[i];
        if (is_of(t, &row->e.id))
            books_add_transfer(out, t->kind, t->user, t->amount_fen);
    }
}

enum err memory_books_read(struct store *store, const struct id *after, struct books *books,
                           size_t limit, size_t claims_max, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_BOOKS_READ);
    int64_t claims = 0;
    *n = 0;
    if (err != ERR_OK)
        return err;
    assert(!memory_of(store)->in_transaction);
    struct memory_rows *t = &db->tables[MEMORY_ENVELOPES];
    if (t->n > 0)
        qsort(t->rows, t->n, sizeof(struct memory_envelope), compare_envelopes);
    for (size_t i = 0; i < t->n && *n < limit; i++) {
        const struct memory_envelope *row = &((const struct memory_envelope *)t->rows)[i];
        if (row->frozen_rule != 0 || id_compare(&row->e.id, after) <= 0)
            continue;
        claims += row->e.opened_shares;
        if (*n > 0 && claims > (int64_t)claims_max)
            break;
        memory_collect_books(db, row, &books[(*n)++]);
    }
    return memory_leave(store, MEMORY_BOOKS_READ, ERR_OK);
}

static enum err set_not_before(struct memory_store *s, const struct id *id, int64_t not_before_us)
{
    const struct memory_rows *t = &s->db->tables[MEMORY_CREDITS];
    enum err err = ERR_OK;
    for (size_t i = 0; i < t->n && err == ERR_OK; i++) {
        struct memory_credit row = ((const struct memory_credit *)t->rows)[i];
        struct claim like = {.envelope = row.c.envelope};
        memcpy(like.user, row.c.user, sizeof like.user);
        if (id_compare(&row.c.envelope, id) != 0 ||
            memory_find(s->db, MEMORY_CLAIMS, &like) == NULL)
            continue;
        row.not_before_us = not_before_us;
        err = memory_replace(s, MEMORY_CREDITS, &row);
    }
    return err;
}

enum err memory_freeze(struct store *store, const struct id *id, int64_t rule, bool *changed)
{
    struct memory_store *s = memory_of(store);
    enum err err = memory_enter(store, MEMORY_FREEZE);
    *changed = false;
    if (err != ERR_OK)
        return err;
    memory_begin(s);
    const struct memory_envelope *row = memory_find_envelope(s->db, id);
    if (row != NULL && (row->frozen_rule != 0) != (rule != 0)) {
        struct memory_envelope next = *row;
        next.frozen_rule = rule;
        next.e.version++;
        *changed = true;
        err = memory_replace(s, MEMORY_ENVELOPES, &next);
    }
    if (err == ERR_OK)
        err = set_not_before(s, id, rule != 0 ? FROZEN_UNTIL_US : 0);
    if (err == ERR_OK)
        err = memory_commit_inside(s);
    return memory_leave(store, MEMORY_FREEZE, err);
}

enum err memory_frozen_list(struct store *store, struct frozen *out, size_t limit, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_FROZEN_LIST);
    *n = 0;
    if (err != ERR_OK)
        return err;
    struct memory_rows *t = &db->tables[MEMORY_ENVELOPES];
    if (t->n > 0)
        qsort(t->rows, t->n, sizeof(struct memory_envelope), compare_envelopes);
    for (size_t i = 0; i < t->n && *n < limit; i++) {
        const struct memory_envelope *row = &((const struct memory_envelope *)t->rows)[i];
        if (row->frozen_rule != 0)
            out[(*n)++] = (struct frozen){.envelope = row->e.id, .rule = row->frozen_rule};
    }
    return memory_leave(store, MEMORY_FROZEN_LIST, ERR_OK);
}

/* ---- the audit of a test ---- */

static int64_t sum_of_transfers(const struct memory_rows *transfers, const char *user)
{
    int64_t sum_fen = 0;
    for (size_t i = 0; i < transfers->n; i++) {
        const struct transfer *t = &((const struct transfer *)transfers->rows)[i];
        if (user == NULL || strcmp(t->user, user) == 0)
            sum_fen += transfer_sign(t->kind) * t->amount_fen;
    }
    return sum_fen;
}

const char *memory_db_audit(struct memory_db *db)
{
    static char text[256];
    int64_t balances_fen = 0;
    struct books *books = malloc(sizeof *books);
    assert(books != NULL);
    text[0] = '\0';
    pthread_mutex_lock(&db->lock);
    for (size_t i = 0; i < db->tables[MEMORY_ENVELOPES].n; i++) {
        memory_collect_books(
            db, &((const struct memory_envelope *)db->tables[MEMORY_ENVELOPES].rows)[i], books);
        enum books_rule rule = books_check(books);
        if (rule != BOOKS_AGREE)
            snprintf(text, sizeof text, "an envelope breaks %s", books_rule_name((int64_t)rule));
        else if (books->n_lost > 0)
            snprintf(text, sizeof text, "a claim is neither pending nor credited");
    }
    for (size_t i = 0; i < db->tables[MEMORY_ACCOUNTS].n; i++) {
        const struct account *a = &((const struct account *)db->tables[MEMORY_ACCOUNTS].rows)[i];
        int64_t sum_fen = sum_of_transfers(&db->tables[MEMORY_TRANSFERS], a->user);
        balances_fen += a->balance_fen;
        if (sum_fen != a->balance_fen)
            snprintf(text, sizeof text, "balance of %.64s is %lld, its transfers sum to %lld",
                     a->user, (long long)a->balance_fen, (long long)sum_fen);
    }
    if (text[0] == '\0' && balances_fen != sum_of_transfers(&db->tables[MEMORY_TRANSFERS], NULL))
        snprintf(text, sizeof text, "a transfer belongs to no account");
    pthread_mutex_unlock(&db->lock);
    free(books);
    return text[0] != '\0' ? text : NULL;
}
