#include "lib/service/grab/grab.h"
#include "lib/service/common/batch.h"
#include "lib/service/common/envelope_cache.h"
#include "lib/service/common/gate.h"
#include "lib/service/common/session_pool.h"
#include "lib/service/grab/closed_table.h"
#include "lib/service/grab/grab_batch.h"
#include "lib/service/grab/grab_database.h"
#include "lib/service/grab/recent_tickets.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LEADERS_MAX 4
#define BURSTS_MAX 8
#define BREAKER_US 500000
#define ROUNDS_MAX 4 /* times the primary is asked and the gate tried again */
#define US_PER_S 1000000

struct grab_service {
    const struct runtime *runtime;
    struct batch *batch;
    unsigned leaders;
    unsigned bursts;
    struct grab_batch *slots[LEADERS_MAX + BURSTS_MAX]; /* of leaders, then of bursts */
    struct closed_table *closed_table;
    struct recent_tickets *recent_tickets;
    struct grab_database *database;
    struct session_pool *sessions;
};

static void run_members(void *context, unsigned slot, void **members, size_t n, int64_t deadline_us)
{
    struct grab_service *s = context;
    struct grab_work *works[BATCH_MAX];
    (void)deadline_us; /* the cache has time-outs far below any deadline */
    for (size_t i = 0; i < n; i++)
        works[i] = members[i];
    grab_batch_run(s->slots[slot], works, n);
}

void grab_service_free(struct grab_service *s)
{
    if (s == NULL)
        return;
    batch_free(s->batch);
    for (unsigned i = 0; i < s->leaders + s->bursts; i++)
        grab_batch_free(s->slots[i]);
    grab_database_free(s->database);
    closed_table_free(s->closed_table);
    recent_tickets_free(s->recent_tickets);
    session_pool_free(s->sessions);
    free(s);
}

struct grab_service *grab_service_new(const struct runtime *runtime, unsigned leaders,
                                      unsigned threads, unsigned bursts)
{
    assert(leaders <= LEADERS_MAX && bursts <= BURSTS_MAX);
    struct grab_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->leaders = leaders;
    s->bursts = bursts;
    s->recent_tickets = recent_tickets_new();
    bool ok = s->recent_tickets != NULL;
    for (unsigned i = 0; i < leaders + bursts; i++)
        ok = (s->slots[i] = grab_batch_new(runtime, s->recent_tickets)) != NULL && ok;
    struct batch_settings settings = {.leaders = leaders,
                                      .breaker_us = BREAKER_US,
                                      .kind = METRIC_BATCH_GRAB,
                                      .run = run_members,
                                      .context = s,
                                      .release = free};
    s->batch = batch_new(&settings, runtime->clock, runtime->metrics);
    s->closed_table = closed_table_new();
    struct session_pool_settings sessions = {.threads = threads};
    s->sessions = session_pool_new(runtime, &sessions);
    if (ok && s->batch != NULL && s->closed_table != NULL && s->sessions != NULL)
        s->database = grab_database_new(runtime, s->sessions, s->closed_table,
                                        threads / 4 > 0 ? threads / 4 : 1);
    if (s->database == NULL) {
        grab_service_free(s);
        return NULL;
    }
    return s;
}

/* Runs w through a batch; what it says is copied back. */
static enum err try_gate(struct grab_service *s, struct grab_work *w, int64_t deadline_us)
{
    void *member = malloc(sizeof *w);
    struct batch_entry *entry;
    if (member == NULL)
        return ERR_FAULT;
    memcpy(member, w, sizeof *w);
    enum err err = batch_submit(s->batch, &member, 1, deadline_us, &entry);
    if (err != ERR_OK)
        return err;
    memcpy(w, member, sizeof *w);
    batch_release(s->batch, entry);
    return ERR_OK;
}

/* Is he among the recipients? From the record in the cache; if it is not there, the primary is
 * asked. True: w says what to tell. */
static bool check_record(struct grab_service *s, const struct who *who, struct grab_work *w,
                         int64_t deadline_us)
{
    struct envelope e;
    struct cache *cache = session_pool_take_cache(s->sessions);
    bool known = cache != NULL && envelope_cache_get(s->runtime, cache, &w->id, &e);
    session_pool_give_cache(s->sessions, cache);
    if (!known)
        return grab_database_ask(s->database, who, w, deadline_us);
    w->admitted = envelope_admits(&e, who->user, who->groups, who->n_groups);
    if (w->admitted)
        return false;
    w->outcome = GRAB_REFUSED;
    w->err = ERR_NOT_RECIPIENT;
    return true;
}

