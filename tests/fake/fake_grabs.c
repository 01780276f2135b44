/* Grabs on the fakes. Everything runs on the caller's thread, so a test decides what comes when. */
#include "tests/fake/fake_grabs.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DEADLINE_US FAKE_US_PER_S
#define WAITERS_MAX 64

static void fake_grabs_start(struct fake_grabs *f, unsigned waiters)
{
    struct session_pool_settings settings = {.threads = WAITERS_MAX};
    f->sessions = session_pool_new(&f->fake.runtime, &settings);
    assert(f->sessions != NULL);
    f->service = grab_service_new(&f->fake.runtime, f->sessions, waiters, 1);
    assert(f->service != NULL);
}

static void fake_grabs_stop(struct fake_grabs *f)
{
    grab_service_free(f->service);
    session_pool_free(f->sessions);
}

void fake_grabs_init(struct fake_grabs *f, unsigned waiters)
{
    memset(f, 0, sizeof *f);
    fake_service_init(&f->fake);
    fake_grabs_start(f, waiters);
    fake_send(&f->fake, &f->e);
    fake_gate_put(&f->fake, &f->e);
}

void fake_grabs_end(struct fake_grabs *f)
{
    fake_grabs_stop(f);
    fake_service_end(&f->fake);
}

void fake_grabs_restart(struct fake_grabs *f)
{
    fake_grabs_stop(f);
    fake_grabs_start(f, WAITERS_MAX);
}

void fake_grab_fill(struct fake_grab *g, const struct id *id, const char *user)
{
    memset(g, 0, sizeof *g);
    snprintf(g->who.user, sizeof g->who.user, "%s", user);
    snprintf(g->who.name, sizeof g->who.name, "%s", user);
    g->id = *id;
}

void fake_grabs_burst(struct fake_grabs *f, struct fake_grab *gs, size_t n)
{
    struct grab_request *requests[FAKE_GRABS_MAX];
    bool deferred[FAKE_GRABS_MAX];
    assert(n <= FAKE_GRABS_MAX);
    for (size_t i = 0; i < n; i++) {
        gs[i].request = (struct grab_request){.who = &gs[i].who, .id = &gs[i].id};
        requests[i] = &gs[i].request;
    }
    grab_now(f->service, 0, requests, n, deferred);
    for (size_t i = 0; i < n; i++) {
        gs[i].deferred = deferred[i];
        gs[i].first = gs[i].request.job.outcome;
    }
}

void fake_grab_wait(struct fake_grabs *f, struct fake_grab *g)
{
    assert(g->deferred);
    grab_wait(f->service, &g->request, f->fake.clock.mono_us + DEADLINE_US);
}

const struct fake_grab *fake_grab(struct fake_grabs *f, const struct id *id, const char *user)
{
    static struct fake_grab g;
    fake_grab_fill(&g, id, user);
    fake_grabs_burst(f, &g, 1);
    if (g.deferred)
        fake_grab_wait(f, &g);
    return &g;
}

bool fake_grab_has_ticket(struct fake_grabs *f, const struct fake_grab *g)
{
    const struct grab_answer *a = &g->request.answer;
    return g->request.err == ERR_OK && a->state == GRAB_GRABBED &&
           ticket_check(a->ticket, strlen(a->ticket), &f->fake.runtime.ticket_keys,
                        f->fake.runtime.generation, &g->id, g->who.user,
                        f->fake.clock.wall_us / FAKE_US_PER_S) == ERR_OK;
}

int64_t fake_gate_left(struct fake_grabs *f, const struct id *id)
{
    struct gate g;
    return fake_gate_get(&f->fake, id, &g) ? g.left : -1;
}

void fake_gate_put_left(struct fake_grabs *f, const struct envelope *e, int64_t left)
{
    fake_gate_put_shares(&f->fake, e, left);
}

void fake_hold_end(struct fake_grabs *f, const struct id *id)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_HOLD, f->fake.runtime.generation, id);
    memory_cache_evict(f->fake.server, key);
}
