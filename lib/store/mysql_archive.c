/* The transaction that moves envelopes out of the database: what it locks and reads. Closed
 * envelopes change rarely, so that their locks keep no open or send waiting; accounts are not
 * locked, because a balance does not change. */
#include "lib/store/mysql_archive.h"
#include <string.h>

enum err archive_commit(struct desk *a)
{
    struct store *s = &desk_session(a)->store;
    return s->ops->commit(s);
}

void archive_rollback(struct desk *a)
{
    struct store *s = &desk_session(a)->store;
    s->ops->rollback(s);
}

enum err archive_begin(struct desk *a)
{
    struct mysql_store *s = desk_session(a);
    int64_t number;
    struct buf *q = sql_begin(s);
    sql_transaction(s);
    buf_puts(q, "SELECT number FROM archive WHERE number = 0 FOR UPDATE");
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected(s, NULL);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &number) : err;
}

/* ---- plain reads ---- */

const char sql_archive_columns[] = "number, begun_us, before_us, envelopes, claims, transfers, "
                                   "sent_fen, bytes, sha256, mac";

void archive_file_take(struct sql_row *row, struct archive_file *f)
{
    int64_t *const numbers[] = {&f->number, &f->begun_us,  &f->before_us, &f->envelopes,
                                &f->claims, &f->transfers, &f->sent_fen,  &f->bytes};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = row_i64(row);
    row_bytes(row, f->sha256, sizeof f->sha256);
    row_bytes(row, f->mac, sizeof f->mac);
}

struct file_rows {
    archive_file_fn *each;
    void *context;
};

static void take_file(void *context, struct sql_row *row)
{
    const struct file_rows *rows = context;
    struct archive_file f;
    archive_file_take(row, &f);
    rows->each(rows->context, &f);
}

enum err archive_files(struct desk *a, archive_file_fn *each, void *context)
{
    struct mysql_store *s = desk_session(a);
    struct file_rows rows = {each, context};
    buf_printf(sql_begin(s), "SELECT %s FROM archive WHERE number > 0 ORDER BY number",
               sql_archive_columns);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_file, &rows) : err;
}

enum err archive_times(struct desk *a, int64_t *now_us, int64_t *oldest_us)
{
    struct mysql_store *s = desk_session(a);
    buf_printf(sql_begin(s), SQL_NOW "; SELECT COALESCE(MIN(created_us), %lld) FROM idempotency",
               (long long)INT64_MAX);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, now_us);
    return err == ERR_OK ? sql_rows(s, row_take_i64, oldest_us) : err;
}

enum err archive_find(struct desk *a, const struct id *id, int64_t *number)
{
    struct mysql_store *s = desk_session(a);
    struct buf *q = sql_begin(s);
    *number = 0;
    buf_puts(q, "SELECT number FROM archived WHERE envelope_id = ");
    sql_id(q, id);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, number) : err;
}

/* ---- envelopes, their transfers and claims ---- */

struct set_reading {
    struct archive_set *set;
    size_t at; /* the envelope whose rows are being read */
    archive_claim_fn *each;
    void *context;
};

/* Return the place of id in the set, or set->n. Ids must come in ascending order. */
static size_t place_of(struct set_reading *r, const struct id *id)
{
    const struct archive_set *set = r->set;
    while (r->at < set->n && id_compare(&set->items[r->at].books.envelope.id, id) < 0)
        r->at++;
    bool here = r->at < set->n && id_compare(&set->items[r->at].books.envelope.id, id) == 0;
    return here ? r->at : set->n;
}

static void take_envelope(void *context, struct sql_row *row)
{
    struct archive_set *set = context;
    if (set->n == ARCHIVE_ENVELOPES_MAX)
        return;
    struct archive_item *item = &set->items[set->n++];
    memset(item, 0, sizeof *item);
    envelope_take(row, &item->books.envelope);
}

static void limit_claims(struct archive_set *set, size_t claims_max)
{
    int64_t claims = 0;
    for (size_t i = 0; i < set->n; i++) {
        claims += set->items[i].books.envelope.opened_shares;
        if (i > 0 && claims > (int64_t)claims_max)
            set->n = i;
    }
}

static enum err lock_envelopes(struct mysql_store *s, const struct id *after, int64_t sent_us,
                               int64_t closed_us, struct archive_set *set)
{
    struct buf *q = sql_begin(s);
    buf_puts(q, "SELECT ");
    sql_envelope_columns(q, SQL_SEED_PUBLIC);
    buf_puts(q, " FROM envelope e WHERE e.id > ");
    sql_id(q, after);
    struct id high = id_floor(sent_us);
    buf_puts(q, " AND e.id < ");
    sql_id(q, &high);
    buf_printf(q,
               " AND e.state <> 0 AND e.closed_us < %lld AND e.created_us < %lld ORDER BY e.id "
               "LIMIT %d FOR UPDATE",
               (long long)closed_us, (long long)sent_us, ARCHIVE_ENVELOPES_MAX);
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_envelope, set) : err;
}

/* Append " column IN (..)" for the envelopes of set. */
static void put_in(struct buf *q, const char *column, const struct archive_set *set)
{
    buf_printf(q, " %s IN (", column);
    for (size_t i = 0; i < set->n; i++) {
        sql_comma(q, i == 0);
        sql_id(q, &set->items[i].books.envelope.id);
    }
    buf_putc(q, ')');
}