static bool is_settled(const struct grab_work *w)
{
    return w->outcome == GRAB_ANSWERED || w->outcome == GRAB_WON || w->outcome == GRAB_REFUSED;
}

/* A pass that the primary gave, without a share of the gate: its item is stored here. */
static void note_ticket(struct grab_service *s, const struct grab_work *w)
{
    struct cache *cache = session_pool_take_cache(s->sessions);
    if (cache == NULL)
        return;
    gate_hint_ticket(s->runtime, cache, &w->id, w->user, w->answer.expires_us / US_PER_S,
                     w->expires_us);
    cache->ops->flush(cache, false);
    session_pool_give_cache(s->sessions, cache);
}

/* Does what w waits for. True: w says what to tell; false: the gate has to be tried again. */
static bool ask(struct grab_service *s, const struct who *who, struct grab_work *w,
                int64_t deadline_us)
{
    bool told = w->outcome == GRAB_NEEDS_RECORD
                    ? check_record(s, who, w, deadline_us)
                    : grab_database_ask(s->database, who, w, deadline_us);
    if (told && w->outcome == GRAB_WON)
        note_ticket(s, w);
    return told;
}

/* Goes round, from what a batch has left of w, until w says what to tell. */
static enum err go_round(struct grab_service *s, const struct who *who, struct grab_work *w,
                         int64_t deadline_us)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (w->outcome != GRAB_NEW && ask(s, who, w, deadline_us))
            return ERR_OK;
        enum err err = try_gate(s, w, deadline_us);
        if (err != ERR_OK || is_settled(w))
            return err;
    }
    w->outcome = GRAB_ANSWERED;
    w->answer.state = GRAB_BUSY;
    w->answer.retry_after_s = 1;
    metrics_add(s->runtime->metrics, METRIC_GATE_BUSY, 1);
    return ERR_OK;
}

/* What his work says, in the caller's words. */
static void tell(struct grab_service *s, struct grab_request *r)
{
    const struct grab_work *w = &r->work;
    r->err = w->outcome == GRAB_REFUSED ? w->err : ERR_OK;
    r->answer = w->answer;
    if (r->err != ERR_OK)
        return;
    if (r->answer.state == GRAB_GRABBED)
        ticket_make(r->answer.ticket, &s->runtime->ticket_keys, s->runtime->generation, &w->id,
                    w->user, r->answer.expires_us / US_PER_S);
    if (!w->restricted && r->answer.state == GRAB_SOLD_OUT)
        closed_table_put(s->closed_table, &w->id, STATE_SOLD_OUT);
    if (!w->restricted && r->answer.state == GRAB_EXPIRED)
        closed_table_put(s->closed_table, &w->id, STATE_EXPIRED);
}

static bool answer_closed(struct grab_service *s, struct grab_request *r)
{
    enum envelope_state end = closed_table_get(s->closed_table, r->id);
    if (end == STATE_OPEN)
        return false;
    memset(&r->answer, 0, sizeof r->answer);
    r->answer.state = end == STATE_SOLD_OUT ? GRAB_SOLD_OUT : GRAB_EXPIRED;
    r->err = ERR_OK;
    return true;
}

bool grab_begin(struct grab_service *s, struct grab_request *r)
{
    struct grab_work *w = &r->work;
    int64_t wait_us = 0, mono_us = s->runtime->clock->mono_us(s->runtime->clock->self);
    if (answer_closed(s, r))
        return true;
    memset(w, 0, sizeof *w);
    w->id = *r->id;
    memcpy(w->user, r->who->user, sizeof w->user);
    w->rate_limited = !metrics_rate_allow(s->runtime->metrics, w->user, mono_us,
                                          (unsigned)s->runtime->config->grabs_per_s,
                                          (unsigned)s->runtime->config->grabs_burst, &wait_us);
    r->retry_after_s = wait_us / US_PER_S + 1;
    return false;
}

void grab_burst(struct grab_service *s, unsigned burst, struct grab_request **requests, size_t n,
                bool *answered)
{
    struct grab_work *works[BATCH_MAX];
    assert(burst < s->bursts);
    for (size_t i = 0; i < n; i++)
        works[i] = &requests[i]->work;
    metrics_batch(s->runtime->metrics, METRIC_BATCH_GRAB, (unsigned)n);
    grab_batch_run(s->slots[s->leaders + burst], works, n);
    for (size_t i = 0; i < n; i++) {
        answered[i] = is_settled(works[i]);
        if (answered[i])
            tell(s, requests[i]);
    }
}

void grab_wait(struct grab_service *s, struct grab_request *r, int64_t deadline_us)
{
    r->err = go_round(s, r->who, &r->work, deadline_us);
    if (r->err == ERR_OK)
        tell(s, r);
}
