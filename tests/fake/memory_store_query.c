/* Plain reads of the tables in memory: the counterpart of mysql_query.c and mysql_history.c. */
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(db, table, type) ((const type *)(db)->tables[table].rows)
#define COUNT(db, table) ((db)->tables[table].n)

enum err memory_envelope_get(struct store *store, const struct id *id, struct envelope *e,
                             bool *found, int64_t *now_us)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_ENVELOPE_GET);
    *found = false;
    if (err != ERR_OK)
        return err;
    const struct memory_envelope *row = memory_find_envelope(db, id);
    *found = row != NULL;
    if (row != NULL)
        memory_copy_envelope(row, e);
    *now_us = memory_now_us(db);
    return memory_leave(store, MEMORY_ENVELOPE_GET, ERR_OK);
}

enum err memory_version_get(struct store *store, const struct id *id, int64_t *version)
{
    enum err err = memory_enter(store, MEMORY_VERSION_GET);
    *version = 0;
    if (err != ERR_OK)
        return err;
    const struct memory_envelope *row = memory_find_envelope(memory_of(store)->db, id);
    *version = row != NULL ? row->e.version : 0;
    return memory_leave(store, MEMORY_VERSION_GET, ERR_OK);
}

enum err memory_claim_get(struct store *store, const struct id *id, const char *user,
                          struct claim *c, bool *found)
{
    struct claim like = {.envelope = *id};
    enum err err = memory_enter(store, MEMORY_CLAIM_GET);
    *found = false;
    if (err != ERR_OK)
        return err;
    assert(strlen(user) < sizeof like.user);
    memcpy(like.user, user, strlen(user));
    const struct claim *row = memory_find(memory_of(store)->db, MEMORY_CLAIMS, &like);
    *found = row != NULL;
    if (row != NULL)
        *c = *row;
    return memory_leave(store, MEMORY_CLAIM_GET, ERR_OK);
}

static int compare_seq(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq ? 1 : 0;
}

enum err memory_claims_page(struct store *store, const struct id *id, int64_t after_seq,
                            size_t limit, struct claim *out, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_CLAIMS_PAGE);
    *n = 0;
    if (err != ERR_OK)
        return err;
    size_t found = 0;
    struct claim *all = calloc(COUNT(db, MEMORY_CLAIMS) + 1, sizeof *all);
    assert(all != NULL);
    for (size_t i = 0; i < COUNT(db, MEMORY_CLAIMS); i++) {
        const struct claim *c = &ROWS(db, MEMORY_CLAIMS, struct claim)[i];
        if (id_compare(&c->envelope, id) == 0 && c->seq > after_seq)
            all[found++] = *c;
    }
    qsort(all, found, sizeof *all, compare_seq);
    *n = found < limit ? found : limit;
    memcpy(out, all, *n * sizeof *out);
    free(all);
    return memory_leave(store, MEMORY_CLAIMS_PAGE, ERR_OK);
}

enum err memory_account_get(struct store *store, const char *user, struct account *a,
                            int64_t *pending_fen)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_ACCOUNT_GET);
    *pending_fen = 0;
    memset(a, 0, sizeof *a);
    assert(strlen(user) < sizeof a->user);
    memcpy(a->user, user, strlen(user));
    if (err != ERR_OK)
        return err;
    const struct account *row = memory_find(db, MEMORY_ACCOUNTS, a);
    if (row != NULL)
        *a = *row;
    a->exists = row != NULL;
    for (size_t i = 0; i < COUNT(db, MEMORY_CREDITS); i++) {
        const struct credit *c = &ROWS(db, MEMORY_CREDITS, struct memory_credit)[i].c;
        *pending_fen += strcmp(c->user, user) == 0 ? c->amount_fen : 0;
    }
    return memory_leave(store, MEMORY_ACCOUNT_GET, ERR_OK);
}

/* True if id lies in from..to and before the cursor. */
static bool in_range(const struct id *id, int64_t from_us, int64_t to_us,
                     const struct page_after *after)
{
    struct id low = id_floor(from_us), high = id_floor(to_us);
    return id_compare(id, &low) >= 0 && id_compare(id, &high) < 0 &&
           (!after->set || id_compare(id, &after->id) < 0);
}

