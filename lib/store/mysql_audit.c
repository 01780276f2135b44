/* The audited invariants as SQL. Each query returns the keys of the rows that violate its rule. */
#include "lib/store/audit.h"
#include "lib/store/mysql_internal.h"
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 3600

const struct audit_rule audit_rules[] = {
    {"envelope_sums", "total = opened + remaining + refunded, and nothing remains when closed"},
    {"shares_bounded", "no more shares opened than there are; sold out means all of them"},
    {"claims_match_envelope", "opened shares and sum are those of the claims"},
    {"seq_without_holes", "the claims of an envelope are numbered 1..n"},
    {"share_within_cap", "every share is from 1 fen to the envelope's cap"},
    {"send_transfer", "every envelope was paid for exactly once, in full, by its sender"},
    {"claim_credited_once", "every claim is either pending or credited, once, with its amount"},
    {"no_credit_without_claim", "every pending or credited amount has its claim"},
    {"refund_transfer", "what was refunded was transferred once, to the sender"},
    {"balance_is_postings", "every balance is the sum of its postings"},
    {"postings_sum_to_zero", "every transfer is well formed, and all postings sum to zero"},
    {"no_negative_balance", "no balance is negative"},
    {"entries_without_holes", "the transfers of an account are numbered 1..n in the order booked"},
    {"seed_only_while_open",
     "exactly the open envelopes have a secret seed, exactly the closed ones "
     "show theirs"},
    {"luckiest", "the luckiest has the largest share, the earliest of equals; none in equal mode"},
    {"idempotency_refs", "every idempotency key refers to an envelope or transfer"},
};
const size_t audit_rules_n = sizeof audit_rules / sizeof audit_rules[0];

struct audit_sql {
    const char *rows;  /* counts the rows that are checked */
    const char *wrong; /* returns column k: a key of each violation */
};

#define KEY(column) "LOWER(HEX(" column ")) AS k"

