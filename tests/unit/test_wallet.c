/* Top-ups, withdrawals and guests: money moves once for each reference of a back end. */
#include "lib/service/account/wallet.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct fake_service fake;
    struct account_service service;
    struct transfer done;
    bool replayed;
};
static struct fixture f;

static int set_up(void **state)
{
    static const struct session_pool_settings settings = {.threads = 4};
    (void)state;
    memset(&f, 0, sizeof f);
    fake_service_init(&f.fake);
    f.service.runtime = &f.fake.runtime;
    f.service.sessions = session_pool_new(&f.fake.runtime, &settings);
    assert_non_null(f.service.sessions);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(memory_db_audit(f.fake.db));
    session_pool_free(f.service.sessions);
    fake_service_end(&f.fake);
    return 0;
}

static struct wallet_request topup(const char *backend, const char *key, int64_t amount_fen)
{
    struct wallet_request r = {.kind = TRANSFER_TOPUP,
                               .user = "alice",
                               .reference = "order-17",
                               .backend = backend,
                               .amount_fen = amount_fen,
                               .has_key = true};
    char text[64];
    snprintf(text, sizeof text, "%s %s", backend, key);
    hash_sha256(r.key_hash, text, strlen(text));
    hash_sha256(r.body_hash, &amount_fen, sizeof amount_fen);
    return r;
}

static enum err move(const struct wallet_request *r)
{
    return wallet_move(&f.service, r, 0, &f.done, &f.replayed);
}

static int64_t balance(void)
{
    return memory_db_account(f.fake.db, "alice")->balance_fen;
}

static void two_back_ends_use_one_reference(void **state)
{
    struct wallet_request a = topup("shop-a", "1", 500), b = topup("shop-b", "1", 500);
    (void)state;
    assert_int_equal(move(&a), ERR_OK);
    assert_false(f.replayed);
    struct transfer first = f.done;
    assert_int_equal(move(&b), ERR_OK);
    assert_false(f.replayed);
    assert_int_equal(balance(), 1000);
    assert_int_equal(f.done.balance_fen, 1000);
    b.kind = TRANSFER_WITHDRAW;
    b.has_key = false;
    assert_int_equal(move(&b), ERR_OK); /* another kind is another reference */
    assert_int_equal(move(&a), ERR_OK);
    assert_true(f.replayed);
    assert_memory_equal(&f.done.id, &first.id, sizeof first.id);
    assert_int_equal(f.done.balance_fen, 500);
    assert_int_equal(balance(), 500);
}

/* The key may be a new one, or gone. */
static void a_reference_is_replayed_for_ever(void **state)
{
    struct wallet_request r = topup("shop-a", "1", 500), other = topup("shop-a", "2", 501);
    (void)state;
    assert_int_equal(move(&r), ERR_OK);
    r = topup("shop-a", "2", 500);
    assert_int_equal(move(&r), ERR_OK);
    assert_true(f.replayed);
    assert_int_equal(move(&other), ERR_REFERENCE_REUSED);
    assert_false(f.replayed);
    other = topup("shop-a", "1", 501);
    assert_int_equal(move(&other), ERR_IDEMPOTENCY_KEY_REUSED);
    r.has_key = false;
    fixed_clock_advance(&f.fake.clock, 1000 * S_PER_DAY * US_PER_S);
    assert_int_equal(move(&r), ERR_OK);
    assert_true(f.replayed);
    assert_int_equal(balance(), 500);
}

static void a_setting_refuses_only_what_is_new(void **state)
{
    struct wallet_request r = topup("shop-a", "1", 500), other = topup("shop-a", "2", 501);
    (void)state;
    other.reference = "order-18";
    other.refused = ERR_WITHDRAWALS_OFF;
    assert_int_equal(move(&r), ERR_OK);
    assert_int_equal(move(&other), ERR_WITHDRAWALS_OFF);
    r.refused = ERR_WITHDRAWALS_OFF;
    assert_int_equal(move(&r), ERR_OK);
    assert_true(f.replayed);
    assert_int_equal(balance(), 500);
}

/* Version 0.1 did not store the back end. */
static void a_row_without_a_back_end_is_replayed_to_any(void **state)
{
    struct wallet_request a = topup("shop-a", "1", 500), b = topup("shop-b", "2", 500);
    (void)state;
    a.backend = "";
    assert_int_equal(move(&a), ERR_OK);
    a.backend = "shop-a";
    assert_int_equal(move(&a), ERR_OK);
    assert_true(f.replayed);
    assert_int_equal(move(&b), ERR_OK);
    assert_true(f.replayed);
    b = topup("shop-b", "3", 600);
    assert_int_equal(move(&b), ERR_REFERENCE_REUSED); /* it may be the one that booked it */
    assert_int_equal(balance(), 500);
}

static void a_commit_without_a_reply_is_no_replay(void **state)
{
    struct wallet_request r = topup("shop-a", "1", 500);
    (void)state;
    memory_db_fail(f.fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    assert_int_equal(move(&r), ERR_OK);
    assert_false(f.replayed);
    assert_int_equal(memory_db_calls(f.fake.db, MEMORY_WALLET_READ), 2);
    assert_int_equal(move(&r), ERR_OK);
    assert_true(f.replayed);
    assert_int_equal(balance(), 500);
}

static void guests_share_no_reference_with_back_ends(void **state)
{
    struct account guest;
    struct wallet_request r = topup("shop-a", "1", 500);
    (void)state;
    assert_int_equal(wallet_guest(&f.service, "G", 0, &guest), ERR_OK);
    r.reference = guest.user;
    assert_int_equal(move(&r), ERR_OK);
    assert_false(f.replayed);
    assert_int_equal(balance(), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_back_ends_use_one_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reference_is_replayed_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_setting_refuses_only_what_is_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_without_a_back_end_is_replayed_to_any, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_commit_without_a_reply_is_no_replay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(guests_share_no_reference_with_back_ends, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
