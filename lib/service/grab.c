#include "lib/service/grab.h"
#include "lib/service/closed.h"
#include "lib/service/gate.h"
#include "lib/service/grab_batch.h"
#include "lib/service/grab_primary.h"
#include "lib/service/recent.h"
#include "lib/service/record.h"
#include "lib/service/sessions.h"
#include "lib/store/batch.h"
#include <stdlib.h>
#include <string.h>

#define LEADERS_MAX 4
#define BREAKER_US 500000
#define CACHES_MAX 256
#define ROUNDS_MAX 4 /* times the gate is tried, with the primary asked in between */
#define US_PER_S 1000000

struct grab_service {
    const struct env *env;
    struct batch *batch;
    unsigned leaders;
    struct grab_batch *slots[LEADERS_MAX];
    struct closed *closed;
    struct recent *recent;
    struct grab_primary *primary;
    struct sessions *caches; /* for what a member does after its batch */
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
    for (unsigned i = 0; i < s->leaders; i++)
        grab_batch_free(s->slots[i]);
    grab_primary_free(s->primary);
    closed_free(s->closed);
    recent_free(s->recent);
    sessions_free(s->caches);
    free(s);
}

struct grab_service *grab_service_new(const struct env *env, unsigned leaders, unsigned threads)
{
    struct grab_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->env = env;
    s->leaders = leaders;
    s->recent = recent_new();
    bool ok = s->recent != NULL;
    for (unsigned i = 0; i < leaders; i++)
        ok = (s->slots[i] = grab_batch_new(env, s->recent)) != NULL && ok;
    struct batch_settings settings = {.leaders = leaders,
                                      .breaker_us = BREAKER_US,
                                      .kind = METRIC_BATCH_GRAB,
                                      .run = run_members,
                                      .context = s,
                                      .release = free};
    s->batch = batch_new(&settings, env->clock, env->metrics);
    s->closed = closed_new();
    s->caches = sessions_new(env, CACHES_MAX, false);
    if (ok && s->batch != NULL && s->closed != NULL && s->caches != NULL)
        s->primary = grab_primary_new(env, s->closed, threads / 4 > 0 ? threads / 4 : 1);
    if (s->primary == NULL) {
        grab_service_free(s);
        return NULL;
    }
    return s;
}

/* Runs w through a batch; what it says is copied back. */
static enum err try_gate(struct grab_service *s, struct grab_work *w, int64_t deadline_us)
{
    struct grab_work *member = malloc(sizeof *member);
    struct batch_entry *entry;
    if (member == NULL)
        return ERR_FAULT;
    *member = *w;
    enum err err = batch_submit(s->batch, member, deadline_us, &entry);
    if (err != ERR_OK)
        return err;
    *w = *member;
    batch_release(s->batch, entry);
    return ERR_OK;
}

/* Is he among the recipients? From the record in the cache; if it is not there, the primary is
 * asked. True: w says what to tell. */
static bool check_record(struct grab_service *s, const struct who *who, struct grab_work *w,
                         int64_t deadline_us)
{
    struct envelope e;
    struct session *session = sessions_take(s->caches);
    bool known = session != NULL && record_get(s->env, session->cache, &w->id, &e);
    if (session != NULL)
        sessions_give(s->caches, session);
    if (!known)
        return grab_primary_ask(s->primary, who, w, deadline_us);
    w->admitted = envelope_admits(&e, who->user, who->groups, who->n_groups);
    if (w->admitted)
        return false;
    w->outcome = GRAB_REFUSED;
    w->err = ERR_NOT_RECIPIENT;
    return true;
}

/* Goes round until w says what to tell. */
static enum err go_round(struct grab_service *s, const struct who *who, struct grab_work *w,
                         int64_t deadline_us)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        enum err err = try_gate(s, w, deadline_us);
        if (err != ERR_OK)
            return err;
        switch (w->outcome) {
        case GRAB_ANSWERED:
        case GRAB_WON:
        case GRAB_LAPSED:
        case GRAB_REFUSED:
            return ERR_OK;
        case GRAB_NEEDS_RECORD:
            if (check_record(s, who, w, deadline_us))
                return ERR_OK;
            break;
        case GRAB_ASK_MISSING:
        case GRAB_ASK_BROKEN:
        case GRAB_ASK_EMPTY:
        case GRAB_ASK_UNKNOWN:
        default:
            if (grab_primary_ask(s->primary, who, w, deadline_us))
                return ERR_OK;
            break;
        }
    }
    w->outcome = GRAB_ANSWERED;
    w->answer.state = GRAB_BUSY;
    w->answer.retry_after_s = 1;
    metrics_add(s->env->metrics, METRIC_GATE_BUSY, 1);
    return ERR_OK;
}

