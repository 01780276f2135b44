/* Rows, keys, locks and transactions. A transaction keeps its changes to itself until it commits:
 * so a rollback has nothing to undo, and other sessions see committed rows only. What is visible
 * but not durable is kept as a second set of tables to go back to. */
#include "tests/fake/memory_store_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *memory_row_copy(enum memory_table table, const void *row)
{
    void *copy = malloc(memory_row_size(table));
    assert(copy != NULL);
    memcpy(copy, row, memory_row_size(table));
    return copy;
}

static void *row_at(const struct memory_rows *t, enum memory_table table, size_t i)
{
    return (char *)t->rows + i * memory_row_size(table);
}

static void *find_by(struct memory_db *db, enum memory_table table, memory_same_fn *same,
                     const void *like)
{
    for (size_t i = 0; i < db->tables[table].n; i++) {
        void *row = row_at(&db->tables[table], table, i);
        if (same(row, like))
            return row;
    }
    return NULL;
}

void *memory_find(struct memory_db *db, enum memory_table table, const void *like)
{
    return find_by(db, table, memory_key(table, 0), like);
}

struct memory_envelope *memory_find_envelope(struct memory_db *db, const struct id *id)
{
    struct memory_envelope like = {.frozen_rule = 0};
    like.e.id = *id;
    return memory_find(db, MEMORY_ENVELOPES, &like);
}

const void *memory_current(struct memory_store *s, enum memory_table table, const void *like)
{
    const void *row = memory_find(s->db, table, like);
    for (const struct memory_effect *e = s->effects; e != NULL; e = e->next)
        if (e->table == table && memory_same(table, e->row, like))
            row = e->change != MEMORY_DELETE ? e->row : NULL;
    return row;
}

enum err memory_lock(struct memory_store *s, enum memory_table table, const void *like)
{
    for (const struct memory_lock *l = s->db->locks; l != NULL; l = l->next)
        if (l->table == table && memory_same(table, l->row, like))
            return l->holder == s ? ERR_OK : ERR_LOCKED;
    struct memory_lock *lock = malloc(sizeof *lock);
    assert(lock != NULL);
    *lock = (struct memory_lock){
        .holder = s, .table = table, .row = memory_row_copy(table, like), .next = s->db->locks};
    s->db->locks = lock;
    return ERR_OK;
}

static void add_effect(struct memory_store *s, enum memory_change change, enum memory_table table,
                       const void *row)
{
    struct memory_effect *e = malloc(sizeof *e);
    assert(e != NULL);
    *e = (struct memory_effect){
        .change = change, .table = table, .row = memory_row_copy(table, row)};
    *s->effects_tail = e;
    s->effects_tail = &e->next;
}

/* An insert that is under way elsewhere locks its keys. */
static enum err check_key(struct memory_store *s, enum memory_table table, memory_same_fn *same,
                          const void *row)
{
    if (find_by(s->db, table, same, row) != NULL)
        return ERR_DUPLICATE;
    for (const struct memory_store *other = s->db->sessions; other != NULL; other = other->next)
        for (const struct memory_effect *e = other->effects; e != NULL; e = e->next)
            if (e->table == table && e->change == MEMORY_INSERT && same(e->row, row))
                return other == s ? ERR_DUPLICATE : ERR_LOCKED;
    return ERR_OK;
}

enum err memory_insert(struct memory_store *s, enum memory_table table, const void *row)
{
    enum err err = memory_is_within(table, row) ? ERR_OK : ERR_RANGE;
    for (size_t k = 0; k < 2 && memory_key(table, k) != NULL && err == ERR_OK; k++)
        err = check_key(s, table, memory_key(table, k), row);
    if (err == ERR_OK)
        add_effect(s, MEMORY_INSERT, table, row);
    return err;
}

/* The account of the user is locked, or new. */
enum err memory_insert_transfer(struct memory_store *s, const struct transfer *t)
{
    const struct memory_rows *rows = &s->db->tables[MEMORY_TRANSFERS];
    struct transfer numbered = *t;
    bool booked_later = t->kind == TRANSFER_CLAIM || t->kind == TRANSFER_REFUND;
    numbered.booked_us = booked_later ? memory_now_us(s->db) : t->at_us;
    numbered.entry = 1;
    for (size_t i = 0; i < rows->n; i++)
        numbered.entry += strcmp(((const struct transfer *)rows->rows)[i].user, t->user) == 0;
    for (const struct memory_effect *e = s->effects; e != NULL; e = e->next)
        numbered.entry += e->table == MEMORY_TRANSFERS &&
                          strcmp(((const struct transfer *)e->row)->user, t->user) == 0;
    return memory_insert(s, MEMORY_TRANSFERS, &numbered);
}

