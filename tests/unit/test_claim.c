/* Claims: what a burst costs, what comes before what, and that nothing in the cache decides about
 * money. The books are audited after each test. */
#include "lib/service/claim/claim.h"
#include "tests/fake/fake_batches.h"
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One claim, and its user and envelope. */
struct claiming {
    struct who who;
    struct id id;
    struct claim_request request;
    bool deferred;
};

static struct fake_batches b;
static struct claim_service *service;
static struct envelope e; /* 10 shares, 1000 fen, to anyone, with its gate in the cache */
static struct claiming cs[BATCH_MAX];

static void start(void)
{
    service = claim_service_new(&b.fake.runtime, b.open_sessions, b.open, 4, 1);
    assert(service != NULL);
}

static int set_up(void **state)
{
    (void)state;
    fake_batches_init(&b);
    start();
    e = (struct envelope){.shares = 10};
    fake_send(&b.fake, &e);
    fake_gate_put(&b.fake, &e);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    claim_service_free(service);
    fake_batches_end(&b);
    return 0;
}

static void fill(struct claiming *c, const struct id *id, const char *user)
{
    memset(c, 0, sizeof *c);
    snprintf(c->who.user, sizeof c->who.user, "%s", user);
    snprintf(c->who.name, sizeof c->who.name, "%s", user);
    c->id = *id;
    c->request.who = &c->who;
    c->request.id = &c->id;
}

/* Run the first n of cs as one burst, and then those that it has deferred. */
static void burst(size_t n)
{
    struct claim_request *requests[BATCH_MAX];
    bool deferred[BATCH_MAX];
    int64_t deadline_us = b.fake.clock.mono_us + FAKE_US_PER_S;
    for (size_t i = 0; i < n; i++)
        requests[i] = &cs[i].request;
    claim_now(service, 0, requests, n, deadline_us, deferred);
    for (size_t i = 0; i < n; i++) {
        cs[i].deferred = deferred[i];
        if (deferred[i])
            claim_wait(service, &cs[i].request, deadline_us);
    }
}

static struct claim_request *claim(const struct id *id, const char *user)
{
    fill(&cs[0], id, user);
    burst(1);
    return &cs[0].request;
}

static bool is_stored(const struct claiming *c)
{
    const struct claim_request *r = &c->request;
    const struct claim *stored = memory_db_claim(b.fake.db, &c->id, c->who.user);
    return r->err == ERR_OK && r->tried && r->open.answer.state == OPEN_OPENED && stored != NULL &&
           stored->seq == r->open.answer.claim.seq &&
           stored->amount_fen == r->open.answer.claim.amount_fen &&
           stored->opened_us == r->open.answer.claim.opened_us;
}

/* Return true if r was answered "sold out" or "expired", by whichever part. */
static bool is_end(const struct claim_request *r, enum envelope_state end)
{
    bool sold_out = end == STATE_SOLD_OUT;
    if (r->err != ERR_OK)
        return false;
    if (r->tried)
        return r->open.answer.state == (sold_out ? OPEN_SOLD_OUT : OPEN_EXPIRED);
    return r->job.answer.state == (sold_out ? GRAB_SOLD_OUT : GRAB_EXPIRED);
}

static bool is_busy(const struct claim_request *r)
{
    return r->err == ERR_OK && !r->tried && r->job.answer.state == GRAB_BUSY &&
           r->job.answer.retry_after_s >= 1;
}

static int64_t gate_left(void)
{
    struct gate g;
    return fake_gate_get(&b.fake, &e.id, &g) ? g.left : -1;
}

static void gate_put_left(int64_t left)
{
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    struct gate g;
    gate_from_envelope(&b.fake.runtime, &e, &g);
    g.left = left;
    item_key(key, ITEM_KEY_GATE, b.fake.runtime.generation, &e.id);
    (void)gate_text(&b.fake.runtime, &g, text);
    memory_cache_put(b.fake.server, key, text);
}

static void put_user_item(const char *user, const struct user_value *u)
{
    char key[ITEM_KEY_SIZE], text[USER_TEXT_SIZE];
    item_key_user(key, b.fake.runtime.generation, &e.id, user);
    (void)user_value_write(text, u, &e.id);
    memory_cache_put(b.fake.server, key, text);
}

