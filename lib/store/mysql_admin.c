/* Statements of a database administrator. Names cannot be hex literals, so they are checked to
 * need no escaping; they come from our own files and settings. */
#include "lib/store/admin.h"
#include "lib/store/mysql_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct admin {
    struct mysql_settings settings;
    struct store *store;
};

struct mysql_store *admin_session(struct admin *a)
{
    return mysql_of(a->store);
}

struct admin *admin_open(const struct mysql_settings *settings, const struct clock *clock)
{
    struct admin *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->settings = *settings;
    a->settings.database = "";
    a->store = mysql_store_new(&a->settings, clock);
    if (a->store == NULL) {
        free(a);
        return NULL;
    }
    return a;
}

void admin_close(struct admin *a)
{
    if (a != NULL)
        a->store->ops->close(a->store);
    free(a);
}

bool sql_plain_name(const char *name)
{
    size_t len = strlen(name);
    return len >= 1 && len < 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_*") == len;
}

enum err admin_create_database(struct admin *a, const char *name)
{
    struct mysql_store *s = mysql_of(a->store);
    if (!sql_plain_name(name))
        return sql_fail(s, ERR_RANGE);
    buf_printf(sql_begin(s),
               "CREATE DATABASE IF NOT EXISTS %s CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", name);
    return sql_run(s);
}

enum err admin_use(struct admin *a, const char *name)
{
    struct mysql_store *s = mysql_of(a->store);
    if (!sql_plain_name(name))
        return sql_fail(s, ERR_RANGE);
    buf_printf(sql_begin(s), "USE %s", name);
    return sql_run(s);
}

enum err admin_count_tables(struct admin *a, const char *name, int64_t *n)
{
    struct mysql_store *s = mysql_of(a->store);
    if (!sql_plain_name(name))
        return sql_fail(s, ERR_RANGE);
    buf_printf(sql_begin(s),
               "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '%s'", name);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, n) : err;
}

enum err admin_prepare_patches(struct admin *a)
{
    struct mysql_store *s = mysql_of(a->store);
    buf_puts(sql_begin(s), "CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL, "
                           "applied_us BIGINT NOT NULL, oldest INT NULL, PRIMARY KEY (version)) "
                           "ENGINE=InnoDB");
    return sql_run(s);
}

enum err admin_patch_applied(struct admin *a, int64_t version, bool *applied)
{
    struct mysql_store *s = mysql_of(a->store);
    int64_t n = 0;
    buf_printf(sql_begin(s), "SELECT COUNT(*) FROM schema_version WHERE version = %lld",
               (long long)version);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &n);
    *applied = n > 0;
    return err;
}

enum err admin_patch_above(struct admin *a, int64_t version, bool *above)
{
    struct mysql_store *s = mysql_of(a->store);
    int64_t n = 0;
    buf_printf(sql_begin(s), "SELECT COUNT(*) FROM schema_version WHERE version > %lld",
               (long long)version);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &n);
    *above = n > 0;
    return err;
}

/* The column oldest came with patch 5: an earlier one, applied to tables without it, has none. */
enum err admin_apply(struct admin *a, int64_t version, int64_t oldest, const char *statements,
                     size_t *failed)
{
    struct mysql_store *s = mysql_of(a->store);
    *failed = 1;
    buf_puts(sql_begin(s), statements);
    enum err err = sql_send(s);
    for (; err == ERR_OK && s->more; ++*failed)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = s->step_err;
    if (err != ERR_OK)
        return err;
    *failed = 0;
    struct buf *q = sql_begin(s);
    buf_puts(q, version >= 5 ? "INSERT INTO schema_version (oldest, version, applied_us) VALUES ("
                             : "INSERT INTO schema_version (version, applied_us) VALUES (");
    if (version >= 5)
        buf_printf(q, "%lld, ", (long long)oldest);
    buf_printf(q, "%lld, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)))",
               (long long)version);
    return sql_run(s);
}

void admin_error(struct admin *a, char *out, size_t cap)
{
    const struct mysql_store *s = mysql_of(a->store);
    bool known = s->link != NULL && s->error != 0;
    server_state_text(a->settings.state, out, cap);
    if (known)
        snprintf(out, cap, "error %u: %s", s->error, mysql_error(s->link));
}

enum err admin_set_generation(struct admin *a, const uint8_t generation[16], bool replace)
{
    struct mysql_store *s = mysql_of(a->store);
    struct buf *q = sql_begin(s);
    buf_puts(q, replace ? "REPLACE" : "INSERT IGNORE");
    buf_puts(q, " INTO meta (one, generation) VALUES (1, ");
    sql_bytes(q, generation, 16);
    buf_putc(q, ')');
    return sql_run(s);
}

enum err admin_generation(struct admin *a, uint8_t generation[16])
{
    return a->store->ops->generation(a->store, generation);
}

struct text_out {
    char *out;
    size_t cap;
};

static void take_variable(void *context, struct sql_row *row)
{
    struct text_out *t = context;
    row->at = 1;
    row_text(row, t->out, t->cap);
}

enum err admin_variable(struct admin *a, const char *name, char *out, size_t cap)
{
    struct mysql_store *s = mysql_of(a->store);
    struct text_out t = {out, cap};
    if (!sql_plain_name(name))
        return sql_fail(s, ERR_RANGE);
    out[0] = '\0';
    buf_printf(sql_begin(s), "SHOW GLOBAL VARIABLES LIKE '%s'", name);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_variable, &t) : err;
}

enum err admin_ping(struct admin *a)
{
    struct mysql_store *s = mysql_of(a->store);
    int64_t one;
    buf_puts(sql_begin(s), "SELECT 1");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &one) : err;
}

static void take_growth(void *context, struct sql_row *row)
{
    int64_t **out = context;
    *out[0] = row_i64(row);
    *out[1] = row_i64(row);
}

enum err admin_growth(struct admin *a, int64_t *claims, int64_t *bytes)
{
    struct mysql_store *s = mysql_of(a->store);
    int64_t *out[] = {claims, bytes};
    *claims = *bytes = 0;
    buf_puts(sql_begin(s),
             "SELECT IF(c.table_rows > 1000000, c.table_rows, (SELECT COUNT(*) FROM claim)), "
             "(SELECT SUM(t.data_length + t.index_length) FROM information_schema.tables t WHERE "
             "t.table_schema = DATABASE()) FROM information_schema.tables c WHERE "
             "c.table_schema = DATABASE() AND c.table_name = 'claim'");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_growth, out) : err;
}
