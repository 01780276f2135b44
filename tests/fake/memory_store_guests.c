/* Guests on the tables in memory: the counterpart of mysql_guests.c. */
#include "tests/fake/memory_store_internal.h"
#include <stdlib.h>
#include <string.h>

#define ROWS(db, table, type) ((const type *)(db)->tables[table].rows)
#define COUNT(db, table) ((db)->tables[table].n)

static bool is_live_guest(const struct account *a)
{
    return user_is_guest(a->user) && a->name[0] != '\0';
}

enum err memory_guests_count(struct store *store, int64_t limit, int64_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_GUESTS_COUNT);
    *n = 0;
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < COUNT(db, MEMORY_ACCOUNTS) && *n < limit; i++)
        *n += is_live_guest(&ROWS(db, MEMORY_ACCOUNTS, struct account)[i]);
    return memory_leave(store, MEMORY_GUESTS_COUNT, ERR_OK);
}

static bool is_idle(const struct memory_db *db, const char *user, int64_t before_us)
{
    for (size_t i = 0; i < COUNT(db, MEMORY_TRANSFERS); i++) {
        const struct transfer *t = &ROWS(db, MEMORY_TRANSFERS, struct transfer)[i];
        bool end = t->kind == TRANSFER_WITHDRAW && strcmp(t->backend, BACKEND_GUESTS) == 0;
        if (strcmp(t->user, user) == 0 && t->booked_us >= before_us && !end)
            return false;
    }
    for (size_t i = 0; i < COUNT(db, MEMORY_CREDITS); i++)
        if (strcmp(ROWS(db, MEMORY_CREDITS, struct memory_credit)[i].c.user, user) == 0)
            return false;
    for (size_t i = 0; i < COUNT(db, MEMORY_ENVELOPES); i++) {
        const struct envelope *e = &ROWS(db, MEMORY_ENVELOPES, struct memory_envelope)[i].e;
        if (e->state == STATE_OPEN && strcmp(e->sender, user) == 0)
            return false;
    }
    return true;
}

static int compare_users(const void *a, const void *b)
{
    return strcmp(((const struct account *)a)->user, ((const struct account *)b)->user);
}

enum err memory_guests_idle(struct store *store, int64_t before_us, const char *after, size_t limit,
                            struct account *out, size_t *n)
{
    struct memory_db *db = memory_of(store)->db;
    enum err err = memory_enter(store, MEMORY_GUESTS_IDLE);
    size_t all = COUNT(db, MEMORY_ACCOUNTS), found = 0;
    *n = 0;
    if (err != ERR_OK)
        return err;
    struct account *idle = calloc(all + 1, sizeof *idle);
    for (size_t i = 0; idle != NULL && i < all; i++) {
        const struct account *a = &ROWS(db, MEMORY_ACCOUNTS, struct account)[i];
        if (is_live_guest(a) && strcmp(a->user, after) > 0 && is_idle(db, a->user, before_us))
            idle[found++] = *a;
    }
    if (found > 0)
        qsort(idle, found, sizeof *idle, compare_users);
    *n = found < limit ? found : limit;
    if (*n > 0)
        memcpy(out, idle, *n * sizeof *out);
    free(idle);
    return memory_leave(store, MEMORY_GUESTS_IDLE, ERR_OK);
}

enum err memory_guest_end(struct store *store, const char *user)
{
    struct memory_store *s = memory_of(store);
    struct account a = {.exists = true};
    enum err err = memory_enter(store, MEMORY_GUEST_END);
    if (err != ERR_OK)
        return err;
    memcpy(a.user, user, strlen(user));
    const struct account *row = memory_current(s, MEMORY_ACCOUNTS, &a);
    if (row != NULL && row->balance_fen == 0) {
        a = *row;
        memset(a.name, 0, sizeof a.name);
        err = memory_replace(s, MEMORY_ACCOUNTS, &a);
    }
    return memory_leave(store, MEMORY_GUEST_END, err);
}
