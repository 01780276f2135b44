#include "lib/service/open.h"
#include "lib/service/gate.h"
#include "lib/service/open_batch.h"
#include "lib/service/refund.h"
#include "lib/service/rerun.h"
#include "lib/service/sessions.h"
#include "lib/store/batch.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LEADERS_MAX 4
#define BREAKER_US 500000
#define CACHES_MAX 256
#define US_PER_S 1000000

struct open_service {
    const struct env *env;
    struct batch *batch;
    struct rerun *rerun;
    unsigned leaders;
    struct open_batch *slots[LEADERS_MAX];
    struct sessions *caches; /* for what a member does after its batch */
};

/* What a caller leaves with the batch: everything copied, since he may be gone before it is run. */
struct member {
    struct open_work work;
    struct who who;
};

static uint64_t lock_of(const void *row)
{
    const struct open_work *w = row;
    uint64_t lock;
    memcpy(&lock, w->id.b + ID_SIZE - sizeof lock, sizeof lock);
    return lock;
}

static void refuse(void *row, enum err err)
{
    struct open_work *w = row;
    w->err = err;
    w->must_close = false;
}

static const struct rerun_ops rerun_opens = {
    .run = open_batch_run, .lock_of = lock_of, .refuse = refuse};

static bool same_work(const struct open_work *a, const struct open_work *b)
{
    return id_compare(&a->id, &b->id) == 0 && strcmp(a->who->user, b->who->user) == 0;
}

/* The distinct works of a batch; twin[i] says which of them answers member i. A live ticket among
 * repeats counts for all. */
static size_t merge_repeats(void **members, size_t n, void **distinct, size_t *twin)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct open_work *w = &((struct member *)members[i])->work;
        size_t at = 0;
        while (at < count && !same_work(distinct[at], w))
            at++;
        if (at == count)
            distinct[count++] = w;
        else if (!w->lapsed)
            ((struct open_work *)distinct[at])->lapsed = false;
        twin[i] = at;
    }
    return count;
}

/* A member that found its envelope past due closes it: only the stored end is ever reported. */
static void close_past_due(struct open_service *s, struct open_batch *slot, struct open_work *w)
{
    struct envelope e;
    bool found;
    w->must_close = false;
    w->err =
        refund_close(s->env, open_batch_store(slot), open_batch_cache(slot), &w->id, &found, &e);
    if (w->err == ERR_OK && !found)
        w->err = ERR_NOT_FOUND;
    if (w->err == ERR_OK)
        w->answer.state = e.state == STATE_SOLD_OUT ? OPEN_SOLD_OUT : OPEN_EXPIRED;
}

static void run_members(void *context, unsigned slot, void **members, size_t n, int64_t deadline_us)
{
    struct open_service *s = context;
    struct open_batch *b = s->slots[slot];
    void *distinct[BATCH_MAX], *order[BATCH_MAX];
    size_t twin[BATCH_MAX];
    size_t count = merge_repeats(members, n, distinct, twin);
    memcpy(order, distinct, count * sizeof order[0]); /* rerun_rows changes the order */
    struct store *store = open_batch_store(b);
    store->ops->set_deadline(store, deadline_us);
    rerun_rows(s->rerun, b, order, count, deadline_us);
    for (size_t i = 0; i < count; i++)
        if (((struct open_work *)distinct[i])->must_close)
            close_past_due(s, b, distinct[i]);
    for (size_t i = 0; i < n; i++) {
        struct open_work *w = &((struct member *)members[i])->work;
        const struct open_work *from = distinct[twin[i]];
        if (w == from)
            continue;
        w->err = from->err;
        w->answer = from->answer;
        w->expires_us = from->expires_us;
    }
}

void open_service_free(struct open_service *s)
{
    if (s == NULL)
        return;
    batch_free(s->batch);
    rerun_free(s->rerun);
    for (unsigned i = 0; i < s->leaders; i++)
        open_batch_free(s->slots[i]);
    sessions_free(s->caches);
    free(s);
}

struct open_service *open_service_new(const struct env *env, unsigned leaders)
{
    struct open_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->env = env;
    s->leaders = leaders;
    bool ok = true;
    for (unsigned i = 0; i < leaders; i++)
        ok = (s->slots[i] = open_batch_new(env)) != NULL && ok;
    struct batch_settings settings = {.leaders = leaders,
                                      .breaker_us = BREAKER_US,
                                      .kind = METRIC_BATCH_OPEN,
                                      .run = run_members,
                                      .context = s,
                                      .release = free};
    s->rerun = rerun_new(env, &rerun_opens);
    s->batch = batch_new(&settings, env->clock, env->metrics);
    s->caches = sessions_new(env, CACHES_MAX, false);
    if (!ok || s->rerun == NULL || s->batch == NULL || s->caches == NULL) {
        open_service_free(s);
        return NULL;
    }
    return s;
}

static void who_copy(struct who *to, const struct who *from)
{
    memcpy(to, from, offsetof(struct who, groups));
    memcpy(to->groups, from->groups, from->n_groups * sizeof from->groups[0]);
}

static void note_opened(struct open_service *s, const struct open_work *w)
{
    struct session *session = sessions_take(s->caches);
    if (session == NULL)
        return;
    gate_note_opened(s->env, session->cache, w->expires_us, &w->answer.claim);
    sessions_give(s->caches, session);
}

enum err open_envelope(struct open_service *s, const struct who *who, const struct id *id,
                       const char *ticket, size_t ticket_len, int64_t deadline_us,
                       struct open_answer *out)
{
    int64_t now_s = s->env->clock->wall_us(s->env->clock->self) / US_PER_S;
    enum err err = ticket_check(ticket, ticket_len, &s->env->ticket_keys, s->env->generation, id,
                                who->user, now_s);
    if (err != ERR_OK && err != ERR_TICKET_EXPIRED)
        return err;
    struct member *m = malloc(sizeof *m);
    if (m == NULL)
        return ERR_FAULT;
    who_copy(&m->who, who);
    m->work = (struct open_work){.id = *id, .who = &m->who, .lapsed = err == ERR_TICKET_EXPIRED};
    struct batch_entry *entry;
    err = batch_submit(s->batch, m, deadline_us, &entry);
    if (err != ERR_OK)
        return err;
    err = m->work.err;
    *out = m->work.answer;
    if (err == ERR_OK && out->state == OPEN_OPENED)
        note_opened(s, &m->work);
    batch_release(s->batch, entry);
    return err;
}
