/* Opens and sends on the fakes. */
#include "tests/fake/fake_batches.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_US FAKE_US_PER_S

void fake_batches_init(struct fake_batches *b)
{
    struct session_pool_settings settings = {.leaders = 1, .threads = 4};
    memset(b, 0, sizeof *b);
    fake_service_init(&b->fake);
    fake_markers_init(&b->fake);
    b->open_sessions = session_pool_new(&b->fake.runtime, &settings);
    b->send_sessions = session_pool_new(&b->fake.runtime, &settings);
    assert(b->open_sessions != NULL && b->send_sessions != NULL);
    b->open = open_service_new(&b->fake.runtime, b->open_sessions, 1);
    b->send = send_service_new(&b->fake.runtime, b->send_sessions, 1);
    b->other = memory_store_open(b->fake.db);
    b->held = calloc(1, sizeof *b->held);
    assert(b->open != NULL && b->send != NULL && b->held != NULL);
}

void fake_batches_end(struct fake_batches *b)
{
    memory_db_set_hook(b->fake.db, NULL, NULL);
    memory_cache_set_hook(b->fake.server, NULL, NULL);
    const char *wrong = memory_db_audit(b->fake.db);
    if (wrong != NULL)
        fprintf(stderr, "%s\n", wrong);
    assert(wrong == NULL);
    b->other->ops->close(b->other);
    free(b->held);
    open_service_free(b->open);
    send_service_free(b->send);
    session_pool_free(b->open_sessions);
    session_pool_free(b->send_sessions);
    fake_service_end(&b->fake);
}

static void fake_who_fill(struct who *who, const char *user)
{
    snprintf(who->user, sizeof who->user, "%s", user);
    snprintf(who->name, sizeof who->name, "name of %s", user);
}

/* ---- opens ---- */

void fake_opening_fill(struct fake_batches *b, struct fake_opening *o, const struct id *id,
                       const char *user, int64_t life_s)
{
    const struct runtime *r = &b->fake.runtime;
    memset(o, 0, sizeof *o);
    fake_who_fill(&o->who, user);
    o->id = *id;
    ticket_make(o->request.ticket, &r->ticket_keys, r->generation, id, user,
                b->fake.clock.wall_us / FAKE_US_PER_S + life_s);
    o->request.ticket_len = strlen(o->request.ticket);
}

void fake_openings_run(struct fake_batches *b, struct fake_opening *os, size_t n)
{
    struct open_request *requests[BATCH_MAX];
    assert(n <= BATCH_MAX);
    for (size_t i = 0; i < n; i++) {
        os[i].request.who = &os[i].who;
        os[i].request.id = &os[i].id;
        requests[i] = &os[i].request;
    }
    open_now(b->open, requests, n, b->fake.clock.mono_us + DEADLINE_US);
}

const struct fake_opening *fake_opening(struct fake_batches *b, const struct id *id,
                                        const char *user)
{
    static struct fake_opening o;
    fake_opening_fill(b, &o, id, user, b->fake.config.ticket_life_s);
    fake_openings_run(b, &o, 1);
    return &o;
}

bool fake_opening_is_stored(struct fake_batches *b, const struct fake_opening *o)
{
    const struct claim *answered = &o->request.answer.claim;
    const struct claim *c = memory_db_claim(b->fake.db, &o->id, o->who.user);
    return o->request.err == ERR_OK && o->request.answer.state == OPEN_OPENED && c != NULL &&
           id_compare(&answered->envelope, &c->envelope) == 0 &&
           strcmp(answered->user, c->user) == 0 && answered->amount_fen == c->amount_fen &&
           answered->seq == c->seq && answered->opened_us == c->opened_us;
}

/* ---- sends ---- */

void fake_sending_fill(struct fake_sending *s, const char *user, const char *key, int64_t total_fen)
{
    char text[2 * USER_SIZE + KEY_SIZE];
    memset(s, 0, sizeof *s);
    fake_who_fill(&s->who, user);
    struct send_request *r = &s->request;
    *r = (struct send_request){.mode = MODE_EQUAL,
                               .total_fen = total_fen,
                               .shares = 2,
                               .expires_in_s = 3600,
                               .greeting = "",
                               .to_kind = TO_ANYONE,
                               .to = ""};
    snprintf(text, sizeof text, "%s POST /v1/envelopes %s", user, key);
    hash_sha256(r->key_hash, text, strlen(text));
    hash_sha256(r->body_hash, &total_fen, sizeof total_fen);
}

void fake_sendings_run(struct fake_batches *b, struct fake_sending *ss, size_t n)
{
    struct send_request *requests[BATCH_MAX];
    assert(n <= BATCH_MAX);
    for (size_t i = 0; i < n; i++) {
        ss[i].request.who = &ss[i].who;
        requests[i] = &ss[i].request;
    }
    send_now(b->send, requests, n, b->fake.clock.mono_us + DEADLINE_US);
}

const struct fake_sending *fake_sending(struct fake_batches *b, const char *user, const char *key,
                                        int64_t total_fen)
{
    static struct fake_sending s;
    fake_sending_fill(&s, user, key, total_fen);
    fake_sendings_run(b, &s, 1);
    return &s;
}

/* ---- rows held elsewhere ---- */

void fake_lock_envelope(struct fake_batches *b, const struct id *id)
{
    memset(b->held, 0, sizeof *b->held);
    b->held->n_envelopes = 1;
    b->held->ids[0] = *id;
    enum err err = b->other->ops->open_read(b->other, b->held);
    assert(err == ERR_OK);
}

void fake_lock_account(struct fake_batches *b, const char *user)
{
    struct wallet_row row = {.kind = TRANSFER_TOPUP};
    snprintf(row.user, sizeof row.user, "%s", user);
    enum err err = b->other->ops->wallet_read(b->other, &row);
    assert(err == ERR_OK);
}

void fake_unlock(struct fake_batches *b)
{
    b->other->ops->rollback(b->other);
}
