/* The history of a user: sent, received, totals of a year, and the ledger. Pages continue behind
 * the key of the last row (keyset), so that no page costs more than the first. */
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

/* The rows of one page, up to a limit. */
struct page_rows {
    void *out;
    size_t n, limit;
};

static void take_sent(void *context, struct sql_row *row)
{
    struct page_rows *p = context;
    if (p->n < p->limit)
        envelope_take(row, &((struct envelope *)p->out)[p->n++]);
}

/* Append " AND column >= .. AND column < .." for the ids of the time range, before the cursor. */
static void put_range(struct buf *q, const char *column, int64_t from_us, int64_t to_us,
                      const struct page_after *after)
{
    struct id low = id_floor(from_us), high = id_floor(to_us);
    if (after->set && id_compare(&after->id, &high) < 0)
        high = after->id;
    buf_printf(q, " AND %s >= ", column);
    sql_id(q, &low);
    buf_printf(q, " AND %s < ", column);
    sql_id(q, &high);
}

enum err mysql_sent_page(struct store *store, const char *user, int64_t from_us, int64_t to_us,
                         const struct page_after *after, size_t limit, struct envelope *out,
                         size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct page_rows p = {.out = out, .limit = limit};
    buf_puts(q, "SELECT ");
    sql_envelope_columns(q, SQL_SEED_PUBLIC);
    buf_puts(q, " FROM envelope e WHERE e.sender = ");
    sql_user(q, user);
    put_range(q, "e.id", from_us, to_us, after);
    buf_printf(q, " ORDER BY e.id DESC LIMIT %zu", limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_sent, &p);
    *n = p.n;
    return err;
}

/* ---- received: credited claims from the transfers, and the few that are still pending ---- */

#define TIES_MAX 64 /* claims of one user in one millisecond, at the edge of a page */

struct received {
    struct received_item *items;
    size_t n, room;
    const struct page_after *after;
};

static void take_received(void *context, struct sql_row *row)
{
    struct received *r = context;
    if (r->n == r->room)
        return;
    struct received_item *item = &r->items[r->n];
    memset(item, 0, sizeof *item);
    item->credited = row_i64(row) != 0;
    row_bytes(row, item->envelope.b, ID_SIZE);
    row_text(row, item->sender, sizeof item->sender);
    row_text(row, item->sender_name, sizeof item->sender_name);
    item->theme = (enum envelope_theme)row_i64(row);
    item->amount_fen = row_i64(row);
    item->seq = row_i64(row);
    item->opened_us = row_i64(row);
    item->luckiest = row_i64(row) == item->seq;
    item->cursor.set = true;
    item->cursor.id = transfer_claim_id(&item->envelope, (uint32_t)item->seq, item->opened_us);
    if (!r->after->set || id_compare(&item->cursor.id, &r->after->id) < 0)
        r->n++;
}

static int newest_first(const void *a, const void *b)
{
    const struct received_item *x = a, *y = b;
    return id_compare(&y->cursor.id, &x->cursor.id);
}

/* One statement, so that a claim that is being credited is read from exactly one of the two tables.
 */
static void put_received_query(struct buf *q, const char *user, int64_t from_us, int64_t to_us,
                               const struct page_after *after, size_t limit)
{
    int64_t last_us = after->set ? id_time_us(&after->id) + 1000 : to_us;
    buf_puts(q, "SELECT r.credited, e.id, e.sender, e.sender_name, e.theme, "
                "r.amount_fen, r.seq, r.opened_us, CASE WHEN e.state <> 0 THEN e.luckiest_seq ELSE "
                "0 END FROM ("
                "(SELECT 1 AS credited, LEFT(ref, 16) AS envelope_id, amount_fen, "
                "CAST(CONV(HEX(SUBSTRING(ref, 17, 4)), 16, 10) AS SIGNED) AS seq, "
                "at_us AS opened_us FROM transfer WHERE kind = 4 AND user_id = ");
    sql_user(q, user);
    put_range(q, "id", from_us, to_us, after);
    buf_printf(q,
               " ORDER BY id DESC LIMIT %zu) UNION ALL (SELECT 0, envelope_id, amount_fen, seq, "
               "opened_us FROM credit WHERE user_id = ",
               limit);
    sql_user(q, user);
    buf_printf(q,
               " AND opened_us >= %lld AND opened_us < %lld ORDER BY opened_us DESC LIMIT %zu)"
               ") r JOIN envelope e ON e.id = r.envelope_id",
               (long long)from_us, (long long)(last_us < to_us ? last_us : to_us),
               limit + TIES_MAX);
}

