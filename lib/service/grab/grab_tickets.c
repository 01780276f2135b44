#include "lib/service/grab/grab_tickets.h"
#include "lib/service/grab/recent_tickets.h"

#define US_PER_S 1000000

void grab_answer(struct grab_work *w, enum grab_state state)
{
    w->outcome = GRAB_ANSWERED;
    w->answer.state = state;
}

/* Returns the ticket's expiry in seconds. */
static int64_t give_ticket(const struct grab_tickets *t, struct grab_work *w)
{
    int64_t expires_s = t->now_us / US_PER_S + t->runtime->config->ticket_life_s;
    w->outcome = GRAB_WON;
    w->answer.state = GRAB_GRABBED;
    w->answer.expires_us = expires_s * US_PER_S;
    return expires_s;
}

/* A ticket for one of the fresh. His item is sent before he is told, and may be a moment on its
 * way: until then this process remembers. */
void grab_let_in(const struct grab_tickets *t, struct grab_work *w)
{
    int64_t expires_s = give_ticket(t, w);
    recent_tickets_put(t->recent_tickets, &w->id, w->user, expires_s, t->mono_us);
    gate_hint_ticket(t->runtime, t->cache, &w->id, w->user, expires_s, w->expires_us);
}

/* A new ticket in place of one that lapsed, and no second share. */
static void renew(const struct grab_tickets *t, struct grab_work *w, const struct gate_item *lapsed)
{
    char text[GATE_TEXT_SIZE];
    struct gate_user mine = {.ticket_expires_s = give_ticket(t, w)};
    size_t len = gate_user_write(text, &mine, &w->id);
    (void)t->cache->ops->cas(t->cache, &lapsed->item, text, len,
                             gate_ttl_s(t->runtime, w->expires_us));
}

/* A ticket of a moment ago, whose item is still on its way. */
static bool answer_from_recent(const struct grab_tickets *t, struct grab_work *w)
{
    int64_t expires_s = recent_tickets_get(t->recent_tickets, &w->id, w->user, t->mono_us);
    if (expires_s == 0)
        return false;
    grab_answer(w, GRAB_GRABBED);
    w->answer.expires_us = expires_s * US_PER_S;
    return true;
}

bool grab_known(const struct grab_tickets *t, struct grab_work *w, const struct gate_item *item)
{
    struct gate_user u;
    if (item->item.result != CACHE_HIT || !gate_user_read(&u, item->text, item->item.len, &w->id))
        return answer_from_recent(t, w);
    if (u.opened) {
        grab_answer(w, GRAB_OPENED);
        w->answer.amount_fen = u.amount_fen;
        w->answer.seq = u.seq;
    } else if (u.ticket_expires_s * US_PER_S > t->now_us) {
        grab_answer(w, GRAB_GRABBED);
        w->answer.expires_us = u.ticket_expires_s * US_PER_S;
    } else {
        renew(t, w, item);
    }
    return true;
}
