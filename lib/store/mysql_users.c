/* The privileges of a user, read from the information schema row by row, so that they can be
 * compared with those it should have: MariaDB and MySQL print grants differently. */
#include "lib/store/admin.h"
#include "lib/store/mysql_internal.h"

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

enum err admin_privileges(struct admin *a, const char *user, struct privilege *out, size_t limit,
                          size_t *n)
{
    struct mysql_store *s = admin_session(a);
    struct privilege_rows rows = {.out = out, .limit = limit};
    *n = 0;
    if (!sql_plain_name(user))
        return sql_fail(s, ERR_RANGE);
    struct buf *q = sql_begin(s);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        const struct privilege_view *v = &views[i];
        buf_printf(q,
                   "%sSELECT %s, PRIVILEGE_TYPE FROM information_schema.%s WHERE GRANTEE = "
                   "\"'%s'@'localhost'\" AND PRIVILEGE_TYPE <> 'USAGE'",
                   i == 0 ? "" : " UNION ALL ", v->columns, v->name, user);
        buf_printf(q,
                   " UNION ALL SELECT DISTINCT %s, 'GRANT OPTION' FROM information_schema.%s WHERE "
                   "GRANTEE = \"'%s'@'localhost'\" AND IS_GRANTABLE = 'YES'",
                   v->columns, v->name, user);
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

enum err admin_revoke(struct admin *a, const struct privilege *p, const char *user)
{
    struct mysql_store *s = admin_session(a);
    if (!sql_plain_name(user))
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
    buf_printf(q, " FROM '%s'@'localhost'", user);
    return sql_run(s);
}