enum err mysql_received_page(struct store *store, const char *user, int64_t from_us, int64_t to_us,
                             const struct page_after *after, size_t limit,
                             struct received_item *out, size_t *n)
{
    struct mysql_store *s = mysql_of(store);
    struct received_item items[2 * PAGE_ROOM + TIES_MAX];
    struct received r = {.items = items, .room = sizeof items / sizeof items[0], .after = after};
    put_received_query(sql_begin(s), user, from_us, to_us, after, limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_received, &r);
    qsort(items, r.n, sizeof items[0], newest_first);
    *n = r.n < limit ? r.n : limit;
    memcpy(out, items, *n * sizeof items[0]);
    return err;
}

/* ---- totals: the row of the year, and what settle has not added to it yet ---- */

static void take_totals(void *context, struct sql_row *row)
{
    struct year_totals *t = context;
    t->sent_count += row_i64(row);
    t->sent_fen += row_i64(row);
    t->refunded_fen += row_i64(row);
    t->received_count += row_i64(row);
    t->received_fen += row_i64(row);
    t->luckiest_count += row_i64(row);
}

/* One UNION ALL of the year's row, the user's open and newly closed envelopes, the newly closed
 * envelopes in which the user was the luckiest, and the user's pending claims. */
static void put_totals(struct buf *q, const char *user, int year, int64_t from_us, int64_t to_us)
{
    const struct page_after none = {0};
    buf_puts(q, "SELECT sent_count, sent_fen, refunded_fen, received_count, received_fen, "
                "luckiest_count FROM year_total WHERE user_id = ");
    sql_user(q, user);
    buf_printf(q,
               " AND year = %d UNION ALL SELECT COUNT(*), COALESCE(SUM(e.total_fen), 0), "
               "0, 0, 0, 0 FROM envelope e WHERE e.state = 0 AND e.sender = ",
               year);
    sql_user(q, user);
    put_range(q, "e.id", from_us, to_us, &none);
    buf_puts(q, " UNION ALL SELECT COUNT(*), COALESCE(SUM(e.total_fen), 0), "
                "COALESCE(SUM(e.refunded_fen), 0), 0, 0, 0 FROM closing q JOIN envelope e "
                "ON e.id = q.envelope_id WHERE e.sender = ");
    sql_user(q, user);
    put_range(q, "e.id", from_us, to_us, &none);
    buf_puts(q, " UNION ALL "
                "SELECT 0, 0, 0, 0, 0, COUNT(*) FROM closing q JOIN envelope e ON "
                "e.id = q.envelope_id JOIN claim c ON c.envelope_id = e.id AND "
                "c.user_id = e.luckiest_user WHERE e.luckiest_user = ");
    sql_user(q, user);
    buf_printf(q,
               " AND c.opened_us >= %lld AND c.opened_us < %lld UNION ALL "
               "SELECT 0, 0, 0, COUNT(*), COALESCE(SUM(amount_fen), 0), 0 FROM credit "
               "WHERE user_id = ",
               (long long)from_us, (long long)to_us);
    sql_user(q, user);
    buf_printf(q, " AND opened_us >= %lld AND opened_us < %lld", (long long)from_us,
               (long long)to_us);
}

enum err mysql_year_totals_get(struct store *store, const char *user, int year, int64_t from_us,
                               int64_t to_us, struct year_totals *out)
{
    struct mysql_store *s = mysql_of(store);
    memset(out, 0, sizeof *out);
    put_totals(sql_begin(s), user, year, from_us, to_us);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_totals, out) : err;
}

struct ledger_rows {
    struct page_rows page;
    int64_t *balance_fen;
};

static void take_ledger_row(void *context, struct sql_row *row)
{
    struct ledger_rows *r = context;
    struct page_rows *p = &r->page;
    if (p->n >= p->limit)
        return;
    transfer_take(row, &((struct transfer *)p->out)[p->n++]);
    *r->balance_fen = row_i64(row);
}

enum err mysql_ledger_page(struct store *store, const char *user, const struct page_after *after,
                           size_t limit, struct transfer *out, size_t *n, int64_t *balance_fen)
{
    struct mysql_store *s = mysql_of(store);
    struct buf *q = sql_begin(s);
    struct ledger_rows r = {.page = {.out = out, .limit = limit}, .balance_fen = balance_fen};
    /* in one statement: a credit between two would be in the rows and not in the balance */
    buf_printf(q, "SELECT %s, (SELECT a.balance_fen FROM account AS a WHERE a.user_id = ",
               sql_transfer_columns);
    sql_user(q, user);
    buf_puts(q, ") FROM transfer WHERE user_id = ");
    sql_user(q, user);
    buf_printf(q, " AND entry < %lld ORDER BY entry DESC LIMIT %zu",
               (long long)(after->set ? after->seq : INT64_MAX), limit);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, take_ledger_row, &r);
    *n = r.page.n;
    return err;
}
