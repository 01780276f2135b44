/* Connecting, sending and the meaning of errors. One table maps the numbers of MariaDB and MySQL to
 * outcomes; a number that is not in it is a fault, so that no unknown error is retried for ever. */
#include "lib/base/log.h"
#include "lib/store/mysql_internal.h"
#include <errmsg.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#define NOWAIT_MYSQL 3572 /* ER_LOCK_NOWAIT of MySQL 8; MariaDB returns 1205 */
#define STATEMENT_TIME_MARIADB 1969

enum err mysql_start(void)
{
    return mysql_library_init(0, NULL, NULL) == 0 ? ERR_OK : ERR_FAULT;
}

struct error_row {
    unsigned code;
    enum err err;
};

static const struct error_row error_rows[] = {
    {ER_LOCK_DEADLOCK, ERR_DEADLOCK},
    {1020, ERR_DEADLOCK}, /* record has changed since last read */
    {ER_LOCK_WAIT_TIMEOUT, ERR_LOCKED},
    {NOWAIT_MYSQL, ERR_LOCKED},
    {ER_DUP_ENTRY, ERR_DUPLICATE},
    {ER_WARN_DATA_OUT_OF_RANGE, ERR_RANGE},
    {ER_DATA_TOO_LONG, ERR_RANGE},
    {4025, ERR_RANGE}, /* CHECK constraint, MariaDB */
    {3819, ERR_RANGE}, /* CHECK constraint, MySQL */
    {1690, ERR_RANGE}, /* BIGINT out of range */
    {1366, ERR_RANGE}, /* incorrect value */
    {ER_BAD_NULL_ERROR, ERR_RANGE},
    {CR_CONNECTION_ERROR, ERR_UNAVAILABLE},
    {CR_CONN_HOST_ERROR, ERR_UNAVAILABLE},
    {2005, ERR_UNAVAILABLE}, /* unknown host */
    {CR_SERVER_GONE_ERROR, ERR_UNAVAILABLE},
    {CR_SERVER_LOST, ERR_UNAVAILABLE},
    {2012, ERR_UNAVAILABLE}, /* error in server handshake */
    {2055, ERR_UNAVAILABLE}, /* server lost, with a reason */
    {2027, ERR_UNAVAILABLE}, /* malformed packet */
    {5014, ERR_UNAVAILABLE}, /* connector: write error */
    {ER_CON_COUNT_ERROR, ERR_UNAVAILABLE},
    {1047, ERR_UNAVAILABLE}, /* Galera: node not ready */
    {1053, ERR_UNAVAILABLE}, /* shutdown in progress */
    {1114, ERR_UNAVAILABLE}, /* table full: disk */
    {1021, ERR_UNAVAILABLE}, /* disk full */
    {1203, ERR_UNAVAILABLE}, /* too many connections of this user */
    {1158, ERR_UNAVAILABLE}, /* network: reading */
    {1159, ERR_UNAVAILABLE},
    {1160, ERR_UNAVAILABLE},
    {1161, ERR_UNAVAILABLE},
    {1180, ERR_UNAVAILABLE}, /* error during commit */
    {1290, ERR_UNAVAILABLE}, /* read only */
    {1317, ERR_UNAVAILABLE}, /* query interrupted */
    {1836, ERR_UNAVAILABLE}, /* read-only mode */
    {1927, ERR_UNAVAILABLE}, /* connection was killed */
    {STATEMENT_TIME_MARIADB, ERR_UNAVAILABLE},
    {3024, ERR_UNAVAILABLE}, /* statement time, MySQL */
};

enum err sql_classify(const struct mysql_store *s)
{
    unsigned code = mysql_errno(s->link);
    if (code == STATEMENT_TIME_MARIADB && s->brief_locks)
        return ERR_LOCKED;
    for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++)
        if (error_rows[i].code == code)
            return error_rows[i].err;
    /* the server's message may quote values, so only the number is logged */
    log_event(LOG_LEVEL_ERROR, "database_error", "error %u, SQLSTATE %s", code,
              mysql_sqlstate(s->link));
    return ERR_FAULT;
}

