/* Tickets. A repeated grab of a user is given the same ticket and takes no second share; a lapsed
 * ticket is renewed without one. */
#include "lib/service/grab/grab_tickets.h"
#include "lib/base/clock.h"
#include "lib/service/grab/recent_tickets.h"

void grab_answer(struct grab_job *job, enum grab_state state)
{
    job->outcome = GRAB_ANSWERED;
    job->answer.state = state;
}

void grab_answer_end(struct grab_job *job, enum envelope_state end)
{
    grab_answer(job, end == STATE_SOLD_OUT ? GRAB_SOLD_OUT : GRAB_EXPIRED);
}

/* Make a new ticket the answer. Return when it expires, in seconds. */
static int64_t grab_win(const struct grab_tickets *t, struct grab_job *job)
{
    int64_t expires_s = t->now_us / US_PER_S + t->runtime->config->ticket_life_s;
    job->outcome = GRAB_WON;
    job->answer.state = GRAB_GRABBED;
    job->answer.expires_us = expires_s * US_PER_S;
    return expires_s;
}

void grab_issue(const struct grab_tickets *t, struct grab_job *job)
{
    int64_t expires_s = grab_win(t, job);
    const char *user = job->who->user;
    recent_tickets_put(t->recent_tickets, job->id, user, expires_s, t->mono_us);
    if (!job->claim) /* it is opened at once, which writes the item */
        gate_hint_ticket(t->runtime, t->cache, job->id, user, expires_s, job->expires_us);
}

static void grab_renew(const struct grab_tickets *t, struct grab_job *job,
                       const struct cache_item *lapsed)
{
    char text[GATE_TEXT_SIZE];
    struct user_value mine = {.ticket_expires_s = grab_win(t, job)};
    size_t len = user_value_write(text, &mine, job->id);
    (void)t->cache->ops->cas(t->cache, lapsed, text, len, gate_ttl_s(t->runtime, job->expires_us));
}

static void grab_answer_ticket(struct grab_job *job, int64_t expires_s)
{
    grab_answer(job, GRAB_GRABBED);
    job->answer.expires_us = expires_s * US_PER_S;
}

/* Answer with a ticket of a moment ago, whose item is still on its way. */
static bool grab_known_recently(const struct grab_tickets *t, struct grab_job *job)
{
    int64_t expires_s = recent_tickets_get(t->recent_tickets, job->id, job->who->user, t->mono_us);
    if (expires_s != 0)
        grab_answer_ticket(job, expires_s);
    return expires_s != 0;
}

bool grab_known(const struct grab_tickets *t, struct grab_job *job, const struct cache_item *item)
{
    struct user_value u;
    if (item->result != CACHE_HIT || !user_value_read(&u, item->value, item->len, job->id))
        return grab_known_recently(t, job);
    if (u.opened) {
        grab_answer(job, GRAB_OPENED);
        job->answer.amount_fen = u.amount_fen;
        job->answer.seq = u.seq;
    } else if (u.ticket_expires_s * US_PER_S > t->now_us) {
        grab_answer_ticket(job, u.ticket_expires_s);
    } else {
        grab_renew(t, job, item);
    }
    return true;
}