static unsigned asked(void)
{
    return memory_db_calls(b.fake.db, MEMORY_ENVELOPE_GET);
}

/* Let `first` take a share, others the rest, and this process learn of the end. */
static void sell_out(const char *first)
{
    char user[] = "winner-a";
    (void)claim(&e.id, first);
    for (; fake_envelope(&b.fake, &e.id)->state == STATE_OPEN; user[7]++)
        (void)claim(&e.id, user);
    assert_true(is_end(claim(&e.id, "late"), STATE_SOLD_OUT));
}

/* ---- bursts ---- */

static void a_burst_is_one_read_a_cas_an_envelope_and_one_commit(void **state)
{
    struct envelope other = {.shares = 3};
    const char *users[] = {"zoe", "bob", "carol"};
    (void)state;
    fake_send(&b.fake, &other);
    fake_gate_put(&b.fake, &other);
    for (size_t i = 0; i < 3; i++)
        fill(&cs[i], &e.id, users[i]);
    fill(&cs[3], &other.id, "bob");
    burst(4);
    for (size_t i = 0; i < 4; i++)
        assert_true(is_stored(&cs[i]));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(cs[i].request.open.answer.claim.seq, i + 1); /* in order of arrival */
    assert_int_equal(gate_left(), 7);
    assert_int_equal(memory_cache_calls(b.fake.server, MEMORY_CACHE_CAS_ALL), 1);
    assert_int_equal(memory_cache_calls(b.fake.server, MEMORY_CACHE_GET), 1);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_OPEN_READ), 1);
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_COMMIT), 1);
    assert_int_equal(asked(), 0);
}

static void those_without_a_share_of_the_gate_do_not_reach_the_primary(void **state)
{
    (void)state;
    gate_put_left(2);
    for (size_t i = 0; i < 5; i++) {
        char user[] = "user-0";
        user[5] = (char)('0' + i);
        fill(&cs[i], &e.id, user);
    }
    burst(5);
    for (size_t i = 0; i < 5; i++)
        assert_true(i < 2 ? is_stored(&cs[i]) : is_busy(&cs[i].request));
    assert_int_equal(fake_envelope(&b.fake, &e.id)->opened_shares, 2);
    assert_int_equal(asked(), 0);
}

static void claims_of_one_user_in_a_burst_are_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        fill(&cs[i], &e.id, "bob");
    burst(8);
    for (size_t i = 0; i < 8; i++)
        assert_true(is_stored(&cs[i]));
    assert_int_equal(gate_left(), 9);
    assert_int_equal(fake_envelope(&b.fake, &e.id)->opened_shares, 1);
}

/* ---- the user's earlier claim ---- */

static void a_repeat_is_given_the_first_answer_and_takes_no_share(void **state)
{
    (void)state;
    struct open_answer first = claim(&e.id, "bob")->open.answer;
    for (unsigned repeat = 0; repeat < 3; repeat++) {
        fixed_clock_advance(&b.fake.clock, FAKE_US_PER_S);
        (void)claim(&e.id, "bob");
        assert_true(is_stored(&cs[0]));
        assert_int_equal(cs[0].request.open.answer.claim.seq, first.claim.seq);
    }
    assert_int_equal(gate_left(), 9);
    assert_int_equal(fake_metric(&b.fake, METRIC_BATCH_LOOKUPS), 0); /* none was run again */
}

static void an_earlier_claim_comes_before_the_end(void **state)
{
    (void)state;
    sell_out("bob");
    unsigned reads = memory_db_calls(b.fake.db, MEMORY_OPEN_READ), confirmed = asked();
    assert_true(is_end(claim(&e.id, "dave"), STATE_SOLD_OUT));
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_OPEN_READ), reads);
    (void)claim(&e.id, "bob");
    assert_true(is_stored(&cs[0]));
    assert_int_equal(memory_db_calls(b.fake.db, MEMORY_OPEN_READ), reads + 1);
    assert_int_equal(asked(), confirmed);
}

