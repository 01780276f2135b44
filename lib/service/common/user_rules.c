/* A sorted array, replaced as a whole. While there are no rules a lookup takes no lock. */
#include "lib/service/common/user_rules.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 256

struct user_rules {
    pthread_mutex_t lock; /* of the array */
    struct user_rule *rows;
    _Atomic size_t n;
};

struct user_rules *user_rules_new(void)
{
    struct user_rules *r = calloc(1, sizeof *r);
    if (r != NULL)
        pthread_mutex_init(&r->lock, NULL);
    return r;
}

void user_rules_free(struct user_rules *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r->rows);
    free(r);
}

static void rules_replace(struct user_rules *r, struct user_rule *rows, size_t n)
{
    pthread_mutex_lock(&r->lock);
    struct user_rule *old = r->rows;
    r->rows = rows;
    atomic_store(&r->n, n);
    pthread_mutex_unlock(&r->lock);
    free(old);
}

enum err user_rules_refresh(struct user_rules *r, struct store *store)
{
    struct user_rule *rows = NULL;
    size_t n = 0, got = PAGE;
    enum err err = ERR_OK;
    while (got == PAGE && err == ERR_OK) {
        struct user_rule *more = realloc(rows, (n + PAGE) * sizeof *rows);
        if (more == NULL) {
            err = ERR_FAULT;
            break;
        }
        rows = more;
        err = store->ops->user_rules(store, n > 0 ? rows[n - 1].user : "", PAGE, rows + n, &got);
        n += err == ERR_OK ? got : 0;
    }
    if (err == ERR_OK) {
        rules_replace(r, rows, n);
        return ERR_OK;
    }
    free(rows);
    store->ops->rollback(store);
    return err;
}

static int compare_user(const void *user, const void *row)
{
    return strcmp(user, ((const struct user_rule *)row)->user);
}

/* Copy the rule of user to *out. Return false if it has none. */
static bool rules_find(struct user_rules *r, const char *user, struct user_rule *out)
{
    if (r == NULL || atomic_load_explicit(&r->n, memory_order_relaxed) == 0)
        return false;
    pthread_mutex_lock(&r->lock);
    const struct user_rule *found = bsearch(user, r->rows, r->n, sizeof *r->rows, compare_user);
    if (found != NULL)
        *out = *found;
    pthread_mutex_unlock(&r->lock);
    return found != NULL;
}

bool user_rules_blocked(struct user_rules *r, const char *user)
{
    struct user_rule rule;
    return rules_find(r, user, &rule) && rule.blocked;
}

int64_t user_rules_sent_per_day(struct user_rules *r, const char *user, int64_t limit_fen)
{
    struct user_rule rule;
    return rules_find(r, user, &rule) && rule.sent_per_day_fen >= 0 ? rule.sent_per_day_fen
                                                                    : limit_fen;
}