static void take_seed(void *context, struct sql_row *row)
{
    struct set_reading *r = context;
    struct id id;
    row_bytes(row, id.b, ID_SIZE);
    size_t at = place_of(r, &id);
    bool closing = row_i64(row) != 0;
    if (at < r->set->n && closing)
        r->set->items[at].books.closing_row = true;
    else if (at < r->set->n)
        r->set->items[at].books.seed_row = true;
}

/* The rows in seed and closing, of which there should be none. */
static enum err read_queues(struct mysql_store *s, struct set_reading *r)
{
    struct buf *q = sql_begin(s);
    r->at = 0;
    buf_puts(q, "SELECT envelope_id, 0 FROM seed WHERE");
    put_in(q, "envelope_id", r->set);
    buf_puts(q, " UNION ALL SELECT envelope_id, 1 FROM closing WHERE");
    put_in(q, "envelope_id", r->set);
    buf_puts(q, " ORDER BY 1");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, take_seed, r) : err;
}

static void take_transfer(void *context, struct sql_row *row)
{
    struct set_reading *r = context;
    struct transfer t;
    struct id id;
    transfer_take(row, &t);
    memcpy(id.b, t.ref, ID_SIZE);
    size_t at = place_of(r, &id);
    if (at == r->set->n)
        return;
    struct archive_item *item = &r->set->items[at];
    books_add_transfer(&item->books, t.kind, t.user, t.amount_fen);
    item->unnumbered |= t.entry < 1;
    if (t.booked_us > item->last_booked_us)
        item->last_booked_us = t.booked_us;
    if (t.kind != TRANSFER_CLAIM && item->n_sides++ < 2)
        item->sides[item->n_sides - 1] = t;
}

/* The reference of every transfer of an envelope begins with its id. */
static enum err read_transfers(struct mysql_store *s, struct set_reading *r)
{
    struct buf *q = sql_begin(s);
    r->at = 0;
    buf_printf(q, "SELECT %s FROM transfer WHERE ref >= ", sql_transfer_columns);
    sql_id(q, &r->set->items[0].books.envelope.id);
    buf_puts(q, " AND ref <= CONCAT(");
    sql_id(q, &r->set->items[r->set->n - 1].books.envelope.id);
    buf_puts(q, ", X'FFFFFFFF') AND kind IN (3, 4, 5) ORDER BY ref, kind");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_stream(s, take_transfer, r) : err;
}

static void take_claim(void *context, struct sql_row *row)
{
    struct set_reading *r = context;
    struct archive_claim c;
    memset(&c, 0, sizeof c);
    struct claim *claim = &c.books.claim;
    row_bytes(row, claim->envelope.b, ID_SIZE);
    row_text(row, claim->user, sizeof claim->user);
    claim->amount_fen = row_i64(row);
    claim->seq = row_i64(row);
    claim->opened_us = row_i64(row);
    claim->thanks = (enum claim_thanks)row_i64(row);
    c.books.pending = !row_null(row);
    c.books.pending_seq = row_i64(row);
    c.books.pending_fen = row_i64(row);
    c.books.credited = !row_null(row);
    row_text(row, c.transfer.user, sizeof c.transfer.user);
    c.transfer.kind = TRANSFER_CLAIM;
    c.transfer.amount_fen = row_i64(row);
    row_bytes(row, c.transfer.id.b, ID_SIZE);
    c.transfer.entry = row_i64(row);
    c.transfer.at_us = row_i64(row);
    c.transfer.booked_us = row_i64(row);
    memcpy(c.books.credited_user, c.transfer.user, sizeof c.books.credited_user);
    c.books.credited_fen = c.transfer.amount_fen;
    size_t at = place_of(r, &claim->envelope);
    if (at == r->set->n)
        return;
    books_add_claim(&r->set->items[at].books, &c.books);
    r->each(r->context, at, &c);
}

static enum err read_claims(struct mysql_store *s, struct set_reading *r)
{
    struct buf *q = sql_begin(s);
    r->at = 0;
    buf_puts(q, "SELECT c.envelope_id, c.user_id, c.amount_fen, c.seq, c.opened_us, c.thanks, "
                "p.seq, p.amount_fen, t.user_id, t.amount_fen, t.id, t.entry, t.at_us, "
                "COALESCE(t.booked_us, t.at_us) FROM claim c LEFT JOIN credit p ON "
                "p.user_id = c.user_id AND p.envelope_id = c.envelope_id LEFT JOIN transfer t ON "
                "t.ref = CONCAT(c.envelope_id, UNHEX(LPAD(HEX(c.seq), 8, '0'))) AND t.kind = 4 "
                "WHERE");
    put_in(q, "c.envelope_id", r->set);
    buf_puts(q, " ORDER BY c.envelope_id, c.seq");
    enum err err = sql_send(s);
    return err == ERR_OK ? sql_stream(s, take_claim, r) : err;
}

enum err archive_read(struct desk *a, const struct id *after, int64_t sent_us, int64_t closed_us,
                      size_t claims_max, struct archive_set *set, archive_claim_fn *each,
                      void *context)
{
    struct mysql_store *s = desk_session(a);
    struct set_reading r = {.set = set, .each = each, .context = context};
    set->n = 0;
    enum err err = lock_envelopes(s, after, sent_us, closed_us, set);
    limit_claims(set, claims_max);
    if (err != ERR_OK || set->n == 0)
        return err;
    err = read_queues(s, &r);
    if (err == ERR_OK)
        err = read_transfers(s, &r);
    return err == ERR_OK ? read_claims(s, &r) : err;
}
