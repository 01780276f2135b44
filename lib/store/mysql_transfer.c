/* Transfers as rows: the columns in the order in which they are read and written. */
#include "lib/store/mysql_internal.h"

const char sql_transfer_columns[] =
    "id, kind, user_id, ref, backend, amount_fen, at_us, balance_fen, "
    "COALESCE(booked_us, at_us), entry";

void transfer_take(struct sql_row *row, struct transfer *t)
{
    row_bytes(row, t->id.b, ID_SIZE);
    t->kind = (enum transfer_kind)row_i64(row);
    row_text(row, t->user, sizeof t->user);
    t->ref_len = row->lengths[row->at] < sizeof t->ref ? row->lengths[row->at] : sizeof t->ref;
    row_bytes(row, t->ref, sizeof t->ref);
    row_text(row, t->backend, sizeof t->backend);
    t->amount_fen = row_i64(row);
    t->at_us = row_i64(row);
    bool no_balance = row_null(row);
    t->balance_fen = row_i64(row);
    if (no_balance)
        t->balance_fen = -1;
    t->booked_us = row_i64(row);
    t->entry = row_i64(row);
}

const char sql_transfer_insert[] = "INSERT INTO transfer (user_id, id, kind, ref, backend, "
                                   "amount_fen, at_us, balance_fen, booked_us, entry) VALUES ";

/* A send, top-up or withdrawal has the primary's time after the account was locked. The others got
 * theirs before that, so that a later one could already be booked: they take the time now. */
static void put_booked(struct buf *q, const struct transfer *t)
{
    if (t->kind == TRANSFER_CLAIM || t->kind == TRANSFER_REFUND)
        buf_puts(q, ",(" SQL_NOW "),");
    else
        buf_printf(q, ",%lld,", (long long)t->at_us);
}

void sql_transfer_values(struct buf *q, const struct transfer *t, size_t behind)
{
    buf_putc(q, '(');
    sql_user(q, t->user);
    buf_putc(q, ',');
    sql_id(q, &t->id);
    buf_printf(q, ",%d,", (int)t->kind);
    sql_bytes(q, t->ref, t->ref_len);
    buf_putc(q, ',');
    sql_user(q, t->backend);
    buf_printf(q, ",%lld,%lld,", (long long)t->amount_fen, (long long)t->at_us);
    if (t->balance_fen >= 0)
        buf_put_i64(q, t->balance_fen);
    else
        buf_puts(q, "NULL");
    put_booked(q, t);
    buf_printf(q, "(SELECT entries - %zu FROM account WHERE user_id = ", behind);
    sql_user(q, t->user);
    buf_puts(q, "))");
}