static int compare_sent(const void *a, const void *b)
{
    const struct envelope *x = a, *y = b;
    return id_compare(&y->id, &x->id);
}

enum err memory_sent_page(struct store *store, const char *user, int64_t from_us, int64_t to_us,
                          const struct page_after *after, size_t limit, struct envelope *out,
                          size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_SENT_PAGE);
    *n = 0;
    if (err != ERR_OK)
        return err;
    size_t found = 0;
    struct envelope *all = calloc(COUNT(db, MEMORY_ENVELOPES) + 1, sizeof *all);
    assert(all != NULL);
    for (size_t i = 0; i < COUNT(db, MEMORY_ENVELOPES); i++) {
        const struct memory_envelope *row = &ROWS(db, MEMORY_ENVELOPES, struct memory_envelope)[i];
        if (strcmp(row->e.sender, user) == 0 && in_range(&row->e.id, from_us, to_us, after))
            memory_copy_envelope(row, &all[found++]);
    }
    qsort(all, found, sizeof *all, compare_sent);
    *n = found < limit ? found : limit;
    memcpy(out, all, *n * sizeof *out);
    free(all);
    return memory_leave(store, MEMORY_SENT_PAGE, ERR_OK);
}

static int compare_received(const void *a, const void *b)
{
    const struct received_item *x = a, *y = b;
    return id_compare(&y->cursor.id, &x->cursor.id);
}

static void put_received(struct memory_db *db, const struct claim *c, bool credited,
                         struct received_item *out)
{
    const struct memory_envelope *row = memory_find_envelope(db, &c->envelope);
    assert(row != NULL);
    *out = (struct received_item){
        .envelope = c->envelope,
        .theme = row->e.theme,
        .amount_fen = c->amount_fen,
        .seq = c->seq,
        .opened_us = c->opened_us,
        .credited = credited,
        .luckiest = row->e.state != STATE_OPEN && row->e.luckiest_seq == c->seq,
        .cursor = {.set = true,
                   .id = transfer_claim_id(&c->envelope, (uint32_t)c->seq, c->opened_us)}};
    memcpy(out->sender, row->e.sender, sizeof out->sender);
    memcpy(out->sender_name, row->e.sender_name, sizeof out->sender_name);
}

enum err memory_received_page(struct store *store, const char *user, int64_t from_us, int64_t to_us,
                              const struct page_after *after, size_t limit,
                              struct received_item *out, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_RECEIVED_PAGE);
    *n = 0;
    if (err != ERR_OK)
        return err;
    size_t found = 0;
    struct received_item *all = calloc(COUNT(db, MEMORY_CLAIMS) + 1, sizeof *all);
    assert(all != NULL);
    for (size_t i = 0; i < COUNT(db, MEMORY_CLAIMS); i++) {
        const struct claim *c = &ROWS(db, MEMORY_CLAIMS, struct claim)[i];
        struct memory_credit like = {.c = {.envelope = c->envelope}};
        memcpy(like.c.user, c->user, sizeof like.c.user);
        if (strcmp(c->user, user) != 0)
            continue;
        put_received(db, c, memory_find(db, MEMORY_CREDITS, &like) == NULL, &all[found]);
        found += in_range(&all[found].cursor.id, from_us, to_us, after) ? 1 : 0;
    }
    qsort(all, found, sizeof *all, compare_received);
    *n = found < limit ? found : limit;
    memcpy(out, all, *n * sizeof *out);
    free(all);
    return memory_leave(store, MEMORY_RECEIVED_PAGE, ERR_OK);
}

