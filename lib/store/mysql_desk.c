/* Users, envelopes and acts for the operator's desk. Everything that happened to a user or an
 * envelope is one UNION, so that the server brings it into order. */
#include "lib/store/mysql_desk.h"
#include "lib/store/desk.h"
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 600 /* some reads scan tables */

struct desk {
    struct mysql_settings settings;
    struct store *store;
};

struct desk *desk_open(const struct mysql_settings *settings, const struct clock *clock)
{
    struct desk *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->settings = *settings;
    d->settings.timeout_s = TIMEOUT_S;
    d->store = mysql_store_new(&d->settings, clock);
    if (d->store == NULL) {
        free(d);
        return NULL;
    }
    return d;
}

void desk_close(struct desk *d)
{
    if (d != NULL)
        d->store->ops->close(d->store);
    free(d);
}

struct mysql_store *desk_session(struct desk *d)
{
    return mysql_of(d->store);
}

/* ---- users ---- */

struct user_rows {
    desk_user_fn *each;
    void *context;
};

static void user_take(struct sql_row *row, struct desk_user *u)
{
    memset(u, 0, sizeof *u);
    row_text(row, u->user, sizeof u->user);
    u->exists = !row_null(row);
    row_text(row, u->name, sizeof u->name);
    u->balance_fen = row_i64(row);
    u->pending_fen = row_i64(row);
    u->blocked = row_i64(row) != 0;
    bool has_limit = !row_null(row);
    int64_t limit_fen = row_i64(row);
    u->sent_per_day_fen = has_limit ? limit_fen : -1;
}

static void take_user(void *context, struct sql_row *row)
{
    const struct user_rows *rows = context;
    struct desk_user u;
    user_take(row, &u);
    rows->each(rows->context, &u);
}

/* The users are those of the table u; the rest may be missing. */
#define USER_COLUMNS                                                                               \
    "SELECT u.user_id, a.name, COALESCE(a.balance_fen, 0), (SELECT COALESCE(SUM(c.amount_fen), "   \
    "0) "                                                                                          \
    "FROM credit c WHERE c.user_id = u.user_id), COALESCE(r.blocked, 0), r.sent_per_day_fen FROM "
#define USER_JOINS                                                                                 \
    " u LEFT JOIN account a ON a.user_id = u.user_id LEFT JOIN user_rule r ON r.user_id = "        \
    "u.user_id"

enum err desk_users(struct desk *d, const char *part, size_t limit, desk_user_fn *each,
                    void *context)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    struct user_rows rows = {each, context};
    buf_puts(q, USER_COLUMNS "account" USER_JOINS " WHERE INSTR(u.user_id, ");
    sql_text(q, part);
    buf_puts(q, ") > 0 OR INSTR(u.name, ");
    sql_text(q, part);
    buf_printf(q, ") > 0 ORDER BY u.user_id LIMIT %zu", limit);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_user, &rows) : err;
}

static void take_one_user(void *context, struct sql_row *row)
{
    user_take(row, context);
}

enum err desk_user_get(struct desk *d, const char *user, struct desk_user *out)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    memset(out, 0, sizeof *out);
    buf_puts(q, USER_COLUMNS "(SELECT ");
    sql_user(q, user);
    buf_puts(q, " AS user_id)" USER_JOINS);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_one_user, out) : err;
}

static void take_user_rule(void *context, struct sql_row *row)
{
    struct desk_user *u = context;
    u->blocked = row_i64(row) != 0;
    if (!row_null(row))
        u->sent_per_day_fen = row_i64(row);
}

enum err desk_user_rule_get(struct desk *d, const char *user, struct desk_user *out)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    memset(out, 0, sizeof *out);
    memcpy(out->user, user, strlen(user));
    out->sent_per_day_fen = -1;
    buf_puts(q, "SELECT blocked, sent_per_day_fen FROM user_rule WHERE user_id = ");
    sql_user(q, user);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_user_rule, out) : err;
}

enum err desk_user_rule(struct desk *d, const struct desk_user *user)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    buf_puts(q, "INSERT INTO user_rule (user_id, blocked, sent_per_day_fen) VALUES (");
    sql_user(q, user->user);
    sql_number(q, ", ", user->blocked);
    if (user->sent_per_day_fen < 0)
        buf_puts(q, ", NULL");
    else
        sql_number(q, ", ", user->sent_per_day_fen);
    buf_puts(q, ") ON DUPLICATE KEY UPDATE blocked = VALUES(blocked), "
                "sent_per_day_fen = VALUES(sent_per_day_fen)");
    return sql_run(s);
}

/* ---- events ---- */

struct event_rows {
    desk_event_fn *each;
    void *context;
};

static void take_event(void *context, struct sql_row *row)
{
    const struct event_rows *rows = context;
    struct desk_event e;
    memset(&e, 0, sizeof e);
    e.at_us = row_i64(row);
    row_text(row, e.what, sizeof e.what);
    row_text(row, e.account, sizeof e.account);
    e.has_envelope = !row_null(row);
    row_bytes(row, e.envelope.b, ID_SIZE);
    e.amount_fen = row_i64(row);
    e.seq = row_i64(row);
    row_text(row, e.text, sizeof e.text);
    rows->each(rows->context, &e);
}

enum err desk_send_events(struct mysql_store *s, desk_event_fn *each, void *context)
{
    struct event_rows rows = {each, context};
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_event, &rows) : err;
}

#define KIND_NAME "ELT(kind, 'topup', 'withdraw', 'send', 'claim', 'refund')"
#define TRANSFER_SEQ "IF(kind = 4, CONV(HEX(RIGHT(ref, 4)), 16, 10), 0)"
/* Append the acts that concern a subject, which the caller appends. */
static void put_acts(struct buf *q)
{
    buf_puts(q, " UNION ALL SELECT at_us, what, '', NULL, 0, 0, CONCAT('by ', operator_name, ': ', "
                "why, IF(outcome = '', '', CONCAT(' (', outcome, ')'))) FROM act WHERE subject = ");
}