/* In the order of audit_rules. */
static const struct audit_sql queries[] = {
    {"SELECT COUNT(*) FROM envelope",
     "SELECT " KEY("id") " FROM envelope WHERE opened_fen < 0 OR refunded_fen < 0 OR "
                         "opened_fen + refunded_fen > total_fen OR (state <> 0 AND opened_fen + "
                         "refunded_fen <> "
                         "total_fen) OR (state = 0 AND (refunded_fen <> 0 OR total_fen - "
                         "opened_fen < shares - "
                         "opened_shares))"},
    {"SELECT COUNT(*) FROM envelope",
     "SELECT " KEY("id") " FROM envelope WHERE opened_shares < 0 OR opened_shares > shares OR "
                         "(state = 1) <> (opened_shares = shares) OR state NOT IN (0, 1, 2) OR "
                         "(state = 1 AND opened_fen <> total_fen)"},
    {"SELECT COUNT(*) FROM claim",
     "SELECT " KEY(
         "e.id") " FROM envelope e LEFT JOIN (SELECT envelope_id, COUNT(*) AS n, "
                 "SUM(amount_fen) AS fen FROM claim GROUP BY envelope_id) c ON c.envelope_id = "
                 "e.id WHERE "
                 "e.opened_shares <> COALESCE(c.n, 0) OR e.opened_fen <> COALESCE(c.fen, 0)"},
    {"SELECT COUNT(*) FROM claim",
     "SELECT " KEY("envelope_id") " FROM claim GROUP BY envelope_id HAVING MIN(seq) <> 1 OR "
                                  "MAX(seq) <> COUNT(*) OR COUNT(DISTINCT seq) <> COUNT(*) OR "
                                  "COUNT(DISTINCT user_id) <> COUNT(*)"},
    {"SELECT COUNT(*) FROM claim",
     "SELECT " KEY(
         "c.envelope_id") " FROM claim c LEFT JOIN envelope e ON e.id = c.envelope_id "
                          "WHERE e.id IS NULL OR c.amount_fen < 1 OR c.amount_fen > e.cap_fen"},
    {"SELECT COUNT(*) FROM transfer WHERE kind = 3",
     "SELECT " KEY(
         "e.id") " FROM envelope e LEFT JOIN transfer t ON t.ref = e.id AND t.kind = 3 "
                 "WHERE t.id IS NULL OR t.amount_fen <> e.total_fen OR t.user_id <> e.sender UNION "
                 "ALL "
                 "SELECT " KEY(
                     "t.ref") " FROM transfer t LEFT JOIN envelope e ON e.id = t.ref WHERE "
                              "t.kind = 3 AND e.id IS NULL"},
    {"SELECT COUNT(*) FROM claim",
     "SELECT " KEY("c.envelope_id") " FROM claim c LEFT JOIN credit p ON p.user_id = c.user_id AND "
                                    "p.envelope_id = c.envelope_id LEFT JOIN transfer t ON t.ref = "
                                    "CONCAT(c.envelope_id, "
                                    "UNHEX(LPAD(HEX(c.seq), 8, '0'))) AND t.kind = 4 WHERE "
                                    "(p.user_id IS NULL) = (t.id IS NULL) "
                                    "OR (p.user_id IS NOT NULL AND (p.amount_fen <> c.amount_fen "
                                    "OR p.seq <> c.seq)) OR "
                                    "(t.id IS NOT NULL AND (t.amount_fen <> c.amount_fen OR "
                                    "t.user_id <> c.user_id))"},
    {"SELECT (SELECT COUNT(*) FROM credit) + (SELECT COUNT(*) FROM transfer WHERE kind = 4)",
     "SELECT " KEY("p.envelope_id") " FROM credit p LEFT JOIN claim c ON c.envelope_id = "
                                    "p.envelope_id AND c.user_id = p.user_id WHERE c.user_id IS "
                                    "NULL UNION ALL "
                                    "SELECT " KEY("t.ref") " FROM transfer t LEFT JOIN claim c ON "
                                                           "c.envelope_id = LEFT(t.ref, 16) "
                                                           "AND c.user_id = t.user_id WHERE t.kind "
                                                           "= 4 AND c.user_id IS NULL"},
    {"SELECT COUNT(*) FROM envelope WHERE refunded_fen > 0",
     "SELECT " KEY(
         "e.id") " FROM envelope e LEFT JOIN transfer t ON t.ref = e.id AND t.kind = 5 "
                 "WHERE COALESCE(t.amount_fen, 0) <> e.refunded_fen OR (t.id IS NOT NULL AND "
                 "t.user_id <> e.sender) UNION ALL SELECT " KEY(
                     "t.ref") " FROM transfer t LEFT JOIN envelope e "
                              "ON e.id = t.ref WHERE t.kind = 5 AND e.id IS NULL"},
    {"SELECT COUNT(*) FROM account",
     "SELECT a.user_id AS k FROM account a LEFT JOIN (SELECT user_id, SUM(CASE WHEN kind IN (2, 3) "
     "THEN -amount_fen ELSE amount_fen END) AS fen FROM transfer GROUP BY user_id) p ON "
     "p.user_id = a.user_id WHERE a.balance_fen <> COALESCE(p.fen, 0) UNION ALL SELECT t.user_id "
     "AS k FROM transfer t LEFT JOIN account a ON "
     "a.user_id = t.user_id WHERE a.user_id IS NULL"},
    {"SELECT COUNT(*) FROM posting",
     "SELECT " KEY("id") " FROM transfer WHERE kind NOT IN (1, 2, 3, 4, 5) OR amount_fen < 1 OR "
                         "(kind IN (3, 5) AND LENGTH(ref) <> 16) OR (kind = 4 AND LENGTH(ref) <> "
                         "20) OR (kind IN (3, 4, 5) AND backend <> '') UNION ALL "
                         "SELECT 'all' AS k FROM (SELECT SUM(amount_fen) AS fen, COUNT(*) AS n "
                         "FROM posting) p WHERE "
                         "fen <> 0 OR n <> 2 * (SELECT COUNT(*) FROM transfer)"},
    {"SELECT COUNT(*) FROM account", "SELECT user_id AS k FROM account WHERE balance_fen < 0"},
    {"SELECT COUNT(*) FROM transfer",
     "SELECT a.user_id AS k FROM account a LEFT JOIN (SELECT user_id, COUNT(entry) AS n, "
     "MIN(entry) AS low, MAX(entry) AS high FROM transfer GROUP BY user_id) t ON "
     "t.user_id = a.user_id WHERE a.entries <> COALESCE(t.n, 0) OR t.low <> 1 OR "
     "t.high <> t.n"},
    {"SELECT COUNT(*) FROM envelope",
     "SELECT " KEY(
         "e.id") " FROM envelope e LEFT JOIN seed s ON s.envelope_id = e.id WHERE "
                 "(e.state = 0) <> (s.envelope_id IS NOT NULL) OR (e.state = 0) <> (e.seed IS "
                 "NULL) OR "
                 "(s.expires_us IS NOT NULL AND s.expires_us <> e.expires_us) UNION ALL "
                 "SELECT " KEY(
                     "s.envelope_id") " FROM seed s LEFT JOIN envelope e ON e.id = s.envelope_id "
                                      "WHERE e.id IS NULL"},
    {"SELECT COUNT(*) FROM envelope WHERE opened_shares > 0",
     "SELECT " KEY("e.id") " FROM envelope e JOIN (SELECT envelope_id, MAX(amount_fen) AS fen FROM "
                           "claim GROUP BY envelope_id) m ON m.envelope_id = e.id JOIN (SELECT "
                           "envelope_id, amount_fen, "
                           "MIN(seq) AS seq FROM claim GROUP BY envelope_id, amount_fen) f ON "
                           "f.envelope_id = e.id AND "
                           "f.amount_fen = m.fen WHERE (e.mode = 1 AND (e.luckiest_seq <> f.seq OR "
                           "e.luckiest_fen <> "
                           "m.fen)) OR (e.mode = 2 AND e.luckiest_seq <> 0)"},
    {"SELECT COUNT(*) FROM idempotency",
     "SELECT " KEY("i.key_hash") " FROM idempotency i LEFT JOIN envelope e ON e.id = i.ref "
                                 "LEFT JOIN (SELECT DISTINCT id FROM transfer WHERE kind IN (1, "
                                 "2)) t ON t.id = i.ref WHERE "
                                 "e.id IS NULL AND t.id IS NULL"},
};
_Static_assert(sizeof queries / sizeof queries[0] == sizeof audit_rules / sizeof audit_rules[0],
               "one query a rule");

