/* Crediting one lane, or several near-empty lanes, in one transaction. A lane is locked by its row
 * in the table lane and its credits are read without locks; the INSERT into account then locks the
 * accounts in key order; transfers, year totals and the DELETE of the credits follow. */
#include "lib/base/clock.h"
#include "lib/base/crypto.h"
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

#define CREDIT_COLUMNS "user_id, envelope_id, seq, amount_fen, opened_us, attempts"

unsigned lane_of(const char *user)
{
    uint8_t digest[32];
    hash_sha256(digest, user, strlen(user));
    return digest[0] % LANES;
}

static void take_lane_bit(void *context, struct sql_row *row)
{
    *(uint32_t *)context |= UINT32_C(1) << row_i64(row) % LANES;
}

enum err mysql_credit_lanes(struct store *store, uint32_t *lanes)
{
    struct mysql_store *s = mysql_of(store);
    *lanes = 0;
    buf_puts(sql_begin(s), "SELECT l.lane FROM lane l WHERE EXISTS (SELECT 1 FROM credit c WHERE "
                           "c.lane = l.lane AND c.not_before_us <= (" SQL_NOW "))");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_lane_bit, lanes) : err;
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

static int credit_order(const void *a, const void *b)
{
    const struct credit *x = a, *y = b;
    int order = strcmp(x->user, y->user);
    return order != 0 ? order : id_compare(&x->envelope, &y->envelope);
}

/* The largest and the oldest overlap; keep each once. */
static void sort_distinct(struct credit_set *set)
{
    size_t n = 0;
    qsort(set->rows, set->n, sizeof set->rows[0], credit_order);
    for (size_t i = 0; i < set->n; i++)
        if (n == 0 || credit_order(&set->rows[n - 1], &set->rows[i]) != 0)
            set->rows[n++] = set->rows[i];
    set->n = n;
}

static void put_lanes(struct buf *q, uint32_t lanes)
{
    bool first = true;
    for (int lane = 0; lane < LANES; lane++) {
        if ((lanes >> lane & 1) == 0)
            continue;
        buf_printf(q, first ? "lane IN (%d" : ",%d", lane);
        first = false;
    }
    buf_putc(q, ')');
}

/* FORCE INDEX, because statistics that lag behind a rush make the optimizer sort the whole lane. No
 * ORDER BY for several lanes, which would be sorted, too. */
static void put_choice(struct buf *q, const struct credit_set *set, const char *index,
                       const char *order, size_t limit)
{
    buf_printf(q, "SELECT " CREDIT_COLUMNS " FROM credit FORCE INDEX (%s) WHERE ", index);
    put_lanes(q, set->lanes);
    buf_puts(q, " AND not_before_us <= (" SQL_NOW ")");
    if (lanes_single(set->lanes))
        buf_printf(q, " ORDER BY %s", order);
    buf_printf(q, " LIMIT %zu", limit);
}

/* Lock the lanes and read the oldest credits of one, or any credits of several; when there are few,
 * these are all. For many lanes the server scans the table lane, so that another daemon's lock on a
 * lane not selected also gives ERR_LOCKED; the caller then tries lane by lane. */
static enum err lock_and_read(struct mysql_store *s, struct credit_set *set)
{
    struct buf *q = sql_begin(s);
    uint32_t locked = 0;
    set->n = 0;
    sql_transaction(s);
    buf_puts(q, "SELECT lane FROM lane WHERE ");
    put_lanes(q, set->lanes);
    buf_puts(q, " FOR UPDATE NOWAIT; " SQL_NOW "; ");
    put_choice(q, set, "credit_oldest", "opened_us", set->limit_oldest + set->limit_largest);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    if (err == ERR_OK)
        err = sql_rows(s, take_lane_bit, &locked);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &set->now_us);
    if (err == ERR_OK)
        err = sql_rows(s, take_credit, set);
    set->taken = err == ERR_OK && locked == set->lanes;
    return err;
}

/* Keep the limit_oldest oldest of a full lane and read the largest. */
static enum err read_largest(struct mysql_store *s, struct credit_set *set)
{
    set->n = set->limit_oldest;
    put_choice(sql_begin(s), set, "credit_largest", "amount_fen DESC", set->limit_largest);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_credit, set) : err;
}

