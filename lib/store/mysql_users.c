/* Users of the database, and their privileges, which are read from the information schema row by
 * row, so that they can be compared with those a user should have: MariaDB and MySQL print grants
 * differently. */
#include "lib/store/admin.h"
#include "lib/store/mysql_internal.h"
#include <string.h>

bool admin_host_valid(const char *host)
{
    size_t len = strlen(host);
    return len >= 1 && len < ADMIN_HOST_SIZE &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:%_-/") ==
               len;
}

static bool plain_user(const struct admin_user *user)
{
    return sql_plain_name(user->name) && admin_host_valid(user->host);
}

static void put_user(struct buf *q, const struct admin_user *user)
{
    buf_printf(q, "'%s'@'%s'", user->name, user->host);
}

/* Append "ALTER USER u IDENTIFIED BY 'p'", or another verb. */
static void put_identified(struct buf *q, const char *verb, const struct admin_user *user,
                           const char *password)
{
    buf_puts(q, verb);
    put_user(q, user);
    buf_printf(q, " IDENTIFIED BY '%s'", password);
}

/* MySQL (8.0.14) keeps a second password until it is discarded, also when the first one is changed;
 * on MariaDB the statement leaves only one. */
enum err admin_set_user(struct admin *a, const struct admin_user *user, const char *password)
{
    struct mysql_store *s = admin_session(a);
    if (!(plain_user(user) && sql_plain_name(password)))
        return sql_fail(s, ERR_RANGE);
    struct buf *q = sql_begin(s);
    put_identified(q, "CREATE USER IF NOT EXISTS ", user, password);
    put_identified(q, "; ALTER USER ", user, password);
    enum err err = sql_run(s);
    if (err != ERR_OK || s->mariadb)
        return err;
    q = sql_begin(s);
    buf_puts(q, "ALTER USER ");
    put_user(q, user);
    buf_puts(q, " DISCARD OLD PASSWORD");
    return sql_run(s);
}

enum err admin_add_password(struct admin *a, const struct admin_user *user, const char *old,
                            const char *fresh)
{
    struct mysql_store *s = admin_session(a);
    if (!(plain_user(user) && sql_plain_name(old) && sql_plain_name(fresh)))
        return sql_fail(s, ERR_RANGE);
    enum err err = admin_ping(a); /* connects, and so learns which server it is */
    if (err != ERR_OK)
        return err;
    struct buf *q = sql_begin(s);
    if (s->mariadb) {
        buf_puts(q, "ALTER USER ");
        put_user(q, user);
        buf_printf(q,
                   " IDENTIFIED VIA mysql_native_password USING PASSWORD('%s') "
                   "OR mysql_native_password USING PASSWORD('%s')",
                   fresh, old);
    } else { /* retained is the primary password, which is not old if an earlier call was cut off */
        put_identified(q, "ALTER USER ", user, old);
        put_identified(q, "; ALTER USER ", user, fresh);
        buf_puts(q, " RETAIN CURRENT PASSWORD");
    }
    return sql_run(s);
}

struct host_rows {
    char (*out)[ADMIN_HOST_SIZE];
    size_t n, limit;
};

static void take_host(void *context, struct sql_row *row)
{
    struct host_rows *rows = context;
    if (rows->n < rows->limit)
        row_text(row, rows->out[rows->n++], ADMIN_HOST_SIZE);
}

enum err admin_user_hosts(struct admin *a, const char *name, char hosts[][ADMIN_HOST_SIZE],
                          size_t limit, size_t *n)
{
    struct mysql_store *s = admin_session(a);
    struct host_rows rows = {.out = hosts, .limit = limit};
    *n = 0;
    if (!sql_plain_name(name))
        return sql_fail(s, ERR_RANGE);
    buf_printf(sql_begin(s), "SELECT host FROM mysql.user WHERE user = '%s' ORDER BY host", name);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_host, &rows);
    *n = rows.n;
    return err;
}

enum err admin_hosts_behind(struct admin *a, const uint8_t generation[16], int64_t within_us,
                            char hosts[][ADMIN_HOST_SIZE], size_t limit, size_t *n)
{
    struct mysql_store *s = admin_session(a);
    struct host_rows rows = {.out = hosts, .limit = limit};
    struct buf *q = sql_begin(s);
    buf_puts(q, "SELECT name FROM host WHERE generation <> ");
    sql_bytes(q, generation, 16);
    buf_printf(q, " AND ABS((" SQL_NOW ") - beat_us) <= %lld ORDER BY name", (long long)within_us);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_host, &rows);
    *n = rows.n;
    return err;
}

