/* The Nth operation on the database fails, for every N until the flow is through, in every way.
 * After each, the client repeats what he got no answer to, and then the books must balance. */
#include "bin/daemon.h"
#include "lib/service/account/wallet.h"
#include "lib/service/common/close.h"
#include "lib/service/open/open.h"
#include "lib/service/send/send.h"
#include "lib/service/settle/audit.h"
#include "lib/service/settle/credit.h"
#include "tests/service/faulty_store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS_MAX 12
#define TOTAL_FEN 1000

struct flow {
    struct daemon daemon; /* connects as the administrator: rights are tested elsewhere */
    struct daemon auditor;
    struct runtime runtime; /* the daemon's, with sessions that fail */
    struct store *(*open_real)(void *self);
    struct faults faults;
    struct store *store;
    struct session_pool *send_sessions, *open_sessions;
    struct send_service *sends;
    struct open_service *opens;
    char sender[USER_SIZE], winner[2][USER_SIZE];
    int64_t won_fen[2];
    bool by_lane; /* credits: each lane by itself */
    struct id envelope;
};

static struct store *open_faulty(void *self)
{
    struct flow *f = self;
    struct store *real = f->open_real(&f->daemon);
    return real == NULL ? NULL : faulty_store_new(real, &f->faults);
}

static struct cache *open_cache(void *self)
{
    struct flow *f = self;
    return f->daemon.runtime.cache_open(&f->daemon);
}

static int set_up(void **state)
{
    static struct flow f;
    const char *config = getenv("HONGBAO_TEST_CONFIG");
    assert_non_null(config);
    assert_int_equal(daemon_load(&f.daemon, "test", config), ERR_OK);
    assert_int_equal(daemon_load(&f.auditor, "test", config), ERR_OK);
    assert_int_equal(daemon_connect(&f.daemon, ""), ERR_OK);
    assert_int_equal(daemon_connect(&f.auditor, f.auditor.config.audit_credentials), ERR_OK);
    f.open_real = f.daemon.runtime.store_open;
    f.runtime = f.daemon.runtime;
    f.runtime.store_open = open_faulty;
    f.runtime.cache_open = open_cache;
    f.runtime.self = &f;
    f.runtime.ticket_keys.n = 1;
    struct store *real = f.open_real(&f.daemon);
    assert_int_equal(real->ops->generation(real, f.runtime.generation), ERR_OK);
    real->ops->close(real);
    assert_non_null(f.runtime.markers);
    *state = &f;
    return 0;
}

/* A marker says what the database has stored, and nothing before. */
static bool marked(struct flow *f)
{
    struct envelope e;
    bool found;
    int64_t now_us;
    if (!marker_exists(f->runtime.markers, f->runtime.generation, &f->envelope))
        return false;
    struct store *real = f->open_real(&f->daemon);
    assert_int_equal(real->ops->envelope_get(real, &f->envelope, &e, &found, &now_us), ERR_OK);
    assert_true(found && e.state != STATE_OPEN);
    real->ops->close(real);
    return true;
}

static int64_t deadline(void)
{
    return clock_system.mono_us(NULL) + 10 * US_PER_S;
}

/* True while a client would repeat. */
static bool again(enum err err, int *repeats)
{
    assert_true(++*repeats < REPEATS_MAX);
    return err_class(err) == CLASS_RETRY || err_class(err) == CLASS_UNCERTAIN;
}

static void top_up(struct flow *f)
{
    struct wallet_request request = {.kind = TRANSFER_TOPUP,
                                     .user = f->sender,
                                     .backend = BACKEND_OPERATOR,
                                     .reference = f->sender,
                                     .amount_fen = TOTAL_FEN};
    static const struct session_pool_settings one = {.threads = 1};
    struct account_service account = {.runtime = &f->runtime,
                                      .sessions = session_pool_new(&f->runtime, &one)};
    struct transfer done;
    enum err err;
    int repeats = 0;
    bool replayed;
    assert_non_null(account.sessions);
    do
        err = wallet_move(&account, &request, 0, &done, &replayed);
    while (again(err, &repeats));
    session_pool_free(account.sessions);
    assert_int_equal(err, ERR_OK);
    assert_int_equal(done.balance_fen, TOTAL_FEN);
}

static void send(struct flow *f)
{
    struct who who;
    int repeats = 0;
    memset(&who, 0, sizeof who);
    memcpy(who.user, f->sender, sizeof who.user);
    memcpy(who.name, "Sender", 7);
    struct send_request request = {.who = &who,
                                   .mode = MODE_LUCKY,
                                   .total_fen = TOTAL_FEN,
                                   .shares = 3,
                                   .expires_in_s = 600,
                                   .greeting = "test",
                                   .to = ""},
                        *requests[1] = {&request};
    hash_sha256(request.key_hash, f->sender, strlen(f->sender));
    do
        send_now(f->sends, requests, 1, deadline());
    while (again(request.err, &repeats));
    assert_int_equal(request.err, ERR_OK);
    f->envelope = request.envelope.id;
}

