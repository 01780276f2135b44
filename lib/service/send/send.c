#include "lib/service/send/send.h"
#include "lib/base/str.h"
#include "lib/service/common/batch.h"
#include "lib/service/common/retry.h"
#include "lib/service/send/send_batch.h"
#include <stdlib.h>
#include <string.h>

#define LEADERS_MAX 4
#define BREAKER_US 500000

struct send_service {
    const struct runtime *runtime;
    struct batch *batch;
    struct retry *retry;
    unsigned leaders;
    struct send_batch *slots[LEADERS_MAX];
};

static uint64_t lock_of(const void *row)
{
    const struct send_work *w = row;
    uint8_t digest[32];
    uint64_t lock;
    hash_sha256(digest, w->user, strlen(w->user));
    memcpy(&lock, digest, sizeof lock);
    return lock;
}

static void refuse(void *row, enum err err)
{
    ((struct send_work *)row)->err = err;
}

static const struct retry_ops retry_sends = {
    .run = send_batch_run, .lock_of = lock_of, .refuse = refuse};

/* The members with distinct keys; twin[i] says which of them answers member i. */
static size_t merge_repeats(void **members, size_t n, void **distinct, size_t *twin)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct send_work *w = members[i];
        size_t at = 0;
        while (at < count && !bytes_equal(((struct send_work *)distinct[at])->key_hash, w->key_hash,
                                          sizeof w->key_hash))
            at++;
        if (at == count)
            distinct[count++] = w;
        twin[i] = at;
    }
    return count;
}

static void answer_twin(struct send_work *w, const struct send_work *from)
{
    if (!bytes_equal(w->body_hash, from->body_hash, sizeof w->body_hash)) {
        w->err = ERR_IDEMPOTENCY_KEY_REUSED;
        return;
    }
    w->err = from->err;
    w->made = false;
    w->draft = from->draft;
}

/* A row that could not be locked at once: if its very key is being worked on, the client hears so.
 */
static void explain_locked(struct store *store, struct send_work *w)
{
    bool busy = false;
    if (store->ops->key_in_progress(store, w->key_hash, &busy) == ERR_OK && busy)
        w->err = ERR_IDEMPOTENCY_IN_PROGRESS;
    store->ops->rollback(store);
}

static void run_members(void *context, unsigned slot, void **members, size_t n, int64_t deadline_us)
{
    struct send_service *s = context;
    void *distinct[BATCH_MAX], *order[BATCH_MAX];
    size_t twin[BATCH_MAX];
    size_t count = merge_repeats(members, n, distinct, twin);
    memcpy(order, distinct, count * sizeof order[0]); /* retry_rows changes the order */
    struct store *store = send_batch_store(s->slots[slot]);
    store->ops->set_deadline(store, deadline_us);
    retry_rows(s->retry, store, s->slots[slot], order, count, deadline_us);
    for (size_t i = 0; i < count; i++)
        if (((struct send_work *)distinct[i])->err == ERR_LOCKED)
            explain_locked(store, distinct[i]);
    for (size_t i = 0; i < n; i++)
        if (members[i] != distinct[twin[i]])
            answer_twin(members[i], distinct[twin[i]]);
}

void send_service_free(struct send_service *s)
{
    if (s == NULL)
        return;
    batch_free(s->batch);
    retry_free(s->retry);
    for (unsigned i = 0; i < s->leaders; i++)
        send_batch_free(s->slots[i]);
    free(s);
}

struct send_service *send_service_new(const struct runtime *runtime, unsigned leaders)
{
    struct send_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->leaders = leaders;
    bool ok = true;
    for (unsigned i = 0; i < leaders; i++)
        ok = (s->slots[i] = send_batch_new(runtime)) != NULL && ok;
    struct batch_settings settings = {.leaders = leaders,
                                      .breaker_us = BREAKER_US,
                                      .kind = METRIC_BATCH_SEND,
                                      .run = run_members,
                                      .context = s,
                                      .release = free};
    s->retry = retry_new(runtime, &retry_sends);
    s->batch = batch_new(&settings, runtime->clock, runtime->metrics);
    if (!ok || s->retry == NULL || s->batch == NULL) {
        send_service_free(s);
        return NULL;
    }
    return s;
}

static struct send_work *work_new(const struct send_request *request)
{
    struct send_work *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    memcpy(w->user, request->who->user, sizeof w->user);
    memcpy(w->name, request->who->name, sizeof w->name);
    memcpy(w->key_hash, request->key_hash, sizeof w->key_hash);
    memcpy(w->body_hash, request->body_hash, sizeof w->body_hash);
    w->expires_in_s = request->expires_in_s;
    w->draft.mode = request->mode;
    w->draft.total_fen = request->total_fen;
    w->draft.shares = request->shares;
    w->draft.to_kind = request->to_kind;
    if (!str_set(w->draft.greeting, sizeof w->draft.greeting, request->greeting,
                 strlen(request->greeting)) ||
        !str_set(w->draft.to, sizeof w->draft.to, request->to, strlen(request->to))) {
        free(w);
        return NULL;
    }
    return w;
}

void send_envelopes(struct send_service *s, struct send_request **requests, size_t n,
                    int64_t deadline_us)
{
    void *works[BATCH_MAX];
    struct send_request *taken[BATCH_MAX];
    struct batch_entry *entry;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        works[count] = work_new(requests[i]);
        requests[i]->err = works[count] != NULL ? ERR_OK : ERR_FAULT;
        if (works[count] != NULL)
            taken[count++] = requests[i];
    }
    if (count == 0)
        return;
    enum err err = batch_submit(s->batch, works, count, deadline_us, &entry);
    for (size_t i = 0; i < count; i++) {
        taken[i]->err = err;
        if (err != ERR_OK)
            continue;
        const struct send_work *w = works[i];
        taken[i]->err = w->err;
        if (w->err == ERR_OK)
            taken[i]->envelope = w->draft;
    }
    if (err == ERR_OK)
        batch_release(s->batch, entry);
}