static void an_earlier_claim_comes_before_recipients(void **state)
{
    struct envelope team = {.to_kind = TO_GROUP, .to = "team", .shares = 2};
    (void)state;
    fake_send(&b.fake, &team);
    fake_gate_put(&b.fake, &team);
    fill(&cs[0], &team.id, "bob");
    cs[0].who.n_groups = 1;
    snprintf(cs[0].who.groups[0], sizeof cs[0].who.groups[0], "team");
    burst(1);
    assert_true(is_stored(&cs[0]));
    (void)claim(&team.id, "bob"); /* a token without the group */
    assert_true(is_stored(&cs[0]));
    assert_int_equal(claim(&team.id, "mallory")->err, ERR_NOT_RECIPIENT);
}

static void a_ticket_of_a_grab_counts(void **state)
{
    struct user_value ticket = {.ticket_expires_s = b.fake.clock.wall_us / FAKE_US_PER_S + 60};
    (void)state;
    gate_put_left(0);
    put_user_item("bob", &ticket);
    (void)claim(&e.id, "bob");
    assert_true(is_stored(&cs[0]));
    ticket.ticket_expires_s -= 120; /* lapsed */
    put_user_item("carol", &ticket);
    (void)claim(&e.id, "carol");
    assert_true(is_stored(&cs[0]));
    assert_int_equal(gate_left(), 0);
}

/* ---- what the cache says may be wrong ---- */

static void amounts_in_the_cache_are_not_believed(void **state)
{
    const struct user_value lie = {.opened = true, .amount_fen = 999, .seq = 7, .opened_us = 1};
    (void)state;
    put_user_item("bob", &lie); /* who has no claim */
    (void)claim(&e.id, "bob");
    assert_true(is_stored(&cs[0]));
    put_user_item("bob", &lie);
    (void)claim(&e.id, "bob");
    assert_true(is_stored(&cs[0]));
    assert_int_equal(fake_envelope(&b.fake, &e.id)->opened_shares, 1);
}

static void a_false_end_is_not_believed(void **state)
{
    struct envelope wrong = e;
    (void)state;
    wrong.state = STATE_SOLD_OUT;
    fake_gate_put(&b.fake, &wrong);
    (void)claim(&e.id, "bob");
    assert_true(cs[0].deferred && is_stored(&cs[0]));
    assert_int_equal(asked(), 1);
}

static void without_a_cache_the_primary_decides(void **state)
{
    (void)state;
    memory_cache_set_away(b.fake.server, true);
    for (size_t i = 0; i < 12; i++) {
        char user[] = "user-a";
        user[5] = (char)('a' + i);
        (void)claim(&e.id, user);
        assert_true(i < 10 ? is_stored(&cs[0]) : is_end(&cs[0].request, STATE_SOLD_OUT));
    }
    memory_cache_set_away(b.fake.server, false);
}

static void after_a_restart_of_the_cache_the_gate_is_made_again(void **state)
{
    (void)state;
    (void)claim(&e.id, "bob");
    memory_cache_restart(b.fake.server);
    (void)claim(&e.id, "carol");
    assert_true(cs[0].deferred && is_stored(&cs[0]));
    assert_int_equal(gate_left(), 8);
    (void)claim(&e.id, "bob"); /* no item is left: the primary finds the claim */
    assert_true(is_stored(&cs[0]));
    assert_int_equal(cs[0].request.open.answer.claim.seq, 1);
    assert_int_equal(fake_metric(&b.fake, METRIC_GATE_CREATED), 1);
}

/* ---- trouble with the primary ---- */

static void a_claim_that_failed_is_repeated_with_its_share_of_the_gate(void **state)
{
    (void)state;
    memory_db_set_away(b.fake.db, true);
    assert_int_equal(claim(&e.id, "bob")->err, ERR_UNAVAILABLE);
    memory_db_set_away(b.fake.db, false);
    assert_int_equal(gate_left(), 9);
    fixed_clock_advance(&b.fake.clock, 2 * FAKE_US_PER_S);
    (void)claim(&e.id, "bob");
    assert_true(is_stored(&cs[0]));
    assert_int_equal(gate_left(), 9);
}