enum err desk_user_history(struct desk *d, const char *user, desk_event_fn *each, void *context)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    buf_puts(q,
             "SELECT COALESCE(booked_us, at_us), " KIND_NAME
             " AS what, user_id, IF(kind < 3, NULL, LEFT(ref, 16)), "
             "IF(kind IN (2, 3), -amount_fen, amount_fen), " TRANSFER_SEQ ", IF(kind < 3, ref, '') "
             "FROM transfer WHERE user_id = ");
    sql_user(q, user);
    buf_puts(
        q, " UNION ALL SELECT opened_us, 'pending', user_id, envelope_id, amount_fen, seq, '' FROM "
           "credit WHERE user_id = ");
    sql_user(q, user);
    buf_puts(q, " UNION ALL SELECT day_us, 'archived', user_id, NULL, claim_fen + refund_fen - "
                "send_fen, 0, CONCAT(sends, ' sent, ', claims, ' received, ', refunds, "
                "' refunded that day') FROM carried WHERE user_id = ");
    sql_user(q, user);
    put_acts(q);
    sql_user(q, user);
    buf_puts(q, " ORDER BY 1, 2");
    return desk_send_events(s, each, context);
}

enum err desk_envelope_history(struct desk *d, const struct id *id, desk_event_fn *each,
                               void *context)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    char text[ID_TEXT_SIZE];
    id_format(text, id);
    buf_puts(
        q, "SELECT created_us, 'send' AS what, sender, id, total_fen, 0, greeting, 1 AS place FROM "
           "envelope WHERE id = ");
    sql_id(q, id);
    buf_puts(q,
             " UNION ALL SELECT opened_us, 'claim', user_id, envelope_id, amount_fen, seq, name, 2 "
             "FROM claim WHERE envelope_id = ");
    sql_id(q, id);
    buf_puts(q,
             " UNION ALL SELECT opened_us, 'pending', user_id, envelope_id, amount_fen, seq, '', 3 "
             "FROM credit WHERE envelope_id = ");
    sql_id(q, id);
    buf_puts(q,
             " UNION ALL SELECT COALESCE(booked_us, at_us), IF(kind = 4, 'credited', 'refund'), "
             "user_id, LEFT(ref, 16), "
             "amount_fen, " TRANSFER_SEQ ", '', 3 FROM transfer WHERE kind IN (4, 5) AND ref >= ");
    sql_id(q, id);
    buf_puts(q, " AND ref <= CONCAT(");
    sql_id(q, id);
    buf_puts(q, ", X'FFFFFFFF') UNION ALL SELECT closed_us, 'closed', sender, id, refunded_fen, 0, "
                "IF(state = 1, 'sold_out', 'expired'), 4 FROM envelope WHERE state <> 0 AND id = ");
    sql_id(q, id);
    buf_puts(q, " UNION ALL SELECT f.begun_us, 'archived', '', a.envelope_id, 0, 0, "
                "CONCAT('hongbao-archive-', LPAD(f.number, 6, '0'), '.jsonl'), 6 FROM archived a "
                "JOIN archive f ON f.number = a.number WHERE a.envelope_id = ");
    sql_id(q, id);
    buf_puts(
        q, " UNION ALL SELECT at_us, what, '', NULL, 0, 0, CONCAT('by ', operator_name, ': ', why, "
           "IF(outcome = '', '', CONCAT(' (', outcome, ')'))), 5 FROM act WHERE subject = ");
    sql_user(q, text);
    buf_puts(q, " ORDER BY 1, 8, 6");
    return desk_send_events(s, each, context);
}

enum err desk_envelopes(struct desk *d, const struct desk_filter *filter, desk_event_fn *each,
                        void *context)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    buf_printf(q,
               "SELECT created_us, ELT(state + 1, 'open', 'sold_out', 'expired'), sender, id, "
               "total_fen, opened_shares, IF(frozen <> 0, 'frozen', '') FROM envelope WHERE "
               "created_us >= %lld AND created_us < %lld",
               (long long)filter->from_us, (long long)filter->to_us);
    if (filter->sender != NULL) {
        buf_puts(q, " AND sender = ");
        sql_user(q, filter->sender);
    }
    if (filter->open_only)
        buf_puts(q, " AND state = 0");
    if (filter->frozen_only)
        buf_puts(q, " AND frozen <> 0");
    buf_printf(q, " ORDER BY id DESC LIMIT %zu", filter->limit);
    return desk_send_events(s, each, context);
}

/* ---- acts ---- */

enum err desk_act_begin(struct desk *d, const struct desk_act *act)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    buf_puts(q, "INSERT INTO act (id, at_us, operator_name, what, subject, why, outcome) VALUES (");
    sql_id(q, &act->id);
    sql_number(q, ", ", act->at_us);
    buf_puts(q, ", ");
    sql_text(q, act->operator_name);
    buf_puts(q, ", ");
    sql_user(q, act->what);
    buf_puts(q, ", ");
    sql_user(q, act->subject);
    buf_puts(q, ", ");
    sql_text(q, act->why);
    buf_puts(q, ", '')");
    return sql_run(s);
}

enum err desk_act_end(struct desk *d, const struct desk_act *act, const char *outcome)
{
    struct mysql_store *s = desk_session(d);
    struct buf *q = sql_begin(s);
    buf_puts(q, "UPDATE act SET outcome = ");
    sql_text(q, outcome);
    buf_puts(q, " WHERE id = ");
    sql_id(q, &act->id);
    return sql_run(s);
}
