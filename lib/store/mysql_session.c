/* Sending, and the meaning of errors. One table maps the numbers of MariaDB and MySQL to
 * outcomes; a number that is not in it is a fault, so that no unknown error is retried for ever. */
#include "lib/store/mysql_internal.h"
#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOWAIT_MYSQL 3572 /* ER_LOCK_NOWAIT of MySQL 8; MariaDB returns 1205 */
#define STATEMENT_TIME_MARIADB 1969
#define KILLED_MARIADB 1927 /* ER_CONNECTION_KILLED */
#define IDLE_MYSQL 4031     /* ER_CLIENT_INTERACTION_TIMEOUT of MySQL 8 */

enum err mysql_start(void)
{
    return mysql_library_init(0, NULL, NULL) == 0 ? ERR_OK : ERR_FAULT;
}

struct error_row {
    unsigned code;
    enum err err;
    enum server_trouble trouble; /* SERVER_WORKS: the server did what it should */
};

/* The text of an error that is a trouble of the server is logged, so it must not quote values: no
 * row of a trouble may have an error whose text does. */
static const struct error_row error_rows[] = {
    {ER_LOCK_DEADLOCK, ERR_DEADLOCK, SERVER_WORKS},
    {1020, ERR_DEADLOCK, SERVER_WORKS}, /* record has changed since last read */
    {ER_LOCK_WAIT_TIMEOUT, ERR_LOCKED, SERVER_WORKS},
    {NOWAIT_MYSQL, ERR_LOCKED, SERVER_WORKS},
    {ER_DUP_ENTRY, ERR_DUPLICATE, SERVER_WORKS},
    {ER_WARN_DATA_OUT_OF_RANGE, ERR_RANGE, SERVER_WORKS},
    {ER_DATA_TOO_LONG, ERR_RANGE, SERVER_WORKS},
    {4025, ERR_RANGE, SERVER_WORKS}, /* CHECK constraint, MariaDB */
    {3819, ERR_RANGE, SERVER_WORKS}, /* CHECK constraint, MySQL */
    {1690, ERR_RANGE, SERVER_WORKS}, /* BIGINT out of range */
    {1366, ERR_RANGE, SERVER_WORKS}, /* incorrect value */
    {ER_BAD_NULL_ERROR, ERR_RANGE, SERVER_WORKS},
    {CR_CONNECTION_ERROR, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {CR_CONN_HOST_ERROR, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {2005, ERR_UNAVAILABLE, SERVER_UNREACHABLE}, /* unknown host */
    {CR_SERVER_GONE_ERROR, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {CR_SERVER_LOST, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {2012, ERR_UNAVAILABLE, SERVER_UNREACHABLE}, /* error in server handshake */
    {2055, ERR_UNAVAILABLE, SERVER_UNREACHABLE}, /* server lost, with a reason */
    {2026, ERR_UNAVAILABLE, SERVER_UNREACHABLE}, /* TLS: certificate, name, or none at all */
    {2027, ERR_UNAVAILABLE, SERVER_UNREACHABLE}, /* malformed packet */
    {5014, ERR_UNAVAILABLE, SERVER_UNREACHABLE}, /* connector: write error */
    {ER_CON_COUNT_ERROR, ERR_UNAVAILABLE, SERVER_TOO_MANY_CONNECTIONS},
    {1203, ERR_UNAVAILABLE, SERVER_TOO_MANY_CONNECTIONS}, /* of this user */
    {1226, ERR_UNAVAILABLE, SERVER_TOO_MANY_CONNECTIONS}, /* a resource limit of this user */
    {ER_ACCESS_DENIED_ERROR, ERR_FAULT, SERVER_REFUSED},
    {ER_DBACCESS_DENIED_ERROR, ERR_FAULT, SERVER_REFUSED},
    {1698, ERR_FAULT, SERVER_REFUSED}, /* access denied, without a password */
    {ER_TABLEACCESS_DENIED_ERROR, ERR_FAULT, SERVER_REFUSED},
    {ER_COLUMNACCESS_DENIED_ERROR, ERR_FAULT, SERVER_REFUSED},
    {ER_BAD_DB_ERROR, ERR_FAULT, SERVER_REFUSED},
    {ER_NO_SUCH_TABLE, ERR_FAULT, SERVER_REFUSED},
    {ER_BAD_FIELD_ERROR, ERR_FAULT, SERVER_REFUSED},
    {1047, ERR_UNAVAILABLE, SERVER_READ_ONLY}, /* Galera: node not ready */
    {1290, ERR_UNAVAILABLE, SERVER_READ_ONLY}, /* read only */
    {1836, ERR_UNAVAILABLE, SERVER_READ_ONLY}, /* read-only mode */
    {3100, ERR_UNAVAILABLE, SERVER_READ_ONLY}, /* Group Replication: refused at COMMIT */
    {3101, ERR_DEADLOCK, SERVER_READ_ONLY},    /* Group Replication: rolled back at COMMIT */
    {ER_SERVER_SHUTDOWN, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {1114, ERR_UNAVAILABLE, SERVER_DISK_FULL}, /* table full */
    {1021, ERR_UNAVAILABLE, SERVER_DISK_FULL},
    {1158, ERR_UNAVAILABLE, SERVER_UNREACHABLE}, /* network: reading */
    {1159, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {1160, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {1161, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {1180, ERR_UNAVAILABLE, SERVER_ERROR}, /* error during commit */
    {1317, ERR_UNAVAILABLE, SERVER_WORKS}, /* query interrupted */
    {KILLED_MARIADB, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {IDLE_MYSQL, ERR_UNAVAILABLE, SERVER_UNREACHABLE},
    {STATEMENT_TIME_MARIADB, ERR_UNAVAILABLE, SERVER_WORKS},
    {3024, ERR_UNAVAILABLE, SERVER_WORKS}, /* statement time, MySQL */
};

/* Return true for an error of a server that answers and does not serve: read-only, cut off from its
 * group, or shutting down. */
static bool refuses_to_serve(unsigned code)
{
    for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++)
        if (error_rows[i].code == code)
            return error_rows[i].trouble == SERVER_READ_ONLY || code == ER_SERVER_SHUTDOWN;
    return false;
}

enum err sql_classify(struct mysql_store *s)
{
    char state[32];
    unsigned code = s->error = mysql_errno(s->link);
    if (code == STATEMENT_TIME_MARIADB && s->brief_locks)
        return ERR_LOCKED;
    for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++) {
        const struct error_row *row = &error_rows[i];
        if (row->code != code)
            continue;
        if (refuses_to_serve(code)) {
            s->leaves = true;
            server_list_leave(s->settings->servers, s->server);
        }
        if (row->trouble != SERVER_WORKS)
            server_state_failed(s->settings->state, row->trouble, code, mysql_error(s->link));
        return row->err;
    }
    /* the server's message may quote values, so only the number is logged */
    snprintf(state, sizeof state, "SQLSTATE %s", mysql_sqlstate(s->link));
    server_state_failed(s->settings->state, SERVER_ERROR, code, state);
    return ERR_FAULT;
}

/* 2000..2999 are errors of the client library, 5000 and above of the connector. A server that
 * reports it cannot be written may stay so for ever. */
bool sql_lost(const struct mysql_store *s)
{
    if (s->leaves)
        return true;
    unsigned code = s->link == NULL ? CR_SERVER_LOST : mysql_errno(s->link);
    return (code >= CR_MIN_ERROR && code < 3000) || code >= 5000;
}

void sql_disconnect(struct mysql_store *s)
{
    if (s->link != NULL)
        mysql_close(s->link);
    s->link = NULL;
    s->more = false;
    s->in_transaction = false;
}

/* With several servers, each text outside a transaction first asks whether the server can be
 * written: a demoted one answers reads for ever, and they get old. */
#define GUARD "SELECT " SQL_READ_ONLY "; "

struct buf *sql_begin(struct mysql_store *s)
{
    while (s->link != NULL && s->more) {
        MYSQL_RES *rest = mysql_store_result(s->link);
        mysql_free_result(rest);
        s->more = mysql_next_result(s->link) == 0;
    }
    s->step_err = ERR_OK;
    s->brief_locks = s->begins = false;
    buf_reset(&s->sql);
    s->guarded = s->settings->servers->n > 1 && !s->settings->replica && !s->in_transaction;
    if (s->guarded)
        buf_puts(&s->sql, GUARD);
    return &s->sql;
}

void sql_transaction(struct mysql_store *s)
{
    s->in_transaction = s->begins = true;
    buf_puts(&s->sql, "BEGIN; ");
}

void sql_snapshot(struct mysql_store *s)
{
    s->in_transaction = s->begins = true;
    buf_puts(&s->sql, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; "
                      "START TRANSACTION WITH CONSISTENT SNAPSHOT; ");
}

#define LOCK_BRIEFLY "SET STATEMENT max_statement_time = 0.25 FOR "

void sql_lock_wait(struct mysql_store *s, enum lock_wait wait)
{
    s->brief_locks = s->mariadb && wait == LOCK_WAIT_BRIEF;
    if (s->brief_locks)
        buf_puts(&s->sql, LOCK_BRIEFLY);
}

enum err sql_fail(struct mysql_store *s, enum err err)
{
    s->step_err = err;
    s->more = false;
    return err;
}

static bool text_begins(const struct mysql_store *s, const char *word)
{
    const char *text = s->sql.data + (s->guarded ? strlen(GUARD) : 0);
    return strncmp(text, word, strlen(word)) == 0;
}

/* Return true if the text of s may run on a new connection although the server may have run it on
 * the old one: it only reads, or the server rolls it back, or running it twice changes nothing. */
static bool text_repeats(const struct mysql_store *s)
{
    return s->begins || text_begins(s, "SELECT ") || text_begins(s, "UPDATE barrier ");
}

/* Return true if the query that just failed may be sent again on another connection: the server had
 * closed the session, as after idle time or a restart, when every session fails once; or it does
 * not serve it any more, and there are others. A timeout is not a closed session, and waiting for
 * another one would use up the deadline. */
static bool may_send_again(const struct mysql_store *s, int64_t sent_us)
{
    int64_t took_us = s->clock->mono_us(s->clock->self) - sent_us;
    unsigned code = mysql_errno(s->link);
    switch (code) {
    case CR_SERVER_GONE_ERROR: /* the text could not be sent */
    case IDLE_MYSQL:
        return true;
    case CR_SERVER_LOST:
    case KILLED_MARIADB:
    case ER_SERVER_SHUTDOWN:
        return took_us < (int64_t)s->settings->timeout_s * US_PER_S / 2 && text_repeats(s);
    default:
        return s->settings->servers->n > 1 && refuses_to_serve(code) && text_repeats(s);
    }
}

bool sql_late(const struct mysql_store *s)
{
    return s->deadline_us != 0 && s->clock->mono_us(s->clock->self) >= s->deadline_us;
}

/* Connect if s is not connected. The server has rolled back a transaction that lost its connection:
 * the text must then begin another one. */
static enum err sql_connect(struct mysql_store *s)
{
    if (s->link != NULL)
        return ERR_OK;
    if (s->in_transaction && !s->begins)
        return ERR_UNAVAILABLE;
    enum err err = sql_open_link(s);
    s->in_transaction = s->begins;
    return err;
}

/* Leave a server that the process does not use any more, unless a transaction is in progress. */
static void leave_server(struct mysql_store *s)
{
    bool in_progress = s->in_transaction && !s->begins;
    if (s->link != NULL && !in_progress &&
        (s->leaves || s->turn != atomic_load(&s->settings->servers->turn)))
        sql_disconnect(s);
}

/* Send the text and take the answer of the guard. Return false on error. *demoted: the server
 * cannot be written any more. */
static bool send_text(struct mysql_store *s, bool *demoted)
{
    *demoted = false;
    if (mysql_real_query(s->link, s->sql.data, s->sql.len) != 0)
        return false;
    if (!s->guarded)
        return true;
    bool before = s->read_only;
    int rest = sql_take_read_only(s->link, &s->read_only);
    *demoted = s->read_only && !before;
    if (before && !s->read_only)
        sql_use_server(s);
    return rest == 0;
}

/* Connect and send the text once more. */
static enum err send_again(struct mysql_store *s)
{
    bool demoted;
    sql_disconnect(s);
    enum err err = sql_connect(s);
    if (err != ERR_OK)
        return err;
    return send_text(s, &demoted) ? ERR_OK : sql_classify(s);
}

static enum err send_once_or_twice(struct mysql_store *s, bool established)
{
    bool in_progress = s->in_transaction && !s->begins, demoted;
    int64_t sent_us = s->clock->mono_us(s->clock->self);
    bool sent = send_text(s, &demoted);
    if (sent && !demoted)
        return ERR_OK;
    if (demoted)
        server_list_leave(s->settings->servers, s->server);
    bool again =
        demoted ? text_repeats(s) : established && !in_progress && may_send_again(s, sent_us);
    if (again && !sql_late(s))
        return send_again(s);
    s->leaves |= demoted;
    return sent ? ERR_UNAVAILABLE : sql_classify(s);
}

enum err sql_send(struct mysql_store *s)
{
    leave_server(s);
    bool established = s->link != NULL;
    if (s->sql.failed)
        return sql_fail(s, ERR_FAULT);
    if (sql_late(s))
        return sql_fail(s, ERR_UNAVAILABLE);
    enum err err = sql_connect(s);
    if (err == ERR_OK)
        err = send_once_or_twice(s, established);
    if (err != ERR_OK)
        return sql_fail(s, err);
    server_state_answered(s->settings->state, false);
    s->more = true;
    return ERR_OK;
}

enum err sql_run(struct mysql_store *s)
{
    enum err err = sql_send(s);
    while (err == ERR_OK && s->more)
        err = sql_affected(s, NULL);
    return err != ERR_OK ? err : s->step_err;
}
