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
    t->archived = row_i64(row);
}

#define SUM(what, table) "(SELECT COALESCE(SUM(" what "), 0) FROM " table ")"

/* clang-format off */
enum err desk_totals(struct desk *d, struct desk_totals *out)
{
    struct mysql_store *s = desk_session(d);
    memset(out, 0, sizeof *out);
    buf_puts(sql_begin(s),
             "SELECT " SUM("amount_fen", "transfer WHERE kind = 1") ", "
             SUM("amount_fen", "transfer WHERE kind = 2") ", "
             SUM("balance_fen", "account") ", "
             SUM("amount_fen", "credit") ", "
             "(SELECT COUNT(*) FROM envelope WHERE state = 0), "
             SUM("total_fen - opened_fen - refunded_fen", "envelope WHERE state = 0") ", "
             "(SELECT COUNT(*) FROM account), "
             "(SELECT COUNT(*) FROM envelope) + " SUM("envelopes", "archive") ", "
             "(SELECT COUNT(*) FROM claim) + " SUM("claims", "archive") ", "
             SUM("envelopes", "archive"));
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_totals, out) : err;
}
/* clang-format on */

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

/* Append the day of the time column, offset_min minutes east of UTC, as text. */
static void put_day(struct buf *q, const char *column, int offset_min)
{
    buf_printf(q, "DATE(DATE_ADD('1970-01-01', INTERVAL %s DIV 1000000 + %d SECOND))", column,
               offset_min * 60);
}

/* Append a SELECT of the key and sums of each envelope, or of what is carried of archived ones. */
static void put_report_rows(struct buf *q, enum desk_report kind, int offset_min, bool carried)
{
    const char *time = carried ? "day_us" : "created_us";
    buf_puts(q, "SELECT ");
    if (kind == DESK_BY_DAY)
        put_day(q, time, offset_min);
    else if (kind == DESK_BY_SENDER)
        buf_puts(q, carried ? "user_id" : "sender");
    else
        buf_puts(q, carried ? "group_name" : "recipients");
    if (!carried)
        buf_puts(q, " AS k, 1 AS n, total_fen AS sent, opened_shares AS opens, opened_fen AS "
                    "opened, refunded_fen AS refunded FROM envelope WHERE ");
    else if (kind == DESK_BY_GROUP)
        buf_puts(q, ", envelopes, sent_fen, opened_shares, opened_fen, refunded_fen FROM "
                    "carried_group WHERE ");
    else
        buf_puts(q, ", sends, send_fen, opened_shares, opened_fen, returned_fen FROM carried WHERE "
                    "sends > 0 AND ");
    buf_puts(q, kind == DESK_BY_GROUP && !carried ? "to_kind = 1 AND " : "");
    buf_puts(q, time);
}

enum err desk_report(struct desk *d, enum desk_report kind, int64_t from_us, int64_t to_us,
                     int offset_min, size_t limit, desk_sum_fn *each, void *context)
{
    static const char *const orders[] = {
        [DESK_BY_DAY] = "1", [DESK_BY_SENDER] = "3 DESC, 1", [DESK_BY_GROUP] = "3 DESC, 1"};
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    struct sum_rows rows = {each, context};
    buf_puts(q, "SELECT k, SUM(n), SUM(sent), SUM(opens), SUM(opened), SUM(refunded) FROM (");
    for (int carried = 0; carried < 2; carried++) {
        buf_puts(q, carried ? " UNION ALL " : "");
        put_report_rows(q, kind, offset_min, carried != 0);
        buf_printf(q, " BETWEEN %lld AND %lld", (long long)from_us, (long long)to_us - 1);
    }
    buf_printf(q, ") r GROUP BY k ORDER BY %s LIMIT %zu", orders[kind], limit);
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
    int64_t place = row_i64(row);
    e.is_balance = place != 1;
    row_text(row, e.what, sizeof e.what);
    e.at_us = row_i64(row);
    e.amount_fen = row_i64(row);
    row_text(row, e.reference, sizeof e.reference);
    rows->each(rows->context, &e);
}

#define SIGNED "IF(kind IN (2, 3), -amount_fen, amount_fen)"
#define CARRIED "claim_fen + refund_fen - send_fen"

/* The balance at a time is the sum of what was carried and the transfers before it: the audit
 * proves that the balance now is the sum of all. */
static void put_balances(struct buf *q, const char *what, int place, int64_t at_us)
{
    buf_printf(q,
               "SELECT a.user_id AS account, %d AS place, '%s' AS what, %lld AS at_us, "
               "COALESCE(SUM(" SIGNED "), 0) + COALESCE((SELECT SUM(" CARRIED ") FROM carried k "
               "WHERE k.user_id = a.user_id AND k.day_us < %lld), 0) AS fen, '' AS reference, "
               "0 AS entry FROM account a LEFT JOIN transfer t ON t.user_id = a.user_id AND "
               "COALESCE(t.booked_us, t.at_us) < %lld GROUP BY a.user_id",
               place, what, (long long)at_us, (long long)at_us, (long long)at_us);
}

static void put_entries(struct buf *q, int64_t from_us, int64_t to_us)
{
    buf_printf(q,
               " UNION ALL SELECT user_id, 1, ELT(kind, 'topup', 'withdraw', 'send', 'claim', "
               "'refund'), COALESCE(booked_us, at_us), " SIGNED ", IF(kind < 3, CAST(ref AS CHAR "
               "CHARACTER SET ascii), LOWER(HEX(LEFT(ref, 16)))), entry FROM transfer WHERE "
               "COALESCE(booked_us, at_us) >= %lld AND COALESCE(booked_us, at_us) < %lld",
               (long long)from_us, (long long)to_us);
    buf_printf(q,
               " UNION ALL SELECT user_id, 1, 'archived', day_us, " CARRIED
               ", CONCAT(sends + claims + refunds, ' transfers'), first_entry FROM carried WHERE "
               "day_us >= %lld AND day_us < %lld UNION ALL ",
               (long long)from_us, (long long)to_us);
}

enum err desk_export(struct desk *d, int64_t from_us, int64_t to_us, desk_entry_fn *each,
                     void *context)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    struct entry_rows rows = {each, context};
    put_balances(q, "opening", 0, from_us);
    put_entries(q, from_us, to_us);
    put_balances(q, "closing", 2, to_us);
    buf_puts(q, " ORDER BY account, place, entry");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_stream(s, take_entry, &rows) : err;
}
