/* Sums over all tables for the operator's desk. Each is computed from one snapshot, so that the
 * money adds up while the service runs. */
#include "lib/store/mysql_desk.h"
#include <string.h>

static void take_totals(void *context, struct sql_row *row)
{
    struct desk_totals *t = context;
    t->in_fen = row_i64(row);
    t->out_fen = row_i64(row);
    t->balances_fen = row_i64(row);
    t->pending_fen = row_i64(row);
    t->open_envelopes = row_i64(row);
    t->open_fen = row_i64(row);
    t->users = row_i64(row);
    t->envelopes = row_i64(row);
    t->claims = row_i64(row);
}

#define SUM(what, table) "(SELECT COALESCE(SUM(" what "), 0) FROM " table ")"

enum err desk_totals(struct desk *d, struct desk_totals *out)
{
    struct mysql_store *s = desk_session(d);
    memset(out, 0, sizeof *out);
    buf_puts(
        sql_begin(s),
        "SELECT " SUM("amount_fen", "transfer WHERE kind = 1") ", " SUM(
            "amount_fen",
            "transfer WHERE kind = 2") ", " SUM("balance_fen",
                                                "account") ", " SUM("amount_fen",
                                                                    "credit") ", (SELECT COUNT(*) "
                                                                              "FROM envelope WHERE "
                                                                              "state = 0), " SUM(
                                                                                  "total_fen - "
                                                                                  "opened_fen "
                                                                                  "- refunded_fen",
                                                                                  "envelope WHERE "
                                                                                  "state = "
                                                                                  "0") ", (SELECT "
                                                                                       "COUNT(*) "
                                                                                       "FROM "
                                                                                       "account), "
                                                                                       "(SELECT "
                                                                                       "COUNT(*) "
                                                                                       "FROM "
                                                                                       "envelope), "
                                                                                       "(SELECT "
                                                                                       "COUNT(*) "
                                                                                       "FROM "
                                                                                       "claim)");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_totals, out) : err;
}

struct sum_rows {
    desk_sum_fn *each;
    void *context;
};

static void take_sum(void *context, struct sql_row *row)
{
    const struct sum_rows *rows = context;
    struct desk_sum sum;
    memset(&sum, 0, sizeof sum);
    row_text(row, sum.key, sizeof sum.key);
    sum.envelopes = row_i64(row);
    sum.sent_fen = row_i64(row);
    sum.opened_shares = row_i64(row);
    sum.opened_fen = row_i64(row);
    sum.refunded_fen = row_i64(row);
    rows->each(rows->context, &sum);
}

enum err desk_report(struct desk *d, enum desk_report kind, int64_t from_us, int64_t to_us,
                     int offset_min, size_t limit, desk_sum_fn *each, void *context)
{
    static const char *const wheres[] = {
        [DESK_BY_DAY] = "", [DESK_BY_SENDER] = "", [DESK_BY_GROUP] = " AND to_kind = 1"};
    static const char *const orders[] = {
        [DESK_BY_DAY] = "1", [DESK_BY_SENDER] = "3 DESC, 1", [DESK_BY_GROUP] = "3 DESC, 1"};
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    struct sum_rows rows = {each, context};
    buf_puts(q, "SELECT ");
    if (kind == DESK_BY_DAY)
        buf_printf(q, "DATE(DATE_ADD('1970-01-01', INTERVAL created_us DIV 1000000 + %d SECOND))",
                   offset_min * 60);
    else
        buf_puts(q, kind == DESK_BY_SENDER ? "sender" : "recipients");
    buf_printf(q,
               " AS k, COUNT(*), SUM(total_fen), SUM(opened_shares), SUM(opened_fen), "
               "SUM(refunded_fen) FROM envelope WHERE created_us >= %lld AND created_us < %lld%s "
               "GROUP BY k ORDER BY %s LIMIT %zu",
               (long long)from_us, (long long)to_us, wheres[kind], orders[kind], limit);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_sum, &rows) : err;
}

struct entry_rows {
    desk_entry_fn *each;
    void *context;
};

static void take_entry(void *context, struct sql_row *row)
{
    const struct entry_rows *rows = context;
    struct desk_entry e;
    memset(&e, 0, sizeof e);
    row_text(row, e.account, sizeof e.account);
    e.closing = row_i64(row) == 2;
    e.kind = (enum transfer_kind)row_i64(row);
    e.at_us = row_i64(row);
    e.amount_fen = row_i64(row);
    row_text(row, e.reference, sizeof e.reference);
    rows->each(rows->context, &e);
}

#define SIGNED "IF(kind IN (2, 3), -amount_fen, amount_fen)"

/* The balance at a time is the sum of the transfers before it: the audit proves that the balance
 * now is the sum of all. */
static void put_balances(struct buf *q, int place, int64_t at_us)
{
    buf_printf(
        q,
        "SELECT a.user_id AS account, %d AS place, 0 AS kind, %lld AS at_us, COALESCE(SUM(" SIGNED
        "), 0) AS fen, '' AS reference, 0 AS entry FROM account a LEFT JOIN transfer t ON "
        "t.user_id "
        "= a.user_id AND COALESCE(t.booked_us, t.at_us) < %lld GROUP BY a.user_id",
        place, (long long)at_us, (long long)at_us);
}

enum err desk_export(struct desk *d, int64_t from_us, int64_t to_us, desk_entry_fn *each,
                     void *context)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    struct entry_rows rows = {each, context};
    put_balances(q, 0, from_us);
    buf_printf(q,
               " UNION ALL SELECT user_id, 1, kind, COALESCE(booked_us, at_us), " SIGNED
               ", IF(kind < 3, CAST(ref AS CHAR CHARACTER SET ascii), LOWER(HEX(LEFT(ref, 16)))), "
               "entry FROM transfer WHERE COALESCE(booked_us, at_us) >= %lld AND "
               "COALESCE(booked_us, at_us) "
               "< %lld UNION ALL ",
               (long long)from_us, (long long)to_us);
    put_balances(q, 2, to_us);
    buf_puts(q, " ORDER BY account, place, entry");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_stream(s, take_entry, &rows) : err;
}