struct audit_session {
    struct mysql_settings settings;
    struct store *store;
};

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

enum err audit_session_begin(struct audit_session *s)
{
    struct mysql_store *m = mysql_of(s->store);
    (void)sql_begin(m);
    sql_snapshot(m);
    return sql_run(m);
}

static void take_wrong(void *context, struct sql_row *row)
{
    struct audit_count *out = context;
    out->violations = row_i64(row);
    row_text(row, out->example, sizeof out->example);
}

enum err audit_session_check(struct audit_session *s, size_t rule, struct audit_count *out)
{
    struct mysql_store *m = mysql_of(s->store);
    memset(out, 0, sizeof *out);
    buf_printf(sql_begin(m), "%s; SELECT COUNT(*), MIN(k) FROM (%s) wrong", queries[rule].rows,
               queries[rule].wrong);
    enum err err = sql_send(m);
    if (err == ERR_OK)
        err = sql_rows(m, row_take_i64, &out->rows);
    return err == ERR_OK ? sql_rows(m, take_wrong, out) : err;
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
    if (id != NULL) {
        buf_puts(q, " AND e.id = ");
        sql_id(q, id);
    }
    buf_puts(q, " ORDER BY e.id, c.seq");
    enum err err = sql_send(m);
    return err == ERR_OK ? sql_stream(m, take_streamed, &stream) : err;
}
