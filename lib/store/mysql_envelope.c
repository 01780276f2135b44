/* Envelopes as rows. Every statement is built from the table of members, so that a column is read
 * from the position at which it was selected. */
#include "lib/domain/envelope_members.h"
#include "lib/store/mysql_internal.h"
#include <string.h>

void sql_envelope_columns(struct buf *q, enum sql_seed seed)
{
    for (size_t i = 0; i < envelope_members_n; i++) {
        const struct envelope_member *m = &envelope_members[i];
        sql_comma(q, i == 0);
        if (m->kind == MEMBER_SEED && seed == SQL_SEED_SECRET) {
            buf_puts(q, "COALESCE(e.seed, s.seed)");
            continue;
        }
        buf_puts(q, "e.");
        buf_puts(q, m->column);
    }
}

static void envelope_member_take(struct sql_row *row, struct envelope *e,
                                 const struct envelope_member *m)
{
    void *at = envelope_member_of(e, m);
    switch (m->kind) {
    case MEMBER_USER:
    case MEMBER_TEXT:
        row_text(row, at, m->size);
        break;
    case MEMBER_SEED:
        e->has_seed = !row_null(row);
        row_bytes(row, at, m->size);
        break;
    case MEMBER_ID:
    case MEMBER_BYTES:
        row_bytes(row, at, m->size);
        break;
    default:
        envelope_member_set(e, m, row_i64(row));
    }
}

void envelope_take(struct sql_row *row, struct envelope *e)
{
    for (size_t i = 0; i < envelope_members_n; i++)
        envelope_member_take(row, e, &envelope_members[i]);
}

static void put_member(struct buf *q, const struct envelope *e, const struct envelope_member *m)
{
    const void *at = envelope_member_at(e, m);
    switch (m->kind) {
    case MEMBER_USER:
        sql_user(q, at);
        break;
    case MEMBER_TEXT:
        sql_text(q, at);
        break;
    case MEMBER_ID:
    case MEMBER_BYTES:
    case MEMBER_SEED:
        sql_bytes(q, at, m->size);
        break;
    default:
        buf_put_i64(q, envelope_member_number(e, m));
    }
}

/* The seed of an open envelope is in the table seed; frozen has a default. */
static bool is_inserted(const struct envelope_member *m)
{
    return m->kind != MEMBER_SEED && m->change != MEMBER_BY_OPERATOR;
}

void sql_envelope_insert(struct buf *q)
{
    bool first = true;
    buf_puts(q, "INSERT INTO envelope (");
    for (size_t i = 0; i < envelope_members_n; i++) {
        if (!is_inserted(&envelope_members[i]))
            continue;
        sql_comma(q, first);
        buf_puts(q, envelope_members[i].column);
        first = false;
    }
    buf_puts(q, ") VALUES ");
}

void sql_envelope_values(struct buf *q, const struct envelope *e)
{
    bool first = true;
    for (size_t i = 0; i < envelope_members_n; i++) {
        if (!is_inserted(&envelope_members[i]))
            continue;
        buf_putc(q, first ? '(' : ',');
        put_member(q, e, &envelope_members[i]);
        first = false;
    }
    buf_putc(q, ')');
}

/* Return true if the change of envelope i of set gives members of that kind a new value. */
static bool member_changes(const struct open_set *set, size_t i, enum member_change change)
{
    const struct envelope *e = &set->envelopes[i];
    if (!set->changed[i])
        return false;
    switch (change) {
    case MEMBER_EACH_CHANGE:
        return true;
    case MEMBER_EACH_OPEN:
        return e->opened_shares > set->opened_before[i];
    case MEMBER_NEW_LUCKIEST:
        return e->luckiest_seq > set->opened_before[i];
    case MEMBER_AT_CLOSE:
        return e->state != STATE_OPEN;
    default:
        return false;
    }
}

/* Append `column = CASE id WHEN .. THEN .. ELSE column END` for the envelopes in which m changes.
 * Return false, with nothing appended, if there is none. */
static bool put_changing(struct buf *q, const struct open_set *set, const struct envelope_member *m,
                         bool first)
{
    bool any = false;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!member_changes(set, i, m->change))
            continue;
        if (!any)
            buf_printf(q, "%s%s = CASE id", first ? " SET " : ", ", m->column);
        any = true;
        buf_puts(q, " WHEN ");
        sql_id(q, &set->ids[i]);
        buf_puts(q, " THEN ");
        put_member(q, &set->envelopes[i], m);
    }
    if (any)
        buf_printf(q, " ELSE %s END", m->column);
    return any;
}

/* One statement for all envelopes, with only the columns that change: a statement each costs the
 * server several times as much, and a join with a table of constants twice as much. The rows are
 * locked; the condition on state detects a bug before it moves money. */
size_t sql_envelopes_update(struct buf *q, const struct open_set *set)
{
    size_t n = 0;
    bool first = true;
    buf_puts(q, "UPDATE envelope FORCE INDEX (PRIMARY)");
    for (size_t i = 0; i < envelope_members_n; i++)
        first = !put_changing(q, set, &envelope_members[i], first) && first;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!set->changed[i])
            continue;
        buf_puts(q, n++ == 0 ? " WHERE state = 0 AND id IN (" : ",");
        sql_id(q, &set->ids[i]);
    }
    buf_putc(q, ')');
    return n;
}

void sql_closings(struct buf *q, const struct open_set *set, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!member_changes(set, i, MEMBER_AT_CLOSE))
            continue;
        buf_puts(q, (*n)++ == 0 ? "; DELETE FROM seed WHERE envelope_id IN (" : ",");
        sql_id(q, &set->ids[i]);
    }
    if (*n == 0)
        return;
    buf_puts(q, "); INSERT INTO closing (envelope_id) VALUES ");
    bool first = true;
    for (size_t i = 0; i < set->n_envelopes; i++) {
        if (!member_changes(set, i, MEMBER_AT_CLOSE))
            continue;
        buf_puts(q, first ? "(" : ",(");
        sql_id(q, &set->ids[i]);
        buf_putc(q, ')');
        first = false;
    }
}

enum err sql_closings_take(struct mysql_store *s, size_t n)
{
    enum err err = ERR_OK;
    for (int i = 0; i < 2 && n > 0 && err == ERR_OK; i++)
        err = sql_affected_exactly(s, n);
    return err;
}
