/* Balances and entries since a time. The numbers of an account's transfers show whether it changed,
 * and its last top-up or withdrawal before that time holds a balance to start from, so that older
 * transfers are not read. Archives carry the rest of what is not there. */
#include "lib/store/mysql_archive.h"
#include "lib/store/mysql_audit.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_ACCOUNTS 200
#define BOOKED "COALESCE(booked_us, at_us)"

struct checked_account {
    char user[USER_SIZE];
    int64_t balance_fen, entries;
    int64_t from_entry, from_fen; /* the balance after that entry is known; 0: from the begin */
    int64_t carried_fen, carried_count, carried_last; /* by archives; with the last entry */
    int64_t sum_fen, count, highest;                  /* of the transfers behind from_entry */
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

/* Read the next accounts above user id after that changed, or whose last transfer is missing
 * without having been archived. */
static enum err read_page(struct audit_session *s, const char *after, struct account_page *p)
{
    struct mysql_store *m = mysql_of(s->store);
    struct buf *q = sql_begin(m);
    p->n = 0;
    buf_puts(q, "SELECT a.user_id, a.balance_fen, a.entries FROM account a LEFT JOIN transfer t ON "
                "t.user_id = a.user_id AND t.entry = a.entries WHERE a.user_id > ");
    sql_user(q, after);
    buf_printf(q,
               " AND (COALESCE(t.booked_us, t.at_us) >= %lld OR (t.id IS NULL AND NOT EXISTS "
               "(SELECT 1 FROM carried k WHERE k.user_id = a.user_id AND k.last_entry >= a.entries "
               "AND k.day_us < %lld))) ORDER BY a.user_id LIMIT %d",
               (long long)s->since_us, (long long)(s->since_us - S_PER_DAY * US_PER_S),
               PAGE_ACCOUNTS);
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

struct carried_page {
    struct audit_session *s;
    struct account_page *p;
    size_t at;
};

static void take_carried(void *context, struct sql_row *row)
{
    struct carried_page *page = context;
    struct account_page *p = page->p;
    struct carried c;
    carried_take(row, &c);
    audit_count_seal(page->s, &c);
    while (page->at < p->n && strcmp(p->rows[page->at].user, c.user) < 0)
        page->at++;
    if (page->at == p->n || strcmp(p->rows[page->at].user, c.user) != 0)
        return;
    struct checked_account *a = &p->rows[page->at];
    a->carried_fen = (int64_t)((uint64_t)a->carried_fen + (uint64_t)carried_fen(&c));
    a->carried_count = (int64_t)((uint64_t)a->carried_count + (uint64_t)carried_count(&c));
    if (c.last_entry > a->carried_last)
        a->carried_last = c.last_entry;
}

/* Read what archives carried for the accounts. Where that reaches behind the start, begin with all
 * that was carried. */
static enum err read_carried(struct audit_session *s, struct account_page *p)
{
    struct mysql_store *m = mysql_of(s->store);
    struct buf *q = sql_begin(m);
    struct carried_page page = {.s = s, .p = p};
    buf_printf(q, "SELECT %s FROM carried WHERE user_id IN (", sql_carried_columns);
    for (size_t i = 0; i < p->n; i++) {
        sql_comma(q, i == 0);
        sql_user(q, p->rows[i].user);
    }
    buf_puts(q, ") ORDER BY user_id, day_us");
    enum err err = sql_send(m);
    if (err == ERR_OK)
        err = sql_stream(m, take_carried, &page);
    for (size_t i = 0; i < p->n; i++) {
        struct checked_account *a = &p->rows[i];
        bool reaches = a->carried_last > a->from_entry;
        a->from_entry = reaches ? 0 : a->from_entry;
        a->from_fen = reaches ? a->carried_fen : a->from_fen;
        a->count = reaches ? a->carried_count : 0;
        a->highest = reaches ? a->carried_last : 0;
    }
    return err;
}

static void take_sum(void *context, struct sql_row *row)
{
    struct account_page *p = context;
    int64_t at = row_i64(row);
    if (at < 0 || (uint64_t)at >= p->n)
        return;
    p->rows[at].sum_fen += row_i64(row);
    p->rows[at].count += row_i64(row);
    int64_t highest = row_i64(row);
    if (highest > p->rows[at].highest)
        p->rows[at].highest = highest;
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
    memset(&s->seals, 0, sizeof s->seals);
    enum err err = ERR_OK;
    do {
        err = read_page(s, after, p);
        if (err == ERR_OK && p->n > 0)
            err = read_starts(s, p);
        if (err == ERR_OK && p->n > 0)
            err = read_carried(s, p);
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
