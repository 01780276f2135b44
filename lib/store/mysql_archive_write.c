/* The transaction that moves envelopes out of the database: what it deletes, and what it leaves.
 * The number of rows of each statement is checked: nothing goes that was not read. */
#include "lib/store/mysql_archive.h"
#include <string.h>

#define CARRIED_ROWS 500 /* in one statement */

/* ---- deleting ---- */

/* A name of an envelope that an operator quoted would outlive the row that it could be found by. */
static void put_remove_reasons(struct buf *q, const struct id *id)
{
    char text[ID_TEXT_SIZE];
    id_format(text, id);
    buf_puts(q, "UPDATE act a SET a.why = '(removed)' WHERE a.subject = ");
    sql_user(q, text);
    buf_puts(q, " AND EXISTS (SELECT 1 FROM (SELECT sender AS user_id, sender_name AS name FROM "
                "envelope WHERE id = ");
    sql_id(q, id);
    buf_puts(q, " UNION ALL SELECT user_id, name FROM claim WHERE envelope_id = ");
    sql_id(q, id);
    buf_puts(q, ") n WHERE n.name <> '' AND n.name <> LEFT(n.user_id, 32) AND "
                "INSTR(LOWER(a.why), LOWER(n.name)) > 0); ");
}

static void put_delete(struct buf *q, const struct id *id, int64_t number)
{
    put_remove_reasons(q, id);
    buf_puts(q, "DELETE FROM claim WHERE envelope_id = ");
    sql_id(q, id);
    buf_puts(q, "; DELETE FROM transfer WHERE ref >= ");
    sql_id(q, id);
    buf_puts(q, " AND ref <= CONCAT(");
    sql_id(q, id);
    buf_puts(q, ", X'FFFFFFFF') AND kind IN (3, 4, 5); DELETE FROM envelope WHERE id = ");
    sql_id(q, id);
    buf_puts(q, "; INSERT INTO archived (envelope_id, number) VALUES (");
    sql_id(q, id);
    sql_number(q, ", ", number);
    buf_puts(q, "); ");
}

enum err archive_delete(struct desk *a, const struct archive_drop *envelopes, size_t n,
                        int64_t number)
{
    struct mysql_store *s = desk_session(a);
    struct buf *q = sql_begin(s);
    for (size_t i = 0; i < n; i++)
        put_delete(q, &envelopes[i].id, number);
    enum err err = sql_send(s);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = sql_affected(s, NULL);
        if (err == ERR_OK)
            err = sql_affected_exactly(s, (uint64_t)envelopes[i].claims);
        if (err == ERR_OK)
            err = sql_affected_exactly(s, (uint64_t)envelopes[i].transfers);
        for (int k = 0; k < 2 && err == ERR_OK; k++)
            err = sql_affected_exactly(s, 1);
    }
    return err;
}

/* ---- carried balances ---- */

const char sql_carried_columns[] =
    "user_id, day_us, sends, send_fen, claims, claim_fen, refunds, refund_fen, first_entry, "
    "last_entry, entry_sum, opened_shares, opened_fen, returned_fen, mac";

#define CARRIED_NUMBERS 13

/* Fill numbers with the addresses of the numbers of c, in the order of sql_carried_columns. */
static void carried_numbers(struct carried *c, int64_t *numbers[CARRIED_NUMBERS])
{
    int64_t *const all[CARRIED_NUMBERS] = {
        &c->day_us,        &c->sends,      &c->send_fen,    &c->claims,     &c->claim_fen,
        &c->refunds,       &c->refund_fen, &c->first_entry, &c->last_entry, &c->entry_sum,
        &c->opened_shares, &c->opened_fen, &c->returned_fen};
    memcpy(numbers, all, sizeof all);
}

void carried_take(struct sql_row *row, struct carried *c)
{
    int64_t *numbers[CARRIED_NUMBERS];
    memset(c, 0, sizeof *c);
    carried_numbers(c, numbers);
    row_text(row, c->user, sizeof c->user);
    for (size_t i = 0; i < CARRIED_NUMBERS; i++)
        *numbers[i] = row_i64(row);
    row_bytes(row, c->mac, sizeof c->mac);
}

struct carried_reading {
    const struct carried *rows;
    size_t n, at;
    struct carried *old;
};

