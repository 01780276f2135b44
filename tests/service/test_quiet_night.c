/* Sessions that the server closed while they were idle: the first statement after it succeeds, but
 * nothing that may have changed something is sent twice. */
#include "bin/daemon.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct daemon service;

/* A top-up by alice, as far as wallet_read needs it. */
static struct wallet_row wallet_row_of_alice(void)
{
    struct wallet_row row;
    memset(&row, 0, sizeof row);
    row.kind = TRANSFER_TOPUP;
    memcpy(row.user, "alice", 6);
    memcpy(row.reference, "quiet-night", 12);
    return row;
}

/* Run sql as the administrator. */
static void administrate(const char *sql)
{
    char command[512];
    const char *socket = getenv("HONGBAO_TEST_SOCKET");
    assert_non_null(socket);
    snprintf(command, sizeof command,
             "mariadb --no-defaults --delimiter=// --socket='%s' -e \"%s\"", socket, sql);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): the command is ours */
}

/* Close all sessions but the one that does it, and return when they are gone. */
static void close_sessions(void)
{
    administrate(
        "BEGIN NOT ATOMIC FOR s IN (SELECT id FROM information_schema.processlist WHERE id "
        "<> CONNECTION_ID() AND user <> 'system user') DO EXECUTE IMMEDIATE "
        "CONCAT('KILL ', s.id); END FOR; WHILE EXISTS (SELECT 1 FROM "
        "information_schema.processlist WHERE id <> CONNECTION_ID() AND user <> 'system "
        "user') DO DO SLEEP(0.01); END WHILE; END");
}

static int set_up(void **state)
{
    const char *config = getenv("HONGBAO_TEST_CONFIG");
    assert_non_null(config);
    assert_int_equal(daemon_load(&service, "test", config), ERR_OK);
    assert_int_equal(daemon_connect(&service, ""), ERR_OK);
    *state = service.runtime.store_open(&service);
    return *state == NULL;
}

static int tear_down(void **state)
{
    struct store *s = *state;
    s->ops->close(s);
    return 0;
}

static void reads_and_barriers_succeed_at_once(void **state)
{
    struct store *s = *state;
    struct account account;
    struct queue_state queue;
    uint8_t generation[16];
    int64_t pending_fen;
    assert_int_equal(s->ops->account_get(s, "alice", &account, &pending_fen), ERR_OK);
    close_sessions();
    assert_int_equal(s->ops->account_get(s, "alice", &account, &pending_fen), ERR_OK);
    assert_int_equal(s->ops->queue_state(s, &queue), ERR_OK);
    close_sessions();
    assert_int_equal(s->ops->barrier(s), ERR_OK);
    close_sessions();
    assert_int_equal(s->ops->generation(s, generation), ERR_OK);
}

static void a_transaction_begins_on_a_new_session(void **state)
{
    struct store *s = *state;
    struct wallet_row row = wallet_row_of_alice();
    assert_int_equal(s->ops->barrier(s), ERR_OK);
    close_sessions();
    assert_int_equal(s->ops->wallet_read(s, &row), ERR_OK);
    s->ops->rollback(s);
}

/* The first half of the transaction is lost: its second half alone would change something else. */
static void a_transaction_in_progress_is_not_resumed(void **state)
{
    struct store *s = *state;
    struct wallet_row row = wallet_row_of_alice();
    assert_int_equal(s->ops->wallet_read(s, &row), ERR_OK);
    close_sessions();
    assert_int_equal(s->ops->wallet_write(s, &row), ERR_UNAVAILABLE);
    s->ops->rollback(s);
    assert_int_equal(s->ops->wallet_read(s, &row), ERR_OK);
    close_sessions();
    assert_int_equal(s->ops->commit(s), ERR_UNCERTAIN);
    s->ops->rollback(s);
    assert_int_equal(s->ops->barrier(s), ERR_OK);
}

static void the_server_keeps_idle_sessions(void **state)
{
    struct store *s = *state;
    close_sessions();
    administrate("SET GLOBAL wait_timeout = 1");
    assert_int_equal(s->ops->barrier(s), ERR_OK);
    administrate("SELECT SLEEP(2.2)");
    administrate("BEGIN NOT ATOMIC IF NOT EXISTS (SELECT 1 FROM information_schema.processlist "
                 "WHERE id <> CONNECTION_ID() AND time >= 2 AND command = 'Sleep') THEN SIGNAL "
                 "SQLSTATE '45000'; END IF; END");
    administrate("SET GLOBAL wait_timeout = DEFAULT");
}

/* A process that stops within a transaction does not hold its rows for ever. The other one may give
 * up on the lock or on the connection meanwhile. */
static void a_silent_session_loses_its_locks(void **state)
{
    struct store *s = *state, *other = service.runtime.store_open(&service);
    struct wallet_row row = wallet_row_of_alice();
    char sql[256];
    enum err err;
    assert_non_null(other);
    snprintf(sql, sizeof sql,
             "INSERT IGNORE INTO %s.account (user_id, name, balance_fen) VALUES ('alice', '', 0)",
             service.runtime.config->db_name);
    administrate(sql);
    assert_int_equal(s->ops->wallet_read(s, &row), ERR_OK); /* holds the account */
    time_t began = time(NULL);
    do {
        row = wallet_row_of_alice();
        err = other->ops->wallet_read(other, &row);
        other->ops->rollback(other);
    } while (err != ERR_OK && time(NULL) - began < 30);
    assert_int_equal(err, ERR_OK);
    assert_in_range(time(NULL) - began, 2, 7);
    assert_int_equal(s->ops->wallet_write(s, &row), ERR_UNAVAILABLE);
    s->ops->rollback(s);
    other->ops->close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_barriers_succeed_at_once),
        cmocka_unit_test(a_transaction_begins_on_a_new_session),
        cmocka_unit_test(a_transaction_in_progress_is_not_resumed),
        cmocka_unit_test(the_server_keeps_idle_sessions),
        cmocka_unit_test(a_silent_session_loses_its_locks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