enum err memory_replace(struct memory_store *s, enum memory_table table, const void *row)
{
    if (memory_current(s, table, row) == NULL)
        return ERR_FAULT;
    enum err err = memory_lock(s, table, row);
    if (err == ERR_OK && !memory_is_within(table, row))
        err = ERR_RANGE;
    if (err == ERR_OK)
        add_effect(s, MEMORY_REPLACE, table, row);
    return err;
}

enum err memory_delete(struct memory_store *s, enum memory_table table, const void *like)
{
    if (memory_current(s, table, like) == NULL)
        return ERR_FAULT;
    enum err err = memory_lock(s, table, like);
    if (err == ERR_OK)
        add_effect(s, MEMORY_DELETE, table, like);
    return err;
}

enum err memory_upsert(struct memory_store *s, enum memory_table table, const void *row)
{
    return memory_current(s, table, row) == NULL ? memory_insert(s, table, row)
                                                 : memory_replace(s, table, row);
}

void memory_db_put_locked(struct memory_db *db, enum memory_table table, const void *row)
{
    struct memory_rows *t = &db->tables[table];
    void *at = memory_find(db, table, row);
    if (at == NULL && t->n == t->room) {
        t->room = t->room > 0 ? 2 * t->room : 16;
        t->rows = realloc(t->rows, t->room * memory_row_size(table));
        assert(t->rows != NULL);
    }
    memcpy(at != NULL ? at : row_at(t, table, t->n++), row, memory_row_size(table));
}

void memory_db_remove_locked(struct memory_db *db, enum memory_table table, const void *like)
{
    struct memory_rows *t = &db->tables[table];
    char *at = memory_find(db, table, like), *end = row_at(t, table, t->n);
    assert(at != NULL);
    memmove(at, at + memory_row_size(table), (size_t)(end - at) - memory_row_size(table));
    t->n--;
}

void memory_tables_free(struct memory_rows tables[MEMORY_TABLES])
{
    for (size_t i = 0; i < MEMORY_TABLES; i++)
        free(tables[i].rows);
    memset(tables, 0, MEMORY_TABLES * sizeof tables[0]);
}

static void tables_copy(struct memory_rows *to, const struct memory_rows *from)
{
    for (size_t i = 0; i < MEMORY_TABLES; i++) {
        to[i] = from[i];
        to[i].rows = malloc(from[i].room * memory_row_size((enum memory_table)i) + 1);
        assert(to[i].rows != NULL);
        if (from[i].n > 0)
            memcpy(to[i].rows, from[i].rows, from[i].n * memory_row_size((enum memory_table)i));
    }
}

void memory_flush(struct memory_db *db)
{
    memory_tables_free(db->durable);
    db->all_durable = true;
}

void memory_undo(struct memory_db *db)
{
    if (db->all_durable)
        return;
    memory_tables_free(db->tables);
    tables_copy(db->tables, db->durable);
    memory_flush(db);
}

void memory_apply(struct memory_store *s)
{
    struct memory_db *db = s->db;
    if (db->delay_flush && db->all_durable && s->effects != NULL) {
        tables_copy(db->durable, db->tables);
        db->all_durable = false;
    }
    for (const struct memory_effect *e = s->effects; e != NULL; e = e->next) {
        if (e->change == MEMORY_DELETE)
            memory_db_remove_locked(db, e->table, e->row);
        else
            memory_db_put_locked(db, e->table, e->row);
    }
    if (!db->delay_flush && s->effects != NULL)
        memory_flush(db);
    memory_drop(s);
}

void memory_drop(struct memory_store *s)
{
    while (s->effects != NULL) {
        struct memory_effect *e = s->effects;
        s->effects = e->next;
        free(e->row);
        free(e);
    }
    s->effects_tail = &s->effects;
    for (struct memory_lock **at = &s->db->locks; *at != NULL;) {
        struct memory_lock *lock = *at;
        if (lock->holder != s) {
            at = &lock->next;
            continue;
        }
        *at = lock->next;
        free(lock->row);
        free(lock);
    }
    s->in_transaction = false;
}
