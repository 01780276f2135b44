/* Which acknowledged operations have no row. A list of operations becomes a derived table, so that
 * one statement looks up all of them, each by a unique key. */
#include "lib/base/err.h"
#include "lib/store/mysql_desk.h"
#include <string.h>

/* Append the row that an archived envelope has left: its claims are in the file. */
static void put_archived(struct buf *q, const struct desk_operation *op)
{
    buf_puts(q, " UNION ALL SELECT 1 FROM archived WHERE envelope_id = ");
    sql_id(q, &op->envelope);
}

/* Append the row of what *op has left: an envelope, a claim or a transfer. */
static void put_lookup(struct buf *q, const struct desk_operation *op)
{
    switch (op->kind) {
    case DESK_SENT:
        buf_puts(q, "SELECT 1 FROM envelope WHERE id = ");
        sql_id(q, &op->envelope);
        buf_puts(q, " AND sender = ");
        sql_user(q, op->user);
        sql_number(q, " AND total_fen = ", op->amount_fen);
        put_archived(q, op);
        break;
    case DESK_OPENED:
        buf_puts(q, "SELECT 1 FROM claim WHERE envelope_id = ");
        sql_id(q, &op->envelope);
        buf_puts(q, " AND user_id = ");
        sql_user(q, op->user);
        sql_number(q, " AND amount_fen = ", op->amount_fen);
        put_archived(q, op);
        break;
    case DESK_TOPPED_UP:
    case DESK_WITHDRAWN:
        buf_puts(q, "SELECT 1 FROM transfer WHERE ref = ");
        sql_bytes(q, op->reference, strlen(op->reference));
        sql_number(q,
                   " AND kind = ", op->kind == DESK_TOPPED_UP ? TRANSFER_TOPUP : TRANSFER_WITHDRAW);
        buf_puts(q, " AND backend IN ('', "); /* '': booked before references had a back end */
        sql_user(q, op->backend);
        buf_puts(q, ") AND user_id = ");
        sql_user(q, op->user);
        sql_number(q, " AND amount_fen = ", op->amount_fen);
        break;
    }
}

struct lost_rows {
    struct desk_operation *operations;
    size_t n;
};

static void take_lost(void *context, struct sql_row *row)
{
    const struct lost_rows *rows = context;
    int64_t at = row_i64(row);
    if (at >= 0 && (uint64_t)at < rows->n)
        rows->operations[at].lost = true;
}

enum err desk_find_lost(struct desk *d, struct desk_operation *operations, size_t n)
{
    struct mysql_store *s = desk_session(d);
    struct lost_rows rows = {operations, n};
    if (n == 0)
        return ERR_OK;
    struct buf *q = sql_begin(s);
    for (size_t i = 0; i < n; i++) {
        operations[i].lost = false;
        sql_number(q, i == 0 ? "SELECT " : " UNION ALL SELECT ", (int64_t)i);
        buf_puts(q, " FROM DUAL WHERE NOT EXISTS (");
        put_lookup(q, &operations[i]);
        buf_puts(q, ")");
    }
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_lost, &rows) : err;
}
