/* Balances and entries since a time. The numbers of an account's transfers show whether it changed,
 * and its last top-up or withdrawal before that time holds a balance to start from, so that older
 * transfers are not read. */
#include "lib/store/mysql_audit.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_ACCOUNTS 200
#define BOOKED "COALESCE(booked_us, at_us)"

struct checked_account {
    char user[USER_SIZE];
    int64_t balance_fen, entries;
    int64_t from_entry, from_fen;    /* the balance after that entry is known; 0: from the begin */
    int64_t sum_fen, count, highest; /* of the transfers behind it */
};

struct account_page {
    size_t n;
    struct checked_account rows[PAGE_ACCOUNTS];
};

static void take_account(void *context, struct sql_row *row)
{
    struct account_page *p = context;
    if (p->n == PAGE_ACCOUNTS)
        return;
    struct checked_account *a = &p->rows[p->n++];
    memset(a, 0, sizeof *a);
    row_text(row, a->user, sizeof a->user);
    a->balance_fen = row_i64(row);
    a->entries = row_i64(row);
}

/* Read the next accounts above user id after that changed, or whose last transfer is missing. */
static enum err read_page(struct audit_session *s, const char *after, struct account_page *p)
{
    struct mysql_store *m = mysql_of(s->store);
    struct buf *q = sql_begin(m);
    p->n = 0;
    buf_puts(q, "SELECT a.user_id, a.balance_fen, a.entries FROM account a LEFT JOIN transfer t ON "
                "t.user_id = a.user_id AND t.entry = a.entries WHERE a.user_id > ");
    sql_user(q, after);
    buf_printf(q,
               " AND (t.id IS NULL OR COALESCE(t.booked_us, t.at_us) >= %lld) ORDER BY a.user_id "
               "LIMIT %d",
               (long long)s->since_us, PAGE_ACCOUNTS);
    enum err err = sql_send(m);
    return err == ERR_OK ? sql_rows(m, take_account, p) : err;
}

static void take_start(void *context, struct sql_row *row)
{
    struct account_page *p = context;
    int64_t at = row_i64(row);
    if (at < 0 || (uint64_t)at >= p->n)
        return;
    p->rows[at].from_entry = row_i64(row);
    p->rows[at].from_fen = row_i64(row);
}

/* Rows of version 0.1, which have no booked_us, are numbered in another order than booked. */
static enum err read_starts(struct audit_session *s, struct account_page *p)
{
    struct mysql_store *m = mysql_of(s->store);
    struct buf *q = sql_begin(m);
    for (size_t i = 0; i < p->n; i++) {
        sql_number(q, i == 0 ? "(SELECT " : " UNION ALL (SELECT ", (int64_t)i);
        buf_puts(q, ", entry, balance_fen FROM transfer WHERE user_id = ");
        sql_user(q, p->rows[i].user);
        buf_printf(q,
                   " AND entry IS NOT NULL AND kind IN (1, 2) AND balance_fen IS NOT NULL AND "
                   "booked_us < %lld ORDER BY entry DESC LIMIT 1)",
                   (long long)s->since_us);
    }
    enum err err = sql_send(m);
    return err == ERR_OK ? sql_rows(m, take_start, p) : err;
}

static void take_sum(void *context, struct sql_row *row)
{
    struct account_page *p = context;
    int64_t at = row_i64(row);
    if (at < 0 || (uint64_t)at >= p->n)
        return;
    p->rows[at].sum_fen += row_i64(row);
    p->rows[at].count += row_i64(row);
    p->rows[at].highest = row_i64(row);
}

static enum err read_sums(struct audit_session *s, struct account_page *p)
{
    struct mysql_store *m = mysql_of(s->store);
    struct buf *q = sql_begin(m);
    for (size_t i = 0; i < p->n; i++) {
        sql_number(q, i == 0 ? "SELECT " : " UNION ALL SELECT ", (int64_t)i);
        buf_puts(q, ", COALESCE(SUM(IF(kind IN (2, 3), -amount_fen, amount_fen)), 0), "
                    "COUNT(entry), COALESCE(MAX(entry), 0) FROM transfer WHERE user_id = ");
        sql_user(q, p->rows[i].user);
        sql_number(q, " AND (entry IS NULL OR entry > ", p->rows[i].from_entry);
        buf_putc(q, ')');
    }
    enum err err = sql_send(m);
    return err == ERR_OK ? sql_rows(m, take_sum, p) : err;
}

static void count_account(struct audit_count *out, bool wrong, const char *user)
{
    out->rows++;
    if (wrong && out->violations++ == 0)
        memcpy(out->example, user, strnlen(user, sizeof out->example - 1));
}

/* Damaged rows may hold any number. */
static void judge(struct audit_session *s, const struct checked_account *a)
{
    int64_t balance_fen, entries;
    bool overflows = __builtin_add_overflow(a->from_fen, a->sum_fen, &balance_fen) ||
                     __builtin_add_overflow(a->from_entry, a->count, &entries);
    count_account(&s->balances, overflows || a->balance_fen != balance_fen, a->user);
    count_account(&s->entries,
                  overflows || a->entries != entries || (a->count > 0 && a->highest != a->entries),
                  a->user);
}

enum err audit_check_accounts(struct audit_session *s)
{
    struct account_page *p = calloc(1, sizeof *p);
    char after[USER_SIZE] = "";
    if (p == NULL)
        return ERR_FAULT;
    memset(&s->balances, 0, sizeof s->balances);
    memset(&s->entries, 0, sizeof s->entries);
    enum err err = ERR_OK;
    do {
        err = read_page(s, after, p);
        if (err == ERR_OK && p->n > 0)
            err = read_starts(s, p);
        if (err == ERR_OK && p->n > 0)
            err = read_sums(s, p);
        for (size_t i = 0; i < p->n && err == ERR_OK; i++)
            judge(s, &p->rows[i]);
        if (p->n > 0)
            memcpy(after, p->rows[p->n - 1].user, sizeof after);
    } while (err == ERR_OK && p->n == PAGE_ACCOUNTS);
    free(p);
    s->accounts_checked = err == ERR_OK;
    return err;
}