static void open_one(struct flow *f, int number)
{
    struct who who;
    struct open_request request = {.who = &who, .id = &f->envelope}, *requests[1] = {&request};
    int repeats = 0;
    int64_t expires_s = clock_system.wall_us(NULL) / US_PER_S + 60;
    memset(&who, 0, sizeof who);
    memcpy(who.user, f->winner[number], sizeof who.user);
    memcpy(who.name, "Winner", 7);
    ticket_make(request.ticket, &f->runtime.ticket_keys, f->runtime.generation, &f->envelope,
                who.user, expires_s);
    request.ticket_len = strlen(request.ticket);
    do
        open_now(f->opens, requests, 1, deadline());
    while (again(request.err, &repeats));
    assert_int_equal(request.err, ERR_OK);
    assert_int_equal(request.answer.state, OPEN_OPENED);
    assert_int_equal(request.answer.claim.seq, number + 1);
    f->won_fen[number] = request.answer.claim.amount_fen;
}

static void close_in_flow(struct flow *f)
{
    struct envelope e;
    bool found;
    enum err err;
    int repeats = 0;
    assert_false(marked(f));
    do {
        err =
            close_envelope(&f->runtime, f->store, NULL, &f->envelope, CLOSER_OPERATOR, &found, &e);
        (void)marked(f); /* whatever happened */
    } while (again(err, &repeats));
    assert_int_equal(err, ERR_OK);
    assert_true(found && marked(f));
    assert_int_equal(e.state, STATE_EXPIRED);
    assert_int_equal(e.refunded_fen, TOTAL_FEN - f->won_fen[0] - f->won_fen[1]);
}

static void credit_all(struct flow *f)
{
    bool more = false;
    enum err err;
    for (unsigned lane = 0; lane < (f->by_lane ? LANES : 1); lane++) {
        size_t booked;
        int repeats = 0;
        do
            err = f->by_lane ? credit_run_lanes(&f->runtime, f->store, UINT32_C(1) << lane, &booked)
                             : credit_run(&f->runtime, f->store, &more);
        while (again(err, &repeats));
        assert_int_equal(err, ERR_OK);
        assert_false(more);
    }
}

static void check_balance(struct flow *f, const char *user, int64_t expected_fen)
{
    struct account a;
    int64_t pending_fen;
    struct store *real = f->open_real(&f->daemon);
    assert_int_equal(real->ops->account_get(real, user, &a, &pending_fen), ERR_OK);
    assert_int_equal(pending_fen, 0);
    assert_int_equal(a.balance_fen, expected_fen);
    real->ops->close(real);
}

static void check_books(struct flow *f)
{
    struct audit_result results[AUDIT_RESULTS_MAX];
    size_t n = 0;
    struct audit_session *s = audit_session_open(&f->auditor.primary, &clock_system);
    assert_non_null(s);
    assert_int_equal(audit_run(s, 0, NULL, results, &n), ERR_OK);
    audit_session_close(s);
    for (size_t i = 0; i < n; i++)
        if (results[i].count.violations > 0)
            fail_msg("%s: %s", results[i].rule.name, results[i].count.example);
    check_balance(f, f->sender, TOTAL_FEN - f->won_fen[0] - f->won_fen[1]);
    for (int i = 0; i < 2; i++)
        check_balance(f, f->winner[i], f->won_fen[i]);
}

/* The whole flow with new users. Returns whether the fault struck. */
static bool run_flow(struct flow *f, enum fault kind, unsigned at)
{
    snprintf(f->sender, sizeof f->sender, "s-%d-%u-%d", (int)kind, at, f->by_lane);
    for (int i = 0; i < 2; i++)
        snprintf(f->winner[i], sizeof f->winner[i], "w%d-%d-%u-%d", i, (int)kind, at, f->by_lane);
    f->faults = (struct faults){.kind = kind, .at = at};
    f->store = open_faulty(f);
    const struct session_pool_settings sessions = {.leaders = 1};
    f->send_sessions = session_pool_new(&f->runtime, &sessions);
    f->open_sessions = session_pool_new(&f->runtime, &sessions);
    f->sends = send_service_new(&f->runtime, f->send_sessions, 1);
    f->opens = open_service_new(&f->runtime, f->open_sessions, 1);
    assert_true(f->store != NULL && f->sends != NULL && f->opens != NULL);
    top_up(f);
    send(f);
    open_one(f, 0);
    open_one(f, 1);
    open_one(f, 1); /* repeated: the same answer */
    close_in_flow(f);
    credit_all(f);
    send_service_free(f->sends);
    open_service_free(f->opens);
    session_pool_free(f->send_sessions);
    session_pool_free(f->open_sessions);
    f->store->ops->close(f->store);
    check_books(f);
    return f->faults.struck;
}

static void run_kind(struct flow *f, enum fault kind)
{
    for (int by_lane = 0; by_lane < 2; by_lane++) {
        unsigned at = 1;
        f->by_lane = by_lane == 1;
        while (run_flow(f, kind, at))
            at++;
        assert_true(at > 20); /* the flow asks the database that often at least */
    }
}

static void what_is_refused_is_repeated(void **state)
{
    run_kind(*state, FAULT_REFUSED);
}

static void done_and_then_said_lost(void **state)
{
    run_kind(*state, FAULT_LOST);
}

static void not_done_and_said_uncertain(void **state)
{
    run_kind(*state, FAULT_UNCERTAIN);
}

static void deadlocks(void **state)
{
    run_kind(*state, FAULT_DEADLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_is_repeated),
        cmocka_unit_test(done_and_then_said_lost),
        cmocka_unit_test(not_done_and_said_uncertain),
        cmocka_unit_test(deadlocks),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
