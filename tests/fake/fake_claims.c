/* Claims made as a dispatcher makes them: a burst at the door that does not wait, then each
 * deferred request at the one that does. */
#include "tests/fake/fake_claims.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define WAITERS 4

void fake_claims_init(struct fake_claims *f)
{
    memset(f, 0, sizeof *f);
    fake_batches_init(&f->b);
    f->service = claim_service_new(&f->b.fake.runtime, f->b.open_sessions, f->b.open, WAITERS, 1);
    assert(f->service != NULL);
    fake_send(&f->b.fake, &f->e);
    fake_gate_put(&f->b.fake, &f->e);
}

void fake_claims_end(struct fake_claims *f)
{
    claim_service_free(f->service);
    fake_batches_end(&f->b);
}

void fake_claiming_fill(struct fake_claiming *c, const struct id *id, const char *user)
{
    memset(c, 0, sizeof *c);
    snprintf(c->who.user, sizeof c->who.user, "%s", user);
    snprintf(c->who.name, sizeof c->who.name, "%s", user);
    c->id = *id;
    c->request.who = &c->who;
    c->request.id = &c->id;
}

void fake_claims_burst(struct fake_claims *f, size_t n)
{
    struct claim_request *requests[BATCH_MAX];
    bool deferred[BATCH_MAX];
    int64_t deadline_us = f->b.fake.clock.mono_us + FAKE_US_PER_S;
    for (size_t i = 0; i < n; i++)
        requests[i] = &f->cs[i].request;
    claim_now(f->service, 0, requests, n, deadline_us, deferred);
    for (size_t i = 0; i < n; i++) {
        f->cs[i].deferred = deferred[i];
        if (deferred[i])
            claim_wait(f->service, &f->cs[i].request, deadline_us);
    }
}

struct claim_request *fake_claim(struct fake_claims *f, const struct id *id, const char *user)
{
    fake_claiming_fill(&f->cs[0], id, user);
    fake_claims_burst(f, 1);
    return &f->cs[0].request;
}

bool fake_claiming_is_stored(struct fake_claims *f, const struct fake_claiming *c)
{
    const struct claim_request *r = &c->request;
    const struct claim *stored = memory_db_claim(f->b.fake.db, &c->id, c->who.user);
    return r->err == ERR_OK && r->tried && r->open.answer.state == OPEN_OPENED && stored != NULL &&
           stored->seq == r->open.answer.claim.seq &&
           stored->amount_fen == r->open.answer.claim.amount_fen &&
           stored->opened_us == r->open.answer.claim.opened_us;
}

bool fake_claim_is_end(const struct claim_request *r, enum envelope_state end)
{
    bool sold_out = end == STATE_SOLD_OUT;
    if (r->err != ERR_OK)
        return false;
    if (r->tried)
        return r->open.answer.state == (sold_out ? OPEN_SOLD_OUT : OPEN_EXPIRED);
    return r->job.answer.state == (sold_out ? GRAB_SOLD_OUT : GRAB_EXPIRED);
}

bool fake_claim_is_busy(const struct claim_request *r)
{
    return r->err == ERR_OK && !r->tried && r->job.answer.state == GRAB_BUSY &&
           r->job.answer.retry_after_s >= 1;
}

int64_t fake_claims_gate_left(struct fake_claims *f)
{
    struct gate g;
    return fake_gate_get(&f->b.fake, &f->e.id, &g) ? g.left : -1;
}

void fake_claims_put_gate(struct fake_claims *f, int64_t left)
{
    fake_gate_put_shares(&f->b.fake, &f->e, left);
}

void fake_claims_put_user(struct fake_claims *f, const char *user, const struct user_value *u)
{
    char key[ITEM_KEY_SIZE], text[USER_TEXT_SIZE];
    item_key_user(key, f->b.fake.runtime.generation, &f->e.id, user);
    (void)user_value_write(text, u, &f->e.id);
    memory_cache_put(f->b.fake.server, key, text);
}

struct claim fake_claims_elsewhere(struct fake_claims *f, const char *user)
{
    struct claim c = fake_open(&f->b.fake, &f->e.id, user);
    struct user_value mine = {
        .opened = true, .amount_fen = c.amount_fen, .seq = c.seq, .opened_us = c.opened_us};
    fake_claims_put_user(f, user, &mine);
    return c;
}

unsigned fake_claims_asked(struct fake_claims *f)
{
    return memory_db_calls(f->b.fake.db, MEMORY_ENVELOPE_GET);
}