/* Envelopes that settle has not added yet: those open, and those queued. */
static void add_sent(struct memory_db *db, const struct envelope *e, const char *user,
                     int64_t from_us, int64_t to_us, struct year_totals *out)
{
    const struct page_after none = {.set = false};
    bool queued = memory_find(db, MEMORY_CLOSINGS, &e->id) != NULL;
    struct claim like = {.envelope = e->id};
    if (strcmp(e->sender, user) == 0 && in_range(&e->id, from_us, to_us, &none) &&
        (e->state == STATE_OPEN || queued)) {
        out->sent_count++;
        out->sent_fen += e->total_fen;
        out->refunded_fen += e->refunded_fen;
    }
    memcpy(like.user, e->luckiest_user, sizeof like.user);
    const struct claim *c = memory_find(db, MEMORY_CLAIMS, &like);
    if (queued && strcmp(e->luckiest_user, user) == 0 && c != NULL && c->opened_us >= from_us &&
        c->opened_us < to_us)
        out->luckiest_count++;
}

enum err memory_year_totals_get(struct store *store, const char *user, int year, int64_t from_us,
                                int64_t to_us, struct year_totals *out)
{
    struct memory_db *db = memory_of(store)->db;
    struct memory_year like = {.year = year};
    enum err err = memory_enter(store, MEMORY_YEAR_TOTALS_GET);
    memset(out, 0, sizeof *out);
    if (err != ERR_OK)
        return err;
    assert(strlen(user) < sizeof like.user);
    memcpy(like.user, user, strlen(user));
    const struct memory_year *row = memory_find(db, MEMORY_YEARS, &like);
    if (row != NULL)
        *out = row->totals;
    for (size_t i = 0; i < COUNT(db, MEMORY_ENVELOPES); i++)
        add_sent(db, &ROWS(db, MEMORY_ENVELOPES, struct memory_envelope)[i].e, user, from_us, to_us,
                 out);
    for (size_t i = 0; i < COUNT(db, MEMORY_CREDITS); i++) {
        const struct credit *c = &ROWS(db, MEMORY_CREDITS, struct memory_credit)[i].c;
        if (strcmp(c->user, user) != 0 || c->opened_us < from_us || c->opened_us >= to_us)
            continue;
        out->received_count++;
        out->received_fen += c->amount_fen;
    }
    return memory_leave(store, MEMORY_YEAR_TOTALS_GET, ERR_OK);
}

static int compare_transfers(const void *a, const void *b)
{
    const struct transfer *x = a, *y = b;
    return x->entry > y->entry ? -1 : x->entry < y->entry ? 1 : 0;
}

enum err memory_ledger_page(struct store *store, const char *user, const struct page_after *after,
                            size_t limit, struct transfer *out, size_t *n, int64_t *balance_fen)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_LEDGER_PAGE);
    *n = 0;
    if (err != ERR_OK)
        return err;
    size_t found = 0;
    struct transfer *all = calloc(COUNT(db, MEMORY_TRANSFERS) + 1, sizeof *all);
    assert(all != NULL);
    for (size_t i = 0; i < COUNT(db, MEMORY_TRANSFERS); i++) {
        const struct transfer *t = &ROWS(db, MEMORY_TRANSFERS, struct transfer)[i];
        if (strcmp(t->user, user) == 0 && (!after->set || t->entry < after->seq))
            all[found++] = *t;
    }
    qsort(all, found, sizeof *all, compare_transfers);
    *n = found < limit ? found : limit;
    memcpy(out, all, *n * sizeof *out);
    free(all);
    struct account key = {.exists = true};
    memcpy(key.user, user, strlen(user) + 1);
    const struct account *a = memory_find(db, MEMORY_ACCOUNTS, &key);
    if (*n > 0 && a != NULL)
        *balance_fen = a->balance_fen;
    return memory_leave(store, MEMORY_LEDGER_PAGE, ERR_OK);
}

enum err memory_queue_state(struct store *store, struct queue_state *out)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_QUEUE_STATE);
    memset(out, 0, sizeof *out);
    if (err != ERR_OK)
        return err;
    out->now_us = memory_now_us(db);
    out->clock_held_us = db->clock_row.held_us;
    for (size_t i = 0; i < COUNT(db, MEMORY_CREDITS); i++) {
        const struct credit *c = &ROWS(db, MEMORY_CREDITS, struct memory_credit)[i].c;
        out->pending_credits++;
        out->pending_fen += c->amount_fen;
        if (out->oldest_opened_us == 0 || c->opened_us < out->oldest_opened_us)
            out->oldest_opened_us = c->opened_us;
    }
    for (size_t i = 0; i < COUNT(db, MEMORY_SEEDS); i++)
        if (ROWS(db, MEMORY_SEEDS, struct memory_seed)[i].expires_us <= out->now_us)
            out->overdue_refunds++;
    return memory_leave(store, MEMORY_QUEUE_STATE, ERR_OK);
}

