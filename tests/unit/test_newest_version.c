/* The newest version in the cache: for whom it is, of which envelopes, and how long. */
#include "lib/service/common/newest_version.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct fake_service fake;
    struct envelope e;
    struct newest_version got;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    fake_service_init(&f.fake);
    fake_send(&f.fake, &f.e);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fake_service_end(&((struct fixture *)*state)->fake);
    return 0;
}

static void made(struct fixture *f, const struct envelope *e, const struct claim *newest, size_t n)
{
    newest_version_hint_made(&f->fake.runtime, f->fake.cache, e, newest, n);
    f->fake.cache->ops->flush(f->fake.cache, true);
}

static const struct newest_version *get(struct fixture *f, const struct id *id, const char *user)
{
    struct who who = {.wallet = false};
    snprintf(who.user, sizeof who.user, "%s", user);
    memset(&f->got, 0xEE, sizeof f->got);
    const struct newest_version_query query = {.who = &who, .id = id, .out = &f->got};
    newest_versions_get(&f->fake.runtime, f->fake.cache, &query, 1);
    return &f->got;
}

static void it_is_known_for_two_seconds(void **state)
{
    struct fixture *f = *state;
    assert_false(get(f, &f->e.id, "bob")->known);
    f->e.version = 5;
    made(f, &f->e, NULL, 0);
    assert_true(get(f, &f->e.id, "bob")->known);
    assert_int_equal(f->got.version, 5);
    assert_int_equal(f->got.n_claims, 0);
    fixed_clock_advance(&f->fake.clock, 2 * FAKE_US_PER_S - 1);
    assert_true(get(f, &f->e.id, "bob")->known);
    fixed_clock_advance(&f->fake.clock, 1);
    assert_false(get(f, &f->e.id, "bob")->known);
}

static void guests_and_others_are_kept_apart(void **state)
{
    struct fixture *f = *state;
    struct envelope guests = {.sender = "guest:alice"};
    fake_send(&f->fake, &guests);
    made(f, &f->e, NULL, 0);
    made(f, &guests, NULL, 0);
    assert_true(get(f, &f->e.id, "bob")->known);
    assert_false(get(f, &f->e.id, "guest:bob")->known);
    assert_true(get(f, &guests.id, "guest:bob")->known);
    assert_false(get(f, &guests.id, "bob")->known);
}

static void a_restricted_envelope_is_not_in_it(void **state)
{
    struct fixture *f = *state;
    f->e.to_kind = TO_GROUP;
    made(f, &f->e, NULL, 0);
    newest_version_hint_read(&f->fake.runtime, f->fake.cache, &f->e);
    f->fake.cache->ops->flush(f->fake.cache, true);
    assert_false(get(f, &f->e.id, "bob")->known);
}

static void a_reader_never_replaces_what_a_maker_wrote(void **state)
{
    struct fixture *f = *state;
    struct envelope old = f->e;
    f->e.version = 5;
    made(f, &f->e, NULL, 0);
    newest_version_hint_read(&f->fake.runtime, f->fake.cache, &old);
    f->fake.cache->ops->flush(f->fake.cache, true);
    assert_int_equal(get(f, &f->e.id, "bob")->version, 5);
    f->e.version = 6;
    made(f, &f->e, NULL, 0);
    assert_int_equal(get(f, &f->e.id, "bob")->version, 6);
}

static void the_newest_claims_and_my_own_come_with_it(void **state)
{
    struct fixture *f = *state;
    struct claim claims[2];
    claims[0] = fake_open(&f->fake, &f->e.id, "bob");
    claims[1] = fake_open(&f->fake, &f->e.id, "carol");
    const struct envelope *now = fake_envelope(&f->fake, &f->e.id);
    made(f, now, claims, 2);
    gate_hint_opened(&f->fake.runtime, f->fake.cache, f->e.expires_us, &claims[0]);
    f->fake.cache->ops->flush(f->fake.cache, true);
    assert_true(get(f, &f->e.id, "bob")->has_mine);
    assert_int_equal(f->got.mine.amount_fen, claims[0].amount_fen);
    assert_int_equal(f->got.mine.seq, 1);
    assert_string_equal(f->got.mine.user, "bob");
    assert_int_equal(f->got.n_claims, 2);
    assert_string_equal(f->got.claims[1].user, "carol");
    assert_int_equal(f->got.claims[1].amount_fen, claims[1].amount_fen);
    assert_false(get(f, &f->e.id, "carol")->has_mine); /* its item is missing */
    assert_true(f->got.known);
}

static void a_ticket_is_no_claim(void **state)
{
    struct fixture *f = *state;
    made(f, &f->e, NULL, 0);
    gate_hint_ticket(&f->fake.runtime, f->fake.cache, &f->e.id, "bob", 1000, f->e.expires_us);
    f->fake.cache->ops->flush(f->fake.cache, true);
    assert_true(get(f, &f->e.id, "bob")->known);
    assert_false(f->got.has_mine);
}

static void many_readers_are_one_round_trip_and_each_gets_its_own(void **state)
{
    struct fixture *f = *state;
    static struct who who[NEWEST_VERSIONS_MAX];
    static struct newest_version out[NEWEST_VERSIONS_MAX];
    struct newest_version_query queries[NEWEST_VERSIONS_MAX];
    struct envelope other = {.shares = 20};
    fake_send(&f->fake, &other);
    f->e.version = 3;
    other.version = 4;
    made(f, &f->e, NULL, 0);
    made(f, &other, NULL, 0);
    struct claim c = {
        .envelope = other.id, .user = "u1", .amount_fen = 9, .seq = 1, .opened_us = 1};
    gate_hint_opened(&f->fake.runtime, f->fake.cache, other.expires_us, &c);
    f->fake.cache->ops->flush(f->fake.cache, true);
    for (size_t i = 0; i < NEWEST_VERSIONS_MAX; i++) {
        snprintf(who[i].user, sizeof who[i].user, "u%zu", i / 2);
        queries[i] = (struct newest_version_query){
            .who = &who[i], .id = i % 2 == 0 ? &f->e.id : &other.id, .out = &out[i]};
    }
    unsigned before = memory_cache_calls(f->fake.server, MEMORY_CACHE_GET);
    newest_versions_get(&f->fake.runtime, f->fake.cache, queries, NEWEST_VERSIONS_MAX);
    assert_int_equal(memory_cache_calls(f->fake.server, MEMORY_CACHE_GET), before + 1);
    for (size_t i = 0; i < NEWEST_VERSIONS_MAX; i++) {
        assert_int_equal(out[i].version, i % 2 == 0 ? 3 : 4);
        assert_int_equal(out[i].has_mine, i == 3);
    }
}

static void a_lying_or_absent_cache_knows_nothing(void **state)
{
    struct fixture *f = *state;
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_VERSION, f->fake.runtime.generation, &f->e.id);
    memory_cache_put(f->fake.server, key, "v1 nonsense");
    assert_false(get(f, &f->e.id, "bob")->known);
    made(f, &f->e, NULL, 0);
    memory_cache_set_away(f->fake.server, true);
    assert_false(get(f, &f->e.id, "bob")->known);
    assert_false(f->got.has_mine);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_is_known_for_two_seconds),
        TEST(guests_and_others_are_kept_apart),
        TEST(a_restricted_envelope_is_not_in_it),
        TEST(a_reader_never_replaces_what_a_maker_wrote),
        TEST(the_newest_claims_and_my_own_come_with_it),
        TEST(a_ticket_is_no_claim),
        TEST(many_readers_are_one_round_trip_and_each_gets_its_own),
        TEST(a_lying_or_absent_cache_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