enum err admin_own_host(struct admin *a, char host[ADMIN_HOST_SIZE])
{
    struct mysql_store *s = admin_session(a);
    struct host_rows rows = {.out = (char(*)[ADMIN_HOST_SIZE])host, .limit = 1};
    host[0] = '\0';
    buf_puts(sql_begin(s), "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', -1)");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_host, &rows) : err;
}

enum err admin_grant(struct admin *a, const char *database, const char *privileges,
                     const char *table, const struct admin_user *user)
{
    struct mysql_store *s = admin_session(a);
    if (!(sql_plain_name(database) && sql_plain_name(table) && plain_user(user)))
        return sql_fail(s, ERR_RANGE);
    struct buf *q = sql_begin(s);
    buf_printf(q, "GRANT %s ON %s.%s TO ", privileges, database, table);
    put_user(q, user);
    return sql_run(s);
}

struct privilege_rows {
    struct privilege *out;
    size_t n, limit;
};

static void take_privilege(void *context, struct sql_row *row)
{
    struct privilege_rows *rows = context;
    if (rows->n == rows->limit)
        return;
    struct privilege *p = &rows->out[rows->n++];
    row_text(row, p->database, sizeof p->database);
    row_text(row, p->table, sizeof p->table);
    row_text(row, p->column, sizeof p->column);
    row_text(row, p->name, sizeof p->name);
}

/* One source: a view of the information schema, with the columns that it has. */
struct privilege_view {
    const char *name, *columns;
};
static const struct privilege_view views[] = {
    {"USER_PRIVILEGES", "'', '*', ''"},
    {"SCHEMA_PRIVILEGES", "TABLE_SCHEMA, '*', ''"},
    {"TABLE_PRIVILEGES", "TABLE_SCHEMA, TABLE_NAME, ''"},
    {"COLUMN_PRIVILEGES", "TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME"},
};

enum err admin_privileges(struct admin *a, const struct admin_user *user, struct privilege *out,
                          size_t limit, size_t *n)
{
    struct mysql_store *s = admin_session(a);
    struct privilege_rows rows = {.out = out, .limit = limit};
    *n = 0;
    if (!plain_user(user))
        return sql_fail(s, ERR_RANGE);
    struct buf *q = sql_begin(s);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        const struct privilege_view *v = &views[i];
        buf_printf(q,
                   "%sSELECT %s, PRIVILEGE_TYPE FROM information_schema.%s WHERE GRANTEE = "
                   "\"'%s'@'%s'\" AND PRIVILEGE_TYPE <> 'USAGE'",
                   i == 0 ? "" : " UNION ALL ", v->columns, v->name, user->name, user->host);
        buf_printf(q,
                   " UNION ALL SELECT DISTINCT %s, 'GRANT OPTION' FROM information_schema.%s WHERE "
                   "GRANTEE = \"'%s'@'%s'\" AND IS_GRANTABLE = 'YES'",
                   v->columns, v->name, user->name, user->host);
    }
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_privilege, &rows);
    *n = rows.n;
    return err;
}

/* Append the name in back quotes, doubling those in it. */
static void put_name(struct buf *q, const char *name)
{
    buf_putc(q, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`')
            buf_putc(q, '`');
        buf_putc(q, *name);
    }
    buf_putc(q, '`');
}

enum err admin_revoke(struct admin *a, const struct privilege *p, const struct admin_user *user)
{
    struct mysql_store *s = admin_session(a);
    if (!plain_user(user))
        return sql_fail(s, ERR_RANGE);
    struct buf *q = sql_begin(s);
    buf_printf(q, "REVOKE %s", p->name);
    if (p->column[0] != '\0') {
        buf_puts(q, " (");
        put_name(q, p->column);
        buf_putc(q, ')');
    }
    buf_puts(q, " ON ");
    if (p->database[0] != '\0')
        put_name(q, p->database);
    else
        buf_putc(q, '*');
    buf_putc(q, '.');
    if (p->table[0] == '*')
        buf_putc(q, '*');
    else
        put_name(q, p->table);
    buf_puts(q, " FROM ");
    put_user(q, user);
    return sql_run(s);
}
