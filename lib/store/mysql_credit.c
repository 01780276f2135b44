/* Crediting: one lane at a time, in the order lane, accounts, inserts. */
#include "lib/base/clock.h"
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

#define CREDIT_COLUMNS "user_id, envelope_id, seq, amount_fen, opened_us, attempts"

static void take_lane(void *context, struct sql_row *row)
{
    *(bool *)context = row_i64(row) >= 0;
}

static void take_credit(void *context, struct sql_row *row)
{
    struct credit_set *set = context;
    struct credit *c = &set->rows[set->n];
    if (set->n == CREDIT_BATCH_MAX)
        return;
    row_text(row, c->user, sizeof c->user);
    row_bytes(row, c->envelope.b, ID_SIZE);
    c->seq = row_i64(row);
    c->amount_fen = row_i64(row);
    c->opened_us = row_i64(row);
    c->attempts = row_i64(row);
    set->n++;
}

static int compare_credits(const void *a, const void *b)
{
    const struct credit *x = a, *y = b;
    int order = strcmp(x->user, y->user);
    return order != 0 ? order : id_compare(&x->envelope, &y->envelope);
}

/* The largest and the oldest overlap: each is booked once. */
static void sort_distinct(struct credit_set *set)
{
    size_t n = 0;
    qsort(set->rows, set->n, sizeof set->rows[0], compare_credits);
    for (size_t i = 0; i < set->n; i++)
        if (n == 0 || compare_credits(&set->rows[n - 1], &set->rows[i]) != 0)
            set->rows[n++] = set->rows[i];
    set->n = n;
}

static enum err lock_lane(struct mysql_store *s, struct credit_set *set)
{
    struct buf *q = sql_begin(s);
    set->lane_free = false;
    set->n = 0;
    sql_transaction(s);
    buf_printf(q, "SELECT lane FROM lane WHERE lane = %u FOR UPDATE NOWAIT", set->lane);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_rows(s, take_lane, &set->lane_free);
    return err;
}

static void put_choice(struct buf *q, const struct credit_set *set, const char *order, size_t limit)
{
    buf_printf(q,
               "SELECT " CREDIT_COLUMNS " FROM credit WHERE lane = %u AND not_before_us <= %lld "
               "ORDER BY %s LIMIT %zu",
               set->lane, (long long)set->now_us, order, limit);
}

enum err mysql_credit_read(struct store *store, struct credit_set *set)
{
    struct mysql_store *s = mysql_of(store);
    int64_t oldest_us = 0;
    enum err err = lock_lane(s, set);
    if (err == ERR_LOCKED)
        return ERR_OK; /* another daemon is at it */
    if (err != ERR_OK)
        return err;
    struct buf *q = sql_begin(s);
    buf_puts(q, SQL_NOW);
    err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &set->now_us);
    if (err != ERR_OK)
        return err;
    q = sql_begin(s);
    buf_printf(q, "SELECT MIN(opened_us) FROM credit WHERE lane = %u AND not_before_us <= %lld; ",
               set->lane, (long long)set->now_us);
    put_choice(q, set, "opened_us", set->limit_oldest + set->limit_largest);
    err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &oldest_us);
    bool overdue = oldest_us != 0 && set->now_us - oldest_us > set->old_after_us;
    if (err == ERR_OK)
        err = sql_rows(s, take_credit, set);
    if (err == ERR_OK && !overdue && set->n == set->limit_oldest + set->limit_largest) {
        set->n = set->limit_oldest;
        q = sql_begin(s);
        put_choice(q, set, "amount_fen DESC", set->limit_largest);
        err = sql_send(s);
        if (err == ERR_OK)
            err = sql_rows(s, take_credit, set);
    }
    if (err == ERR_OK)
        sort_distinct(set);
    return err;
}

static bool first_of_user(const struct credit_set *set, size_t i)
{
    return i == 0 || strcmp(set->rows[i - 1].user, set->rows[i].user) != 0;
}

/* "user_id IN (..)" of the distinct users; returns how many. */
static size_t put_users(struct buf *q, const struct credit_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (!first_of_user(set, i))
            continue;
        buf_puts(q, n++ == 0 ? "user_id IN (" : ",");
        sql_user(q, set->rows[i].user);
    }
    buf_putc(q, ')');
    return n;
}