/* 2000..2999 are errors of the client library, 5000 and above of the connector. */
bool sql_lost(const struct mysql_store *s)
{
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

static void set_options(MYSQL *link, const struct mysql_settings *c)
{
    unsigned timeout_s = c->timeout_s, local_infile = 0;
    mysql_options(link, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_s);
    mysql_options(link, MYSQL_OPT_READ_TIMEOUT, &timeout_s);
    mysql_options(link, MYSQL_OPT_WRITE_TIMEOUT, &timeout_s);
    mysql_options(link, MYSQL_OPT_LOCAL_INFILE, &local_infile);
    mysql_options(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (c->credentials[0] != '\0') {
        mysql_options(link, MYSQL_READ_DEFAULT_FILE, c->credentials);
        mysql_options(link, MYSQL_READ_DEFAULT_GROUP, "client");
    }
}

/* A client that stops inside a transaction, or that the network cuts off, holds its row locks until
 * the server ends it: after 4 s, on MariaDB, which alone has this time-out. */
static const char session_setup[] =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; "
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
    "autocommit = 1 /*M!100300 , idle_transaction_timeout = 4 */, innodb_lock_wait_timeout = ";

static enum err set_up_session(struct mysql_store *s)
{
    struct buf q;
    buf_init(&q, 1024);
    buf_puts(&q, session_setup);
    buf_put_u64(&q, s->settings->lock_wait_s);
    int failed = q.failed || mysql_real_query(s->link, q.data, q.len) != 0;
    while (!failed && mysql_next_result(s->link) == 0)
        ;
    buf_free(&q);
    return !failed && mysql_errno(s->link) == 0 ? ERR_OK : sql_classify(s);
}

static enum err connect_link(struct mysql_store *s)
{
    const struct mysql_settings *c = s->settings;
    s->link = mysql_init(NULL);
    if (s->link == NULL)
        return ERR_FAULT;
    set_options(s->link, c);
    bool by_socket = c->socket[0] != '\0';
    MYSQL *ok =
        mysql_real_connect(s->link, by_socket ? NULL : c->host, NULL, NULL,
                           c->database[0] != '\0' ? c->database : NULL, by_socket ? 0 : c->port,
                           by_socket ? c->socket : NULL, CLIENT_MULTI_STATEMENTS);
    s->mariadb = ok != NULL && mysql_get_server_info(s->link) != NULL &&
                 strstr(mysql_get_server_info(s->link), "MariaDB") != NULL;
    enum err err = ok != NULL ? set_up_session(s) : sql_classify(s);
    if (err != ERR_OK)
        sql_disconnect(s);
    return err;
}

struct buf *sql_begin(struct mysql_store *s)
{
    while (s->link != NULL && s->more) {
        MYSQL_RES *rest = mysql_store_result(s->link);
        mysql_free_result(rest);
        s->more = mysql_next_result(s->link) == 0;
    }
    s->step_err = ERR_OK;
    s->brief_locks = false;
    buf_reset(&s->sql);
    return &s->sql;
}

void sql_transaction(struct mysql_store *s)
{
    s->in_transaction = true;
    buf_puts(&s->sql, "BEGIN; ");
}

#define LOCK_BRIEFLY "SET STATEMENT max_statement_time = 0.25 FOR "

void sql_lock_briefly(struct mysql_store *s, bool nowait)
{
    s->brief_locks = s->mariadb && !nowait;
    if (s->brief_locks)
        buf_puts(&s->sql, LOCK_BRIEFLY);
}

enum err sql_fail(struct mysql_store *s, enum err err)
{
    s->step_err = err;
    s->more = false;
    return err;
}

enum err sql_send(struct mysql_store *s)
{
    bool late = s->deadline_us != 0 && s->clock->mono_us(s->clock->self) >= s->deadline_us;
    if (s->sql.failed)
        return sql_fail(s, ERR_FAULT);
    if (late)
        return sql_fail(s, ERR_UNAVAILABLE);
    if (s->link == NULL) {
        /* the server has rolled back a transaction that lost its connection */
        bool lost = s->in_transaction && strncmp(s->sql.data, "BEGIN", 5) != 0;
        enum err err = lost ? ERR_UNAVAILABLE : connect_link(s);
        if (err != ERR_OK)
            return sql_fail(s, err);
        s->in_transaction = strncmp(s->sql.data, "BEGIN", 5) == 0;
    }
    if (mysql_real_query(s->link, s->sql.data, s->sql.len) != 0)
        return sql_fail(s, sql_classify(s));
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
