/* The auditor's session: one snapshot, in which each rule is a query. An audit of what happened
 * since a time reads the envelopes that can have changed, and the accounts that did. */
#include "lib/store/mysql_audit.h"
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 3600

struct audit_session *audit_session_open(const struct mysql_settings *settings,
                                         const struct clock *clock)
{
    struct audit_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->settings = *settings;
    s->settings.timeout_s = TIMEOUT_S;
    s->store = mysql_store_new(&s->settings, clock);
    if (s->store == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void audit_session_close(struct audit_session *s)
{
    if (s != NULL)
        s->store->ops->close(s->store);
    free(s);
}

/* An envelope that changed since a time was open then, or sent later. */
static struct id first_changed(int64_t since_us)
{
    return id_floor(since_us - EXPIRES_LIMIT_S * US_PER_S);
}

enum err audit_session_begin(struct audit_session *s, int64_t since_us, const uint8_t *key)
{
    struct mysql_store *m = mysql_of(s->store);
    s->since_us = since_us;
    s->since = first_changed(since_us);
    s->accounts_checked = false;
    s->key = key;
    (void)sql_begin(m);
    sql_snapshot(m);
    return sql_run(m);
}

void audit_put_scoped(struct buf *q, const struct audit_session *s, const char *text)
{
    static const struct {
        const char *name, *table, *key, *rest;
    } scopes[] = {{"{e}", "envelope", "id", ""},
                  {"{c}", "claim", "envelope_id", ""},
                  /* the text of a reference is above every id */
                  {"{t}", "transfer", "ref", " AND ref < X'20'"}};
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < sizeof scopes / sizeof scopes[0] && strncmp(text, scopes[i].name, 3) != 0)
            i++;
        if (i == sizeof scopes / sizeof scopes[0]) {
            buf_putc(q, *text);
            continue;
        }
        text += 2;
        if (s->since_us == 0) {
            buf_puts(q, scopes[i].table);
            continue;
        }
        buf_printf(q, "(SELECT * FROM %s WHERE %s >= ", scopes[i].table, scopes[i].key);
        sql_id(q, &s->since);
        buf_printf(q, "%s)", scopes[i].rest);
    }
}

static void take_wrong(void *context, struct sql_row *row)
{
    struct audit_count *out = context;
    out->violations = row_i64(row);
    row_text(row, out->example, sizeof out->example);
}

static enum err check_query(struct audit_session *s, const char *rows, const char *wrong,
                            struct audit_count *out)
{
    struct mysql_store *m = mysql_of(s->store);
    struct buf *q = sql_begin(m);
    audit_put_scoped(q, s, rows);
    buf_puts(q, "; SELECT COUNT(*), MIN(k) FROM (");
    audit_put_scoped(q, s, wrong);
    buf_puts(q, ") wrong");
    enum err err = sql_send(m);
    if (err == ERR_OK)
        err = sql_rows(m, row_take_i64, &out->rows);
    return err == ERR_OK ? sql_rows(m, take_wrong, out) : err;
}

static void add_count(struct audit_count *out, const struct audit_count *more)
{
    out->rows = more->rows;
    if (out->violations == 0)
        memcpy(out->example, more->example, sizeof out->example);
    out->violations += more->violations;
}

/* Return what was found account by account for rule; NULL: it is a query alone. */
static const struct audit_count *computed(const struct audit_session *s, size_t rule)
{
    if (rule == AUDIT_RULE_SEALS)
        return &s->seals;
    if (s->since_us == 0)
        return NULL;
    return rule == AUDIT_RULE_BALANCES  ? &s->balances
           : rule == AUDIT_RULE_ENTRIES ? &s->entries
                                        : NULL;
}

enum err audit_session_check(struct audit_session *s, size_t rule, struct audit_count *out)
{
    const struct audit_sql *query = &audit_queries[rule];
    const char *wrong = s->since_us != 0 && query->since != NULL ? query->since : query->wrong;
    const struct audit_count *more = computed(s, rule);
    enum err err = ERR_OK;
    memset(out, 0, sizeof *out);
    if (wrong[0] != '\0')
        err = check_query(s, query->rows, wrong, out);
    if (err == ERR_OK && more != NULL && s->since_us != 0 && !s->accounts_checked)
        err = audit_check_accounts(s);
    else if (err == ERR_OK && more != NULL && s->since_us == 0)
        err = audit_check_seals(s);
    if (err == ERR_OK && more != NULL)
        add_count(out, more);
    return err;
}

bool audit_session_checks(const struct audit_session *s, size_t rule)
{
    const char *since = audit_queries[rule].since;
    bool by_account = rule == AUDIT_RULE_ENTRIES;
    return s->since_us == 0 || since == NULL || since[0] != '\0' || by_account;
}

static void add_reads(void *context, struct sql_row *row)
{
    row->at++; /* the name */
    *(int64_t *)context += row_i64(row);
}

enum err audit_session_reads(struct audit_session *s, int64_t *n)
{
    struct mysql_store *m = mysql_of(s->store);
    *n = 0;
    buf_puts(sql_begin(m), "SHOW SESSION STATUS LIKE 'Handler\\_read%'");
    enum err err = sql_send(m);
    return err == ERR_OK ? sql_rows(m, add_reads, n) : err;
}

struct claim_stream {
    audit_claim_fn *each;
    void *context;
};

static void take_streamed(void *context, struct sql_row *row)
{
    struct claim_stream *stream = context;
    struct envelope e;
    struct claim c;
    envelope_take(row, &e);
    bool no_claim = row_null(row);
    c.envelope = e.id;
    c.seq = row_i64(row);
    c.amount_fen = row_i64(row);
    row_text(row, c.user, sizeof c.user);
    c.name[0] = '\0';
    c.opened_us = row_i64(row);
    stream->each(stream->context, &e, no_claim ? NULL : &c);
}

enum err audit_session_claims(struct audit_session *s, const struct id *id, audit_claim_fn *each,
                              void *context)
{
    struct mysql_store *m = mysql_of(s->store);
    struct buf *q = sql_begin(m);
    struct claim_stream stream = {each, context};
    buf_puts(q, "SELECT ");
    sql_envelope_columns(q, SQL_SEED_PUBLIC);
    buf_puts(q, ", c.seq, c.amount_fen, c.user_id, c.opened_us FROM envelope e "
                "LEFT JOIN claim c ON c.envelope_id = e.id WHERE e.state <> 0");
    if (id == NULL && s->since_us != 0) {
        buf_puts(q, " AND e.id >= ");
        sql_id(q, &s->since);
    }
    if (id != NULL) {
        buf_puts(q, " AND e.id = ");
        sql_id(q, id);
    }
    buf_puts(q, " ORDER BY e.id, c.seq");
    enum err err = sql_send(m);
    return err == ERR_OK ? sql_stream(m, take_streamed, &stream) : err;
}
