/* Rows, primary and unique keys, and checks: the counterpart of sql/0001_initial.sql. */
#include "tests/fake/memory_store_internal.h"
#include <string.h>

static bool same_envelope(const void *a, const void *b)
{
    const struct memory_envelope *x = a, *y = b;
    return id_compare(&x->e.id, &y->e.id) == 0;
}

static bool same_seed(const void *a, const void *b)
{
    const struct memory_seed *x = a, *y = b;
    return id_compare(&x->envelope, &y->envelope) == 0;
}

static bool same_claim(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return id_compare(&x->envelope, &y->envelope) == 0 && strcmp(x->user, y->user) == 0;
}

static bool same_seq(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return id_compare(&x->envelope, &y->envelope) == 0 && x->seq == y->seq;
}

static bool same_credit(const void *a, const void *b)
{
    const struct memory_credit *x = a, *y = b;
    return id_compare(&x->c.envelope, &y->c.envelope) == 0 && strcmp(x->c.user, y->c.user) == 0;
}

static bool same_transfer(const void *a, const void *b)
{
    const struct transfer *x = a, *y = b;
    return id_compare(&x->id, &y->id) == 0 && strcmp(x->user, y->user) == 0;
}

static bool same_reference(const void *a, const void *b)
{
    const struct transfer *x = a, *y = b;
    return x->kind == y->kind && x->ref_len == y->ref_len &&
           memcmp(x->ref, y->ref, x->ref_len) == 0 && strcmp(x->backend, y->backend) == 0;
}

static bool same_account(const void *a, const void *b)
{
    const struct account *x = a, *y = b;
    return strcmp(x->user, y->user) == 0;
}

static bool same_key(const void *a, const void *b)
{
    const struct memory_key *x = a, *y = b;
    return memcmp(x->key_hash, y->key_hash, sizeof x->key_hash) == 0;
}

static bool same_id(const void *a, const void *b)
{
    return id_compare(a, b) == 0;
}

static bool same_year(const void *a, const void *b)
{
    const struct memory_year *x = a, *y = b;
    return strcmp(x->user, y->user) == 0 && x->year == y->year;
}

static bool same_rule(const void *a, const void *b)
{
    const struct user_rule *x = a, *y = b;
    return strcmp(x->user, y->user) == 0;
}

static bool same_lane(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(uint32_t)) == 0;
}

/* The checks of sql/0001_initial.sql. */
static bool envelope_within(const void *row)
{
    const struct envelope *e = &((const struct memory_envelope *)row)->e;
    return e->opened_shares >= 0 && e->opened_shares <= e->shares && e->opened_fen >= 0 &&
           e->refunded_fen >= 0 && e->opened_fen + e->refunded_fen <= e->total_fen;
}

static bool claim_within(const void *row)
{
    return ((const struct claim *)row)->amount_fen > 0;
}

static bool transfer_within(const void *row)
{
    return ((const struct transfer *)row)->amount_fen > 0;
}

static bool account_within(const void *row)
{
    return ((const struct account *)row)->balance_fen >= 0;
}

struct table_rules {
    size_t size;
    memory_same_fn *keys[2]; /* the primary key first; NULL: none */
    bool (*within)(const void *row);
};
static const struct table_rules rules[MEMORY_TABLES] = {
    [MEMORY_ENVELOPES] = {sizeof(struct memory_envelope), {same_envelope}, envelope_within},
    [MEMORY_SEEDS] = {sizeof(struct memory_seed), {same_seed}, NULL},
    [MEMORY_CLAIMS] = {sizeof(struct claim), {same_claim, same_seq}, claim_within},
    [MEMORY_CREDITS] = {sizeof(struct memory_credit), {same_credit}, NULL},
    [MEMORY_TRANSFERS] = {sizeof(struct transfer),
                          {same_transfer, same_reference},
                          transfer_within},
    [MEMORY_ACCOUNTS] = {sizeof(struct account), {same_account}, account_within},
    [MEMORY_KEYS] = {sizeof(struct memory_key), {same_key}, NULL},
    [MEMORY_CLOSINGS] = {sizeof(struct id), {same_id}, NULL},
    [MEMORY_YEARS] = {sizeof(struct memory_year), {same_year}, NULL},
    [MEMORY_RULES] = {sizeof(struct user_rule), {same_rule}, NULL},
    [MEMORY_LANES] = {sizeof(uint32_t), {same_lane}, NULL},
};

size_t memory_row_size(enum memory_table table)
{
    return rules[table].size;
}

bool memory_same(enum memory_table table, const void *a, const void *b)
{
    return rules[table].keys[0](a, b);
}

memory_same_fn *memory_key(enum memory_table table, size_t k)
{
    return rules[table].keys[k];
}

bool memory_is_within(enum memory_table table, const void *row)
{
    return rules[table].within == NULL || rules[table].within(row);
}