static void take_carried(void *context, struct sql_row *row)
{
    struct carried_reading *r = context;
    struct carried c;
    carried_take(row, &c);
    while (r->at < r->n && carried_order(&r->rows[r->at], &c) < 0)
        r->at++;
    if (r->at < r->n && carried_order(&r->rows[r->at], &c) == 0)
        r->old[r->at] = c;
}

static enum err read_carried_part(struct mysql_store *s, struct carried_reading *r)
{
    struct buf *q = sql_begin(s);
    buf_printf(q, "SELECT %s FROM carried WHERE ", sql_carried_columns);
    for (size_t i = 0; i < r->n; i++) {
        buf_puts(q, i == 0 ? "(user_id = " : " OR (user_id = ");
        sql_user(q, r->rows[i].user);
        sql_number(q, " AND day_us = ", r->rows[i].day_us);
        buf_putc(q, ')');
    }
    buf_puts(q, " ORDER BY user_id, day_us FOR UPDATE");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_carried, r) : err;
}

enum err archive_carried_read(struct desk *a, const struct carried *rows, size_t n,
                              struct carried *old)
{
    struct mysql_store *s = desk_session(a);
    enum err err = ERR_OK;
    memset(old, 0, n * sizeof old[0]);
    for (size_t at = 0; at < n && err == ERR_OK; at += CARRIED_ROWS) {
        size_t part = n - at < CARRIED_ROWS ? n - at : CARRIED_ROWS;
        struct carried_reading r = {.rows = rows + at, .n = part, .old = old + at};
        err = read_carried_part(s, &r);
    }
    return err;
}

static void put_carried(struct buf *q, const struct carried *row)
{
    struct carried c = *row;
    int64_t *numbers[CARRIED_NUMBERS];
    carried_numbers(&c, numbers);
    buf_putc(q, '(');
    sql_user(q, c.user);
    for (size_t i = 0; i < CARRIED_NUMBERS; i++)
        sql_number(q, ", ", *numbers[i]);
    buf_puts(q, ", ");
    sql_bytes(q, c.mac, sizeof c.mac);
    buf_putc(q, ')');
}

enum err archive_carried_write(struct desk *a, const struct carried *rows, size_t n)
{
    struct mysql_store *s = desk_session(a);
    enum err err = ERR_OK;
    for (size_t at = 0; at < n && err == ERR_OK; at += CARRIED_ROWS) {
        struct buf *q = sql_begin(s);
        buf_printf(q, "REPLACE INTO carried (%s) VALUES ", sql_carried_columns);
        for (size_t i = at; i < n && i < at + CARRIED_ROWS; i++) {
            sql_comma(q, i == at);
            put_carried(q, &rows[i]);
        }
        err = sql_run(s);
    }
    return err;
}

enum err archive_group_add(struct desk *a, const struct envelope *e, int64_t day_us)
{
    struct mysql_store *s = desk_session(a);
    struct buf *q = sql_begin(s);
    buf_puts(q, "INSERT INTO carried_group (group_name, day_us, envelopes, sent_fen, "
                "opened_shares, opened_fen, refunded_fen) VALUES (");
    sql_text(q, e->to);
    buf_printf(q,
               ", %lld, 1, %lld, %lld, %lld, %lld) ON DUPLICATE KEY UPDATE "
               "envelopes = envelopes + 1, sent_fen = sent_fen + VALUES(sent_fen), "
               "opened_shares = opened_shares + VALUES(opened_shares), "
               "opened_fen = opened_fen + VALUES(opened_fen), "
               "refunded_fen = refunded_fen + VALUES(refunded_fen)",
               (long long)day_us, (long long)e->total_fen, (long long)e->opened_shares,
               (long long)e->opened_fen, (long long)e->refunded_fen);
    return sql_run(s);
}

enum err archive_file_write(struct desk *a, const struct archive_file *f)
{
    struct mysql_store *s = desk_session(a);
    struct buf *q = sql_begin(s);
    buf_printf(q,
               "REPLACE INTO archive (%s) VALUES (%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, ",
               sql_archive_columns, (long long)f->number, (long long)f->begun_us,
               (long long)f->before_us, (long long)f->envelopes, (long long)f->claims,
               (long long)f->transfers, (long long)f->sent_fen, (long long)f->bytes);
    sql_bytes(q, f->sha256, sizeof f->sha256);
    buf_puts(q, ", ");
    sql_bytes(q, f->mac, sizeof f->mac);
    buf_putc(q, ')');
    return sql_run(s);
}