/* Accounts that do not exist yet come into being; all are locked, in order. */
static enum err lock_accounts(struct mysql_store *s, const struct credit_set *set)
{
    struct buf *q = sql_begin(s);
    int64_t ignored;
    for (size_t i = 0; i < set->n; i++) {
        if (!first_of_user(set, i))
            continue;
        buf_puts(q, i == 0 ? "INSERT INTO account (user_id, name, balance_fen) VALUES (" : ",(");
        sql_user(q, set->rows[i].user);
        buf_puts(q, ",'',0)");
    }
    buf_puts(q, " ON DUPLICATE KEY UPDATE user_id = account.user_id; "
                "SELECT COUNT(*) FROM (SELECT 1 FROM account WHERE ");
    put_users(q, set);
    buf_puts(q, " ORDER BY user_id FOR UPDATE) locked");
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &ignored) : err;
}

static int64_t sum_of_user(const struct credit_set *set, size_t first)
{
    int64_t sum_fen = 0;
    for (size_t i = first; i < set->n && strcmp(set->rows[i].user, set->rows[first].user) == 0; i++)
        sum_fen += set->rows[i].amount_fen;
    return sum_fen;
}

static void put_balances(struct buf *q, const struct credit_set *set)
{
    buf_puts(q, "; UPDATE account SET balance_fen = balance_fen + CASE user_id");
    for (size_t i = 0; i < set->n; i++) {
        if (!first_of_user(set, i))
            continue;
        buf_puts(q, " WHEN ");
        sql_user(q, set->rows[i].user);
        buf_printf(q, " THEN %lld", (long long)sum_of_user(set, i));
    }
    buf_puts(q, " END WHERE ");
}

static void put_years(struct buf *q, const struct credit_set *set, int year_offset_min)
{
    buf_puts(q, "; INSERT INTO year_total (user_id, year, received_count, received_fen) VALUES ");
    for (size_t i = 0; i < set->n; i++) {
        buf_puts(q, i == 0 ? "(" : ",(");
        sql_user(q, set->rows[i].user);
        buf_printf(q, ",%d,1,%lld)", clock_year_of(set->rows[i].opened_us, year_offset_min),
                   (long long)set->rows[i].amount_fen);
    }
    buf_puts(q, " ON DUPLICATE KEY UPDATE received_count = received_count + 1, "
                "received_fen = received_fen + VALUES(received_fen)");
}

enum err mysql_credit_write(struct store *store, const struct credit_set *set,
                            const struct transfer *transfers, int year_offset_min)
{
    struct mysql_store *s = mysql_of(store);
    enum err err = lock_accounts(s, set);
    if (err != ERR_OK)
        return err;
    struct buf *q = sql_begin(s);
    buf_puts(q, sql_transfer_insert);
    for (size_t i = 0; i < set->n; i++) {
        sql_comma(q, i == 0);
        sql_transfer_values(q, &transfers[i]);
    }
    put_balances(q, set);
    size_t users = put_users(q, set);
    put_years(q, set, year_offset_min);
    buf_puts(q, "; DELETE FROM credit WHERE (user_id, envelope_id) IN (");
    for (size_t i = 0; i < set->n; i++) {
        buf_puts(q, i == 0 ? "(" : ",(");
        sql_user(q, set->rows[i].user);
        buf_putc(q, ',');
        sql_id(q, &set->rows[i].envelope);
        buf_putc(q, ')');
    }
    buf_putc(q, ')');
    err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, set->n);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, users);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    return err == ERR_OK ? sql_affected_exactly(s, set->n) : err;
}

enum err mysql_credit_postpone(struct store *store, const struct credit *c, int64_t not_before_us)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    buf_printf(q,
               "UPDATE credit SET attempts = attempts + 1, not_before_us = %lld WHERE user_id = ",
               (long long)not_before_us);
    sql_user(q, c->user);
    buf_puts(q, " AND envelope_id = ");
    sql_id(q, &c->envelope);
    return sql_run(s);
}
