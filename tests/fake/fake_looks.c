/* Looks on the fakes. */
#include "tests/fake/fake_looks.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

void fake_looks_init(struct fake_looks *f)
{
    struct session_pool_settings settings = {.threads = 4};
    memset(f, 0, sizeof *f);
    fake_service_init(&f->fake);
    f->sessions = session_pool_new(&f->fake.runtime, &settings);
    assert(f->sessions != NULL);
    f->service = look_service_new(&f->fake.runtime, f->sessions);
    assert(f->service != NULL);
    fake_send(&f->fake, &f->e);
}

void fake_looks_end(struct fake_looks *f)
{
    fake_look_end(&f->last);
    look_service_free(f->service);
    session_pool_free(f->sessions);
    fake_service_end(&f->fake);
}

static bool fake_look_is_current(void *context, int64_t version, int64_t mine_seq)
{
    const struct fake_look *l = context;
    return l->has_version == version && l->has_seq == mine_seq;
}

void fake_look_fill(struct fake_look *l, const struct id *id, const char *user, size_t limit)
{
    memset(l, 0, sizeof *l);
    if (user != NULL)
        snprintf(l->who.user, sizeof l->who.user, "%s", user);
    l->id = *id;
    l->request.limit = limit;
}

void fake_look_run(struct fake_looks *f, struct fake_look *l)
{
    struct look_request *r = &l->request;
    *r = (struct look_request){.who = l->who.user[0] != '\0' ? &l->who : NULL,
                               .id = &l->id,
                               .after_seq = r->after_seq,
                               .limit = r->limit,
                               .is_current = fake_look_is_current,
                               .context = l};
    l->deferred = false;
    look_now(f->service, &r, 1, &l->deferred);
    if (l->deferred)
        look_wait(f->service, r, f->fake.clock.mono_us + FAKE_US_PER_S);
}

void fake_look_end(struct fake_look *l)
{
    look_end(&l->request);
}

const struct fake_look *fake_look(struct fake_looks *f, const char *user)
{
    fake_look_end(&f->last);
    fake_look_fill(&f->last, &f->e.id, user, PAGE_MAX);
    fake_look_run(f, &f->last);
    return &f->last;
}

static bool fake_claim_is_stored(struct fake_looks *f, const struct claim *c)
{
    const struct claim *stored = memory_db_claim(f->fake.db, &f->e.id, c->user);
    return stored != NULL && stored->seq == c->seq && stored->amount_fen == c->amount_fen;
}

bool fake_look_is_true(struct fake_looks *f, const char *user)
{
    const struct envelope *e = fake_envelope(&f->fake, &f->e.id);
    const struct look_request *r = &fake_look(f, user)->request;
    if (r->err != ERR_OK || r->page == NULL)
        return false;
    const struct page *page = r->page;
    bool same = r->version == e->version && page->envelope.version == e->version &&
                page->envelope.state == e->state && page->envelope.opened_fen == e->opened_fen &&
                page->n_claims == (size_t)e->opened_shares;
    for (size_t i = 0; i < page->n_claims; i++)
        same = same && fake_claim_is_stored(f, &page->claims[i]);
    bool has_mine = memory_db_claim(f->fake.db, &f->e.id, user) != NULL;
    return same && r->has_mine == has_mine && (!has_mine || fake_claim_is_stored(f, &r->mine));
}

unsigned fake_looks_reads(struct fake_looks *f)
{
    return memory_db_calls(f->fake.db, MEMORY_ENVELOPE_GET) +
           memory_db_calls(f->fake.db, MEMORY_CLAIMS_PAGE) +
           memory_db_calls(f->fake.db, MEMORY_CLAIM_GET);
}

struct claim fake_open_announced(struct fake_looks *f, const char *user)
{
    struct claim c = fake_open(&f->fake, &f->e.id, user);
    newest_version_hint_made(&f->fake.runtime, f->fake.cache, fake_envelope(&f->fake, &f->e.id), &c,
                             1);
    f->fake.cache->ops->flush(f->fake.cache, true);
    return c;
}

void fake_version_put(struct fake_looks *f, int64_t version, bool guest, const struct claim *claims,
                      size_t n)
{
    char key[ITEM_KEY_SIZE], text[VERSION_TEXT_SIZE];
    struct version_value v = {.version = version, .guest = guest, .n_claims = n};
    assert(n <= VERSION_CLAIMS_MAX);
    for (size_t i = 0; i < n; i++)
        v.claims[i] = claims[i];
    item_key(key, ITEM_KEY_VERSION, f->fake.runtime.generation, &f->e.id);
    (void)version_value_write(text, &v, &f->e.id);
    memory_cache_put(f->fake.server, key, text);
}
