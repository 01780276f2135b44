#include "lib/service/open/open.h"
#include "lib/service/common/batch.h"
#include "lib/service/common/close.h"
#include "lib/service/common/retry.h"
#include "lib/service/open/open_batch.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LEADERS_MAX 4
#define BREAKER_US 500000
#define US_PER_S 1000000

struct open_service {
    const struct runtime *runtime;
    struct batch *batch;
    struct retry *retry;
    unsigned leaders;
    struct open_batch *slots[LEADERS_MAX];
};

/* What a caller leaves with the batch: everything copied, since he may be gone before it is run. */
struct member {
    struct open_work work;
    struct who who; /* only as long as his groups need */
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

static const struct retry_ops retry_opens = {
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
    w->err = close_envelope(s->runtime, open_batch_store(slot), open_batch_cache(slot), &w->id,
                            &found, &e);
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
    memcpy(order, distinct, count * sizeof order[0]); /* retry_rows changes the order */
    struct store *store = open_batch_store(b);
    store->ops->set_deadline(store, deadline_us);
    retry_rows(s->retry, store, b, order, count, deadline_us);
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
    retry_free(s->retry);
    for (unsigned i = 0; i < s->leaders; i++)
        open_batch_free(s->slots[i]);
    free(s);
}

struct open_service *open_service_new(const struct runtime *runtime, unsigned leaders)
{
    struct open_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->leaders = leaders;
    bool ok = true;
    for (unsigned i = 0; i < leaders; i++)
        ok = (s->slots[i] = open_batch_new(runtime)) != NULL && ok;
    struct batch_settings settings = {.leaders = leaders,
                                      .breaker_us = BREAKER_US,
                                      .kind = METRIC_BATCH_OPEN,
                                      .run = run_members,
                                      .context = s,
                                      .release = free};
    s->retry = retry_new(runtime, &retry_opens);
    s->batch = batch_new(&settings, runtime->clock, runtime->metrics);
    if (!ok || s->retry == NULL || s->batch == NULL) {
        open_service_free(s);
        return NULL;
    }
    return s;
}

/* NULL: no memory. */
static struct member *member_new(const struct open_request *r, bool lapsed)
{
    size_t groups = r->who->n_groups * sizeof r->who->groups[0];
    struct member *m = malloc(offsetof(struct member, who.groups) + groups);
    if (m == NULL)
        return NULL;
    memcpy(&m->who, r->who, offsetof(struct who, groups) + groups);
    m->work = (struct open_work){.id = *r->id, .who = &m->who, .lapsed = lapsed};
    return m;
}

/* Whose ticket is forged goes no further. Fills members and the requests they belong to; returns
 * how many. */
static size_t admit(const struct open_service *s, struct open_request **requests, size_t n,
                    void **members, struct open_request **admitted)
{
    size_t count = 0;
    int64_t now_s = s->runtime->clock->wall_us(s->runtime->clock->self) / US_PER_S;
    for (size_t i = 0; i < n; i++) {
        struct open_request *r = requests[i];
        r->err = ticket_check(r->ticket, r->ticket_len, &s->runtime->ticket_keys,
                              s->runtime->generation, r->id, r->who->user, now_s);
        if (r->err != ERR_OK && r->err != ERR_TICKET_EXPIRED)
            continue;
        members[count] = member_new(r, r->err == ERR_TICKET_EXPIRED);
        if (members[count] == NULL)
            r->err = ERR_FAULT;
        else
            admitted[count++] = r;
    }
    return count;
}

void open_envelopes(struct open_service *s, struct open_request **requests, size_t n,
                    int64_t deadline_us)
{
    void *members[BATCH_MAX];
    struct open_request *admitted[BATCH_MAX];
    struct batch_entry *entry;
    size_t count = admit(s, requests, n, members, admitted);
    if (count == 0)
        return;
    enum err err = batch_submit(s->batch, members, count, deadline_us, &entry);
    for (size_t i = 0; i < count; i++) {
        admitted[i]->err = err;
        if (err != ERR_OK)
            continue;
        const struct member *m = members[i];
        admitted[i]->err = m->work.err;
        admitted[i]->answer = m->work.answer;
    }
    if (err == ERR_OK)
        batch_release(s->batch, entry);
}
