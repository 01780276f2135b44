/* Recalls: by the sender only, refunded once, and honest about what closed the envelope. */
#include "lib/service/account/recall.h"
#include "tests/fake/fake_service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct fixture {
    struct fake_service fake;
    struct account_service service;
    struct envelope e;
    int64_t balance_fen; /* of the sender, before the send */
};

static int set_up(void **state)
{
    static const struct session_pool_settings settings = {.threads = 4};
    static struct fixture f;
    memset(&f.e, 0, sizeof f.e);
    fake_service_init(&f.fake);
    fake_markers_init(&f.fake);
    f.service = (struct account_service){.runtime = &f.fake.runtime,
                                         .sessions = session_pool_new(&f.fake.runtime, &settings)};
    fake_send(&f.fake, &f.e);
    fake_gate_put(&f.fake, &f.e);
    f.balance_fen = memory_db_account(f.fake.db, "alice")->balance_fen + f.e.total_fen;
    *state = &f;
    return f.service.sessions == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    const char *wrong = memory_db_audit(f->fake.db);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    session_pool_free(f->service.sessions);
    fake_service_end(&f->fake);
    return 0;
}

static enum err recall_by(struct fixture *f, const char *user, struct envelope *out, bool *replayed)
{
    return recall_envelope(&f->service, user, &f->e.id, 0, out, replayed);
}

static void others_cannot_recall(void **state)
{
    struct fixture *f = *state;
    struct envelope out;
    bool replayed;
    fake_open(&f->fake, &f->e.id, "bob");
    assert_int_equal(recall_by(f, "bob", &out, &replayed), ERR_NOT_SENDER);
    assert_int_equal(recall_by(f, "alic", &out, &replayed), ERR_NOT_SENDER);
    assert_int_equal(recall_by(f, "alicex", &out, &replayed), ERR_NOT_SENDER);
    f->e.id.b[15] ^= 1;
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_NOT_FOUND);
    f->e.id.b[15] ^= 1;
    assert_int_equal(fake_envelope(&f->fake, &f->e.id)->state, STATE_OPEN);
}

static void a_frozen_envelope_is_not_recalled(void **state)
{
    struct fixture *f = *state;
    struct envelope out;
    bool replayed;
    memory_db_envelope(f->fake.db, &f->e.id)->frozen_rule = BOOKS_LUCKIEST;
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_LOCKED);
    assert_int_equal(fake_envelope(&f->fake, &f->e.id)->state, STATE_OPEN);
    memory_db_envelope(f->fake.db, &f->e.id)->frozen_rule = 0;
}

static void nothing_is_known_without_the_database(void **state)
{
    struct fixture *f = *state;
    struct envelope out;
    bool replayed;
    memory_db_fail(f->fake.db, MEMORY_ENVELOPE_GET, ERR_LOCKED, false, 0, 1);
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_UNAVAILABLE);
    memory_db_fail(f->fake.db, MEMORY_ENVELOPE_GET, ERR_FAULT, false, 0, 1);
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_FAULT);
    assert_int_equal(fake_envelope(&f->fake, &f->e.id)->state, STATE_OPEN);
}

static void the_rest_is_refunded_and_the_end_published_once(void **state)
{
    struct fixture *f = *state;
    struct envelope out;
    struct gate g;
    bool replayed = true;
    struct claim c = fake_open(&f->fake, &f->e.id, "bob");
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_OK);
    assert_false(replayed);
    assert_int_equal(out.state, STATE_EXPIRED);
    assert_int_equal(out.closed_by, CLOSER_SENDER);
    assert_int_equal(out.refunded_fen, f->e.total_fen - c.amount_fen);
    assert_true(fake_marker_exists(&f->fake, &f->e.id));
    assert_true(fake_gate_get(&f->fake, &f->e.id, &g) && g.state == STATE_EXPIRED);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_OK);
        assert_true(replayed);
        assert_int_equal(out.refunded_fen, f->e.total_fen - c.amount_fen);
    }
    assert_int_equal(memory_db_account(f->fake.db, "alice")->balance_fen,
                     f->balance_fen - c.amount_fen);
}

static void a_lost_commit_reply_refunds_once(void **state)
{
    struct fixture *f = *state;
    struct envelope out;
    bool replayed;
    memory_db_fail(f->fake.db, MEMORY_COMMIT, ERR_UNCERTAIN, true, 0, 1);
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_OK);
    assert_int_equal(envelope_closer(&out), CLOSER_SENDER);
    assert_int_equal(memory_db_account(f->fake.db, "alice")->balance_fen, f->balance_fen);
}

static void after_the_last_claim_nothing_is_refunded(void **state)
{
    struct fixture *f = *state;
    struct envelope out;
    char user[] = "user0";
    bool replayed = true;
    for (int i = 0; i < f->e.shares; i++, user[4]++)
        fake_open(&f->fake, &f->e.id, user);
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_OK);
    assert_false(replayed);
    assert_int_equal(out.state, STATE_SOLD_OUT);
    assert_int_equal(envelope_closer(&out), CLOSER_CLAIMS);
    assert_int_equal(out.refunded_fen, 0);
}

static void after_the_deadline_the_deadline_closed_it(void **state)
{
    struct fixture *f = *state;
    struct envelope out;
    bool replayed = true;
    fake_clock_to(&f->fake, f->e.expires_us);
    assert_int_equal(recall_by(f, "alice", &out, &replayed), ERR_OK);
    assert_false(replayed);
    assert_int_equal(envelope_closer(&out), CLOSER_DEADLINE);
    assert_int_equal(out.refunded_fen, f->e.total_fen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(others_cannot_recall, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frozen_envelope_is_not_recalled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_known_without_the_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_rest_is_refunded_and_the_end_published_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lost_commit_reply_refunds_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_the_last_claim_nothing_is_refunded, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(after_the_deadline_the_deadline_closed_it, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