enum err mysql_credit_read(struct store *store, struct credit_set *set)
{
    struct mysql_store *s = mysql_of(store);
    enum err err = lock_and_read(s, set);
    if (err == ERR_LOCKED)
        return ERR_OK; /* another daemon has the lane; set->taken is false */
    bool full = set->n == set->limit_oldest + set->limit_largest;
    bool overdue = set->n > 0 && set->now_us - set->rows[0].opened_us > set->old_after_us;
    if (full && !lanes_single(set->lanes))
        set->taken = false;
    else if (err == ERR_OK && full && !overdue)
        err = read_largest(s, set);
    if (err == ERR_OK)
        sort_distinct(set);
    return err;
}

static bool first_of_user(const struct credit_set *set, size_t i)
{
    return i == 0 || strcmp(set->rows[i - 1].user, set->rows[i].user) != 0;
}

/* Return the sum of rows[first..end). */
static int64_t sum_fen(const struct credit_set *set, size_t first, size_t end)
{
    int64_t sum = 0;
    for (size_t i = first; i < end; i++)
        sum += set->rows[i].amount_fen;
    return sum;
}

/* Append one INSERT of all users, in key order, which locks their accounts and creates those that
 * do not exist. Return the number of users. */
static size_t put_user_balances(struct buf *q, const struct credit_set *set)
{
    size_t users = 0;
    for (size_t i = 0, end; i < set->n; i = end) {
        for (end = i + 1; end < set->n && !first_of_user(set, end);)
            end++;
        buf_puts(q, users++ == 0
                        ? "INSERT INTO account (user_id, name, balance_fen, entries) VALUES ("
                        : ",(");
        sql_user(q, set->rows[i].user);
        buf_printf(q, ",'',%lld,%zu)", (long long)sum_fen(set, i, end), end - i);
    }
    buf_puts(q, " ON DUPLICATE KEY UPDATE balance_fen = balance_fen + VALUES(balance_fen), "
                "entries = entries + VALUES(entries); ");
    return users;
}

/* Append the transfers, which correspond to the rows. */
static void put_claims(struct buf *q, const struct credit_set *set,
                       const struct transfer *transfers)
{
    buf_puts(q, sql_transfer_insert);
    for (size_t i = 0, end; i < set->n; i = end) {
        for (end = i + 1; end < set->n && !first_of_user(set, end);)
            end++;
        for (size_t k = i; k < end; k++) {
            sql_comma(q, k == 0);
            sql_transfer_values(q, &transfers[k], end - k - 1);
        }
    }
}

/* Append one row per user and year. A user's credits are in order of envelope id, so nearly of
 * time; if a year comes back it gets a second row, which is added as well. */
static void put_years(struct buf *q, const struct credit_set *set, int year_offset_min)
{
    buf_puts(q, "; INSERT INTO year_total (user_id, year, received_count, received_fen) VALUES ");
    for (size_t i = 0, end; i < set->n; i = end) {
        int year = clock_year_of(set->rows[i].opened_us, year_offset_min);
        for (end = i + 1; end < set->n && !first_of_user(set, end) &&
                          clock_year_of(set->rows[end].opened_us, year_offset_min) == year;)
            end++;
        buf_puts(q, i == 0 ? "(" : ",(");
        sql_user(q, set->rows[i].user);
        buf_printf(q, ",%d,%zu,%lld)", year, end - i, (long long)sum_fen(set, i, end));
    }
    buf_puts(q, " ON DUPLICATE KEY UPDATE received_count = received_count + "
                "VALUES(received_count), received_fen = received_fen + VALUES(received_fen)");
}

static void put_deletes(struct buf *q, const struct credit_set *set)
{
    buf_puts(q, "; DELETE FROM credit WHERE (user_id, envelope_id) IN (");
    for (size_t i = 0; i < set->n; i++) {
        buf_puts(q, i == 0 ? "(" : ",(");
        sql_user(q, set->rows[i].user);
        buf_putc(q, ',');
        sql_id(q, &set->rows[i].envelope);
        buf_putc(q, ')');
    }
    buf_putc(q, ')');
}

/* ON DUPLICATE KEY UPDATE counts an updated row as two and an inserted row as one. */
static enum err take_user_balances(struct mysql_store *s, uint64_t users)
{
    uint64_t changed = 0;
    enum err err = sql_affected(s, &changed);
    bool all = changed >= users && changed <= 2 * users;
    return err == ERR_OK && !all ? sql_fail(s, ERR_FAULT) : err;
}

enum err mysql_credit_write(struct store *store, const struct credit_set *set,
                            const struct transfer *transfers, int year_offset_min)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    size_t users = put_user_balances(q, set);
    put_claims(q, set, transfers);
    put_years(q, set, year_offset_min);
    put_deletes(q, set);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = take_user_balances(s, users);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, set->n);
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