static void an_uncertain_commit_gives_the_claim_it_stored(void **state)
{
    (void)state;
    memory_db_fail(b.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    (void)claim(&e.id, "bob");
    assert_true(is_stored(&cs[0]));
    assert_int_equal(fake_envelope(&b.fake, &e.id)->opened_shares, 1);
}

static void a_locked_envelope_does_not_hold_up_the_others(void **state)
{
    struct envelope other = {.shares = 3};
    (void)state;
    fake_send(&b.fake, &other);
    fake_gate_put(&b.fake, &other);
    fill(&cs[0], &e.id, "bob");
    fill(&cs[1], &other.id, "bob");
    fake_lock_envelope(&b, &e.id);
    burst(2);
    fake_unlock(&b);
    assert_int_equal(cs[0].request.err, ERR_LOCKED);
    assert_true(is_stored(&cs[1]));
}

/* ---- refusals ---- */

static void those_refused_are_answered_the_reason(void **state)
{
    struct id none = id_make(&b.fake.rng.rng, b.fake.clock.wall_us, 0);
    (void)state;
    assert_int_equal(claim(&none, "bob")->err, ERR_NOT_FOUND);
    assert_int_equal(claim(&e.id, "guest:1")->err, ERR_NOT_RECIPIENT);
    assert_int_equal(fake_envelope(&b.fake, &e.id)->opened_shares, 0);
}

static void a_past_due_envelope_is_closed_for_a_ticket_and_busy_without(void **state)
{
    const struct user_value ticket = {.ticket_expires_s = UINT32_MAX};
    (void)state;
    fake_clock_to(&b.fake, e.expires_us);
    assert_true(is_busy(claim(&e.id, "carol")));
    put_user_item("bob", &ticket);
    assert_true(is_end(claim(&e.id, "bob"), STATE_EXPIRED));
    const struct envelope *now = fake_envelope(&b.fake, &e.id);
    assert_int_equal(now->state, STATE_EXPIRED);
    assert_int_equal(now->refunded_fen, now->total_fen);
}

static void claims_share_the_rate_of_grabs(void **state)
{
    (void)state;
    b.fake.config.grabs_per_s = 1;
    b.fake.config.grabs_burst = 2;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(claim(&e.id, "bob")->err, ERR_OK);
    assert_int_equal(claim(&e.id, "bob")->err, ERR_RATE_LIMITED);
    assert_true(cs[0].request.retry_after_s >= 1);
    assert_int_equal(claim(&e.id, "carol")->err, ERR_OK);
}

/* Only those whom the primary would have to look up. */
static void at_a_closed_envelope_the_rate_limits_known_users_only(void **state)
{
    (void)state;
    sell_out("bob");
    b.fake.config.grabs_per_s = 1;
    b.fake.config.grabs_burst = 2;
    fixed_clock_advance(&b.fake.clock, 10 * FAKE_US_PER_S);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(is_end(claim(&e.id, "dave"), STATE_SOLD_OUT));
        assert_int_equal(claim(&e.id, "bob")->err, i < 2 ? ERR_OK : ERR_RATE_LIMITED);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_burst_is_one_read_a_cas_an_envelope_and_one_commit),
        TEST(those_without_a_share_of_the_gate_do_not_reach_the_primary),
        TEST(claims_of_one_user_in_a_burst_are_one),
        TEST(a_repeat_is_given_the_first_answer_and_takes_no_share),
        TEST(an_earlier_claim_comes_before_the_end),
        TEST(an_earlier_claim_comes_before_recipients),
        TEST(a_ticket_of_a_grab_counts),
        TEST(amounts_in_the_cache_are_not_believed),
        TEST(a_false_end_is_not_believed),
        TEST(without_a_cache_the_primary_decides),
        TEST(after_a_restart_of_the_cache_the_gate_is_made_again),
        TEST(a_claim_that_failed_is_repeated_with_its_share_of_the_gate),
        TEST(an_uncertain_commit_gives_the_claim_it_stored),
        TEST(a_locked_envelope_does_not_hold_up_the_others),
        TEST(those_refused_are_answered_the_reason),
        TEST(a_past_due_envelope_is_closed_for_a_ticket_and_busy_without),
        TEST(claims_share_the_rate_of_grabs),
        TEST(at_a_closed_envelope_the_rate_limits_known_users_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
