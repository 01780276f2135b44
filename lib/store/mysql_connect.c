/* Connecting: options, the settings of a session, and the choice among several servers. */
#include "lib/store/mysql_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Refuse a server that has no TLS, or whose certificate is not of ca or for another name. */
static void set_tls(MYSQL *link, const char *ca)
{
#ifdef MARIADB_PACKAGE_VERSION_ID
    my_bool on = 1;
    mysql_options(link, MYSQL_OPT_SSL_ENFORCE, &on);
    mysql_options(link, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
#else
    unsigned mode = SSL_MODE_VERIFY_IDENTITY;
    mysql_options(link, MYSQL_OPT_SSL_MODE, &mode);
#endif
    mysql_options(link, MYSQL_OPT_SSL_CA, ca);
}

static void set_options(MYSQL *link, const struct mysql_settings *c, bool by_socket)
{
    unsigned timeout_s = c->timeout_s, local_infile = 0;
    /* otherwise a lock that is waited for looks like a server that is away */
    unsigned read_s = timeout_s > c->lock_wait_s ? timeout_s : c->lock_wait_s + 1;
    mysql_options(link, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_s);
    mysql_options(link, MYSQL_OPT_READ_TIMEOUT, &read_s);
    mysql_options(link, MYSQL_OPT_WRITE_TIMEOUT, &timeout_s);
    mysql_options(link, MYSQL_OPT_LOCAL_INFILE, &local_infile);
    mysql_options(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (c->tls_ca[0] != '\0' && !by_socket)
        set_tls(link, c->tls_ca);
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
    "autocommit = 1, wait_timeout = 31536000 /*M!100300 , idle_transaction_timeout = 4 */, "
    "innodb_lock_wait_timeout = ";

int sql_take_read_only(MYSQL *link, bool *read_only)
{
    MYSQL_RES *result = mysql_store_result(link);
    MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
    if (row != NULL && row[0] != NULL)
        *read_only = row[0][0] == '1';
    mysql_free_result(result);
    return mysql_next_result(link);
}

/* A member of a group that is cut off refuses even the first statement. */
static enum err set_up_session(struct mysql_store *s)
{
    struct buf q;
    int next = -1;
    s->read_only = false;
    buf_init(&q, 1024);
    buf_puts(&q, "SELECT " SQL_READ_ONLY "; ");
    buf_puts(&q, session_setup);
    buf_put_u64(&q, s->settings->lock_wait_s);
    bool ok = !q.failed && mysql_real_query(s->link, q.data, q.len) == 0;
    if (ok)
        next = sql_take_read_only(s->link, &s->read_only);
    while (next == 0)
        next = mysql_next_result(s->link);
    buf_free(&q);
    return ok && mysql_errno(s->link) == 0 ? ERR_OK : sql_classify(s);
}

static bool take_first(MYSQL *link, const char *query, char *out, size_t cap)
{
    if (mysql_real_query(link, query, strlen(query)) != 0)
        return false;
    MYSQL_RES *result = mysql_store_result(link);
    MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
    snprintf(out, cap, "%s", row != NULL && row[1] != NULL ? row[1] : "");
    mysql_free_result(result);
    return mysql_errno(link) == 0;
}

/* Members of a Galera cluster apply what another one has committed a moment later. Processes may
 * use different ones, so a read first waits until its member has all that was committed before. */
static enum err wait_for_group(struct mysql_store *s)
{
    char on[8];
    if (!s->mariadb || s->settings->servers->n == 1)
        return ERR_OK;
    if (!take_first(s->link, "SHOW GLOBAL VARIABLES LIKE 'wsrep_on'", on, sizeof on))
        return sql_classify(s);
    if (strcmp(on, "ON") != 0)
        return ERR_OK;
    static const char set[] = "SET SESSION wsrep_sync_wait = 1";
    return mysql_real_query(s->link, set, sizeof set - 1) == 0 ? ERR_OK : sql_classify(s);
}

/* The client library ignores an option file that it cannot read, and would then connect as the
 * system user: as the administrator, if that is root. */
static bool credentials_readable(const struct mysql_settings *c)
{
    char text[160];
    if (c->credentials[0] == '\0' || access(c->credentials, R_OK) == 0)
        return true;
    snprintf(text, sizeof text, "%s: %s", c->credentials, strerror(errno));
    server_state_failed(c->state, SERVER_REFUSED, (unsigned)errno, text);
    return false;
}

static enum err connect_server(struct mysql_store *s, const struct server_address *server)
{
    const struct mysql_settings *c = s->settings;
    bool by_socket = server->port == 0;
    s->link = mysql_init(NULL);
    if (s->link == NULL)
        return ERR_FAULT;
    set_options(s->link, c, by_socket);
    MYSQL *ok = mysql_real_connect(s->link, by_socket ? NULL : server->address, NULL, NULL,
                                   c->database[0] != '\0' ? c->database : NULL, server->port,
                                   by_socket ? server->address : NULL, CLIENT_MULTI_STATEMENTS);
    s->mariadb = ok != NULL && mysql_get_server_info(s->link) != NULL &&
                 strstr(mysql_get_server_info(s->link), "MariaDB") != NULL;
    enum err err = ok != NULL ? set_up_session(s) : sql_classify(s);
    if (err == ERR_OK)
        err = wait_for_group(s);
    if (err != ERR_OK)
        sql_disconnect(s);
    return err;
}

void sql_use_server(struct mysql_store *s)
{
    struct server_list *servers = s->settings->servers;
    char name[SERVER_ADDRESS_SIZE + 16];
    if (!server_list_use(servers, s->server))
        return;
    server_name(&servers->at[s->server], name, sizeof name);
    server_state_changed(s->settings->state, name);
}

/* Connect to server number at; one that can be written becomes the one in use. */
static enum err connect_to(struct mysql_store *s, size_t at)
{
    enum err err = connect_server(s, &s->settings->servers->at[at]);
    s->server = at;
    if (err == ERR_OK && (!s->read_only || s->settings->replica))
        sql_use_server(s);
    return err;
}

/* Connect to the one that is in use, or else to the first that can be written. Otherwise return an
 * error, and set *readable to one that can be read, or servers->n. */
static enum err connect_writable(struct mysql_store *s, size_t *readable)
{
    const struct server_list *servers = s->settings->servers;
    size_t current = atomic_load(&servers->current);
    enum err err = ERR_UNAVAILABLE;
    *readable = servers->n;
    for (size_t i = 0; i <= servers->n && !sql_late(s); i++) {
        size_t at = i == 0 ? current : i - 1;
        if (i > 0 && at == current)
            continue;
        err = connect_to(s, at);
        if (err == ERR_OK && (!s->read_only || servers->n == 1 || s->settings->replica))
            return ERR_OK;
        if (err == ERR_OK && *readable == servers->n)
            *readable = at;
        if (err == ERR_OK)
            err = ERR_UNAVAILABLE;
        sql_disconnect(s);
    }
    return err;
}

enum err sql_open_link(struct mysql_store *s)
{
    const struct server_list *servers = s->settings->servers;
    size_t readable;
    if (!credentials_readable(s->settings))
        return ERR_FAULT;
    s->leaves = false;
    s->turn = atomic_load(&servers->turn);
    enum err err = connect_writable(s, &readable);
    if (err != ERR_OK && readable < servers->n && !sql_late(s)) /* what can be read is */
        err = connect_to(s, readable);
    if (err == ERR_OK)
        s->turn = atomic_load(&servers->turn);
    return err;
}