static void adopt(struct grab_work *w, const struct gate_user *u)
{
    w->answer.state = u->opened ? GRAB_OPENED : GRAB_GRABBED;
    w->answer.amount_fen = u->amount_fen;
    w->answer.seq = u->seq;
    if (!u->opened)
        w->answer.expires_us = u->ticket_expires_s * US_PER_S;
}

/* Stores the ticket in the user's item before he is told of it. If another of his requests was
 * first, what that one stored is his. Without a working cache the ticket alone must do. */
static void store_item(struct grab_service *s, struct session *session, struct grab_work *w)
{
    struct cache *cache = session->cache;
    struct gate_user mine = {.ticket_expires_s = w->answer.expires_us / US_PER_S}, seen;
    struct gate_item item;
    char text[GATE_TEXT_SIZE];
    size_t len = gate_user_write(text, &mine, &w->id);
    uint32_t ttl_s = gate_ttl_s(s->env, w->expires_us);
    gate_item_prepare(&item);
    gate_user_key(item.item.key, s->env->generation, &w->id, w->user);
    if (w->outcome == GRAB_WON &&
        cache->ops->add(cache, item.item.key, text, len, ttl_s) != CACHE_EXISTS)
        return;
    cache->ops->get(cache, &item.item, 1);
    if (item.item.result != CACHE_HIT)
        return;
    int64_t now_us = s->env->clock->wall_us(s->env->clock->self);
    if (gate_user_read(&seen, item.text, item.item.len, &w->id) &&
        (seen.opened || seen.ticket_expires_s * US_PER_S > now_us))
        adopt(w, &seen);
    else
        (void)cache->ops->cas(cache, &item.item, text, len, ttl_s);
}

/* What w says, in the caller's words. */
static enum err tell(struct grab_service *s, struct grab_work *w, struct grab_answer *out)
{
    if (w->outcome == GRAB_REFUSED)
        return w->err;
    if (w->outcome != GRAB_ANSWERED) {
        struct session *session = sessions_take(s->caches);
        if (session != NULL) {
            store_item(s, session, w);
            sessions_give(s->caches, session);
        }
    }
    *out = w->answer;
    if (out->state == GRAB_GRABBED)
        ticket_make(out->ticket, &s->env->ticket_keys, s->env->generation, &w->id, w->user,
                    out->expires_us / US_PER_S);
    if (!w->restricted && out->state == GRAB_SOLD_OUT)
        closed_put(s->closed, &w->id, STATE_SOLD_OUT);
    if (!w->restricted && out->state == GRAB_EXPIRED)
        closed_put(s->closed, &w->id, STATE_EXPIRED);
    return ERR_OK;
}

enum err grab_envelope(struct grab_service *s, const struct who *who, const struct id *id,
                       int64_t deadline_us, struct grab_answer *out, int64_t *retry_after_s)
{
    memset(out, 0, sizeof *out);
    enum envelope_state end = closed_get(s->closed, id);
    if (end != STATE_OPEN) {
        out->state = end == STATE_SOLD_OUT ? GRAB_SOLD_OUT : GRAB_EXPIRED;
        return ERR_OK;
    }
    struct grab_work w = {.id = *id};
    int64_t wait_us = 0, mono_us = s->env->clock->mono_us(s->env->clock->self);
    memcpy(w.user, who->user, sizeof w.user);
    w.rate_limited = !metrics_rate_allow(s->env->metrics, who->user, mono_us,
                                         (unsigned)s->env->config->grabs_per_s,
                                         (unsigned)s->env->config->grabs_burst, &wait_us);
    enum err err = go_round(s, who, &w, deadline_us);
    if (err == ERR_OK)
        err = tell(s, &w, out);
    if (err == ERR_RATE_LIMITED)
        *retry_after_s = wait_us / US_PER_S + 1;
    return err;
}
