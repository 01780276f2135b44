/* Results of statements, the values in their rows, and literals in statements. Every text that
 * comes from outside is written as a hex literal, so that no escaping can go wrong. */
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

/* Go on to the result of the next statement; its error is returned when that result is taken. */
static void result_advance(struct mysql_store *s)
{
    int rc = mysql_next_result(s->link);
    s->more = rc == 0;
    if (rc > 0)
        s->step_err = sql_classify(s);
}

static enum err take_rows(struct mysql_store *s, MYSQL_RES *(*result_of)(MYSQL *), sql_row_fn *each,
                          void *context)
{
    if (s->step_err != ERR_OK || !s->more)
        return s->step_err != ERR_OK ? s->step_err : sql_fail(s, ERR_FAULT);
    MYSQL_RES *result = result_of(s->link);
    if (result == NULL)
        return sql_fail(s, mysql_errno(s->link) != 0 ? sql_classify(s) : ERR_FAULT);
    struct sql_row row;
    while ((row.values = mysql_fetch_row(result)) != NULL) {
        row.lengths = mysql_fetch_lengths(result);
        row.at = 0;
        each(context, &row);
    }
    bool broken = mysql_errno(s->link) != 0;
    enum err err = broken ? sql_classify(s) : ERR_OK;
    mysql_free_result(result);
    if (broken)
        return sql_fail(s, err);
    result_advance(s);
    return ERR_OK;
}

enum err sql_rows(struct mysql_store *s, sql_row_fn *each, void *context)
{
    return take_rows(s, mysql_store_result, each, context);
}

enum err sql_stream(struct mysql_store *s, sql_row_fn *each, void *context)
{
    return take_rows(s, mysql_use_result, each, context);
}

enum err sql_affected(struct mysql_store *s, uint64_t *n)
{
    if (s->step_err != ERR_OK || !s->more)
        return s->step_err != ERR_OK ? s->step_err : sql_fail(s, ERR_FAULT);
    if (n != NULL)
        *n = mysql_affected_rows(s->link);
    result_advance(s);
    return ERR_OK;
}

enum err sql_affected_exactly(struct mysql_store *s, uint64_t n)
{
    uint64_t changed = 0;
    enum err err = sql_affected(s, &changed);
    if (err != ERR_OK || changed == n)
        return err;
    log_event(LOG_LEVEL_ERROR, "database_rows", "%llu rows changed, %llu expected",
              (unsigned long long)changed, (unsigned long long)n);
    return sql_fail(s, ERR_FAULT);
}

bool row_null(struct sql_row *r)
{
    return r->values[r->at] == NULL;
}

int64_t row_i64(struct sql_row *r)
{
    const char *value = r->values[r->at++];
    return value == NULL ? 0 : strtoll(value, NULL, 10);
}

void row_text(struct sql_row *r, char *out, size_t cap)
{
    unsigned at = r->at++;
    if (r->values[at] == NULL || !str_set(out, cap, r->values[at], r->lengths[at]))
        out[0] = '\0';
}

void row_bytes(struct sql_row *r, void *out, size_t n)
{
    unsigned at = r->at++;
    memset(out, 0, n);
    if (r->values[at] != NULL)
        memcpy(out, r->values[at], r->lengths[at] < n ? r->lengths[at] : n);
}

void row_take_i64(void *context, struct sql_row *row)
{
    *(int64_t *)context = row_i64(row);
}

void sql_bytes(struct buf *q, const void *bytes, size_t n)
{
    buf_puts(q, "X'");
    buf_put_hex(q, bytes, n);
    buf_putc(q, '\'');
}

void sql_id(struct buf *q, const struct id *id)
{
    sql_bytes(q, id->b, ID_SIZE);
}

void sql_user(struct buf *q, const char *user)
{
    /* from a damaged row, or with a backslash, which escapes or not depending on sql_mode */
    if (!user_valid(user, strlen(user)) || strpbrk(user, "'\\") != NULL) {
        buf_puts(q, "_ascii ");
        sql_bytes(q, user, strlen(user));
        return;
    }
    buf_putc(q, '\'');
    buf_puts(q, user);
    buf_putc(q, '\'');
}

void sql_text(struct buf *q, const char *text)
{
    buf_puts(q, "_utf8mb4 ");
    sql_bytes(q, text, strlen(text));
}

void sql_number(struct buf *q, const char *before, int64_t n)
{
    buf_puts(q, before);
    buf_put_i64(q, n);
}

void sql_comma(struct buf *q, bool first)
{
    if (!first)
        buf_puts(q, ", ");
}