enum err memory_clock_read(struct store *store, struct clock_row *out)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_CLOCK_READ);
    if (err != ERR_OK)
        return err;
    *out = db->clock_row;
    out->now_us = memory_now_us(db);
    return memory_leave(store, MEMORY_CLOCK_READ, ERR_OK);
}

enum err memory_clock_write(struct store *store, const struct clock_row *row)
{
    struct clock_row *stored = &memory_of(store)->db->clock_row;
    enum err err = memory_enter(store, MEMORY_CLOCK_WRITE);
    if (err != ERR_OK)
        return err;
    stored->seen_us = row->seen_us;
    stored->held_us = row->held_us;
    if (row->keys_after_us > stored->keys_after_us)
        stored->keys_after_us = row->keys_after_us;
    return memory_leave(store, MEMORY_CLOCK_WRITE, ERR_OK);
}

enum err memory_host_beat(struct store *store, const char *name, const uint8_t generation[16])
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_HOST_BEAT);
    if (err != ERR_OK)
        return err;
    snprintf(db->host, sizeof db->host, "%s", name);
    memcpy(db->host_generation, generation, sizeof db->host_generation);
    db->host_beat_us = memory_now_us(db);
    return memory_leave(store, MEMORY_HOST_BEAT, ERR_OK);
}

enum err memory_last_beat(struct store *store, int64_t *beat_us)
{
    enum err err = memory_enter(store, MEMORY_LAST_BEAT);
    if (err != ERR_OK)
        return err;
    *beat_us = memory_of(store)->db->host_beat_us;
    return memory_leave(store, MEMORY_LAST_BEAT, ERR_OK);
}

/* Every transfer in memory was inserted with its entry. */
enum err memory_entries_add(struct store *store, char after[USER_SIZE], size_t limit,
                            bool *numbered)
{
    enum err err = memory_enter(store, MEMORY_ENTRIES_ADD);
    (void)limit;
    *numbered = false;
    if (err != ERR_OK)
        return err;
    after[0] = '\0';
    return memory_leave(store, MEMORY_ENTRIES_ADD, ERR_OK);
}

enum err memory_envelope_ends(struct store *store, const struct id *ids, size_t n,
                              struct envelope_end *out)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_ENVELOPE_ENDS);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < n; i++) {
        const struct memory_envelope *row = memory_find_envelope(db, &ids[i]);
        out[i] = row == NULL ? (struct envelope_end){.exists = false}
                             : (struct envelope_end){.exists = true,
                                                     .state = row->e.state,
                                                     .to_kind = row->e.to_kind};
    }
    return memory_leave(store, MEMORY_ENVELOPE_ENDS, ERR_OK);
}

enum err memory_money_state(struct store *store, struct money_state *out)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_MONEY_STATE);
    memset(out, 0, sizeof *out);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < COUNT(db, MEMORY_ACCOUNTS); i++)
        out->balances_fen += ROWS(db, MEMORY_ACCOUNTS, struct account)[i].balance_fen;
    for (size_t i = 0; i < COUNT(db, MEMORY_ENVELOPES); i++) {
        const struct memory_envelope *row = &ROWS(db, MEMORY_ENVELOPES, struct memory_envelope)[i];
        out->frozen_envelopes += row->frozen_rule != 0;
        if (row->e.state != STATE_OPEN)
            continue;
        out->open_envelopes++;
        out->open_fen += row->e.total_fen - row->e.opened_fen - row->e.refunded_fen;
    }
    return memory_leave(store, MEMORY_MONEY_STATE, ERR_OK);
}
