/* The audited invariants as SQL. Each query returns the keys of the rows that violate its rule. */
#include "lib/store/mysql_audit.h"
#include <string.h>

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
    [AUDIT_RULE_BALANCES] = {"balance_is_postings", "every balance is the sum of its postings"},
    {"postings_sum_to_zero", "every transfer is well formed, and all postings sum to zero"},
    {"no_negative_balance", "no balance is negative"},
    [AUDIT_RULE_ENTRIES] = {"entries_without_holes",
                            "the transfers of an account are numbered 1..n in the order booked"},
    {"seed_only_while_open",
     "exactly the open envelopes have a secret seed, exactly the closed ones "
     "show theirs"},
    {"luckiest", "the luckiest has the largest share, the earliest of equals; none in equal mode"},
    {"idempotency_refs", "every idempotency key refers to an envelope or transfer"},
    {"archived_gone", "nothing of an archived envelope is left in the database"},
    {"archived_in_file", "every archived envelope is counted by its file, and no other"},
    {"carried_in_file", "what is carried has the counts and sums of the files, which sum to zero"},
    [AUDIT_RULE_SEALS] = {"carried_sealed",
                          "no carried balance, and no row of a file, was changed"},
};
const size_t audit_rules_n = sizeof audit_rules / sizeof audit_rules[0];

#define KEY(column) "LOWER(HEX(" column ")) AS k"
#define TRANSFERS_WRONG                                                                            \
    "SELECT " KEY("t.id") " FROM {t} t WHERE t.kind NOT IN (1, 2, 3, 4, 5) OR t.amount_fen < 1 "   \
                          "OR (t.kind IN (3, 5) AND LENGTH(t.ref) <> 16) "                         \
                          "OR (t.kind = 4 AND LENGTH(t.ref) <> 20) "                               \
                          "OR (t.kind IN (3, 4, 5) AND t.backend <> '')"

/* clang-format off */
const struct audit_sql audit_queries[] = {
    /* envelope_sums */
    {"SELECT COUNT(*) FROM {e} e",
     "SELECT " KEY("e.id") " FROM {e} e WHERE e.opened_fen < 0 OR e.refunded_fen < 0 "
     "OR e.opened_fen + e.refunded_fen > e.total_fen "
     "OR (e.state <> 0 AND e.opened_fen + e.refunded_fen <> e.total_fen) "
     "OR (e.state = 0 AND (e.refunded_fen <> 0 "
     "OR e.total_fen - e.opened_fen < e.shares - e.opened_shares))", NULL},
    /* shares_bounded */
    {"SELECT COUNT(*) FROM {e} e",
     "SELECT " KEY("e.id") " FROM {e} e WHERE e.opened_shares < 0 OR e.opened_shares > e.shares "
     "OR (e.state = 1) <> (e.opened_shares = e.shares) OR e.state NOT IN (0, 1, 2) "
     "OR (e.state = 1 AND e.opened_fen <> e.total_fen)", NULL},
    /* claims_match_envelope */
    {"SELECT COUNT(*) FROM {c} c",
     "SELECT " KEY("e.id") " FROM {e} e LEFT JOIN (SELECT c.envelope_id, COUNT(*) AS n, "
     "SUM(c.amount_fen) AS fen FROM {c} c GROUP BY c.envelope_id) s ON s.envelope_id = e.id "
     "WHERE e.opened_shares <> COALESCE(s.n, 0) OR e.opened_fen <> COALESCE(s.fen, 0)", NULL},
    /* seq_without_holes */
    {"SELECT COUNT(*) FROM {c} c",
     "SELECT " KEY("c.envelope_id") " FROM {c} c GROUP BY c.envelope_id HAVING MIN(c.seq) <> 1 "
     "OR MAX(c.seq) <> COUNT(*) OR COUNT(DISTINCT c.seq) <> COUNT(*) "
     "OR COUNT(DISTINCT c.user_id) <> COUNT(*)", NULL},
    /* share_within_cap */
    {"SELECT COUNT(*) FROM {c} c",
     "SELECT " KEY("c.envelope_id") " FROM {c} c LEFT JOIN envelope e ON e.id = c.envelope_id "
     "WHERE e.id IS NULL OR c.amount_fen < 1 OR c.amount_fen > e.cap_fen", NULL},
    /* send_transfer */
    {"SELECT COUNT(*) FROM {t} t WHERE t.kind = 3",
     "SELECT " KEY("e.id") " FROM {e} e LEFT JOIN transfer t ON t.ref = e.id AND t.kind = 3 "
     "WHERE t.id IS NULL OR t.amount_fen <> e.total_fen OR t.user_id <> e.sender UNION ALL "
     "SELECT " KEY("t.ref") " FROM {t} t LEFT JOIN envelope e ON e.id = t.ref "
     "WHERE t.kind = 3 AND e.id IS NULL", NULL},
    /* claim_credited_once */
    {"SELECT COUNT(*) FROM {c} c",
     "SELECT " KEY("c.envelope_id") " FROM {c} c LEFT JOIN credit p ON p.user_id = c.user_id "
     "AND p.envelope_id = c.envelope_id LEFT JOIN transfer t "
     "ON t.ref = CONCAT(c.envelope_id, UNHEX(LPAD(HEX(c.seq), 8, '0'))) AND t.kind = 4 "
     "WHERE (p.user_id IS NULL) = (t.id IS NULL) "
     "OR (p.user_id IS NOT NULL AND (p.amount_fen <> c.amount_fen OR p.seq <> c.seq)) "
     "OR (t.id IS NOT NULL AND (t.amount_fen <> c.amount_fen OR t.user_id <> c.user_id))", NULL},
    /* no_credit_without_claim */
    {"SELECT (SELECT COUNT(*) FROM credit) + (SELECT COUNT(*) FROM {t} t WHERE t.kind = 4)",
     "SELECT " KEY("p.envelope_id") " FROM credit p LEFT JOIN claim c "
     "ON c.envelope_id = p.envelope_id AND c.user_id = p.user_id WHERE c.user_id IS NULL "
     "UNION ALL SELECT " KEY("t.ref") " FROM {t} t LEFT JOIN claim c "
     "ON c.envelope_id = LEFT(t.ref, 16) AND c.user_id = t.user_id "
     "WHERE t.kind = 4 AND c.user_id IS NULL", NULL},
    /* refund_transfer */
    {"SELECT COUNT(*) FROM {e} e WHERE e.refunded_fen > 0",
     "SELECT " KEY("e.id") " FROM {e} e LEFT JOIN transfer t ON t.ref = e.id AND t.kind = 5 "
     "WHERE COALESCE(t.amount_fen, 0) <> e.refunded_fen "
     "OR (t.id IS NOT NULL AND t.user_id <> e.sender) "
     "UNION ALL SELECT " KEY("t.ref") " FROM {t} t LEFT JOIN envelope e ON e.id = t.ref "
     "WHERE t.kind = 5 AND e.id IS NULL", NULL},
    /* balance_is_postings */
    {"SELECT COUNT(*) FROM account",
     "SELECT a.user_id AS k FROM account a LEFT JOIN (SELECT b.user_id, SUM(b.fen) AS fen FROM "
     "(SELECT user_id, SUM(CASE WHEN kind IN (2, 3) THEN -amount_fen ELSE amount_fen END) AS fen "
     "FROM transfer GROUP BY user_id UNION ALL "
     "SELECT user_id, SUM(claim_fen + refund_fen - send_fen) FROM carried GROUP BY user_id) b "
     "GROUP BY b.user_id) p ON p.user_id = a.user_id WHERE a.balance_fen <> COALESCE(p.fen, 0) "
     "UNION ALL SELECT t.user_id AS k FROM {t} t LEFT JOIN account a ON a.user_id = t.user_id "
     "WHERE a.user_id IS NULL UNION ALL SELECT c.user_id AS k FROM carried c LEFT JOIN account a "
     "ON a.user_id = c.user_id WHERE a.user_id IS NULL",
     "SELECT t.user_id AS k FROM {t} t LEFT JOIN account a ON a.user_id = t.user_id "
     "WHERE a.user_id IS NULL"},
    /* postings_sum_to_zero */
    {"SELECT 2 * COUNT(*) FROM {t} t",
     TRANSFERS_WRONG " UNION ALL SELECT 'all' AS k FROM (SELECT SUM(amount_fen) AS fen, "
     "COUNT(*) AS n FROM posting) p WHERE fen <> 0 OR n <> 2 * (SELECT COUNT(*) FROM transfer)",
     TRANSFERS_WRONG},
    /* no_negative_balance */
    {"SELECT COUNT(*) FROM account", "SELECT user_id AS k FROM account WHERE balance_fen < 0", NULL},
    /* entries_without_holes */
    {"SELECT COUNT(*) FROM transfer",
     "SELECT a.user_id AS k FROM account a LEFT JOIN (SELECT b.user_id, SUM(b.n) AS n, "
     "MIN(b.low) AS low, MAX(b.high) AS high, SUM(b.total) AS total FROM (SELECT user_id, "
     "COUNT(entry) AS n, MIN(entry) AS low, MAX(entry) AS high, SUM(entry) AS total FROM transfer "
     "GROUP BY user_id UNION ALL SELECT user_id, SUM(sends + claims + refunds), MIN(first_entry), "
     "MAX(last_entry), SUM(entry_sum) FROM carried GROUP BY user_id) b GROUP BY b.user_id) t "
     "ON t.user_id = a.user_id WHERE a.entries <> COALESCE(t.n, 0) OR t.low <> 1 "
     "OR t.high <> t.n OR 2 * t.total <> t.n * (t.n + 1)", ""},
    /* seed_only_while_open */
    {"SELECT COUNT(*) FROM {e} e",
     "SELECT " KEY("e.id") " FROM {e} e LEFT JOIN seed s ON s.envelope_id = e.id "
     "WHERE (e.state = 0) <> (s.envelope_id IS NOT NULL) OR (e.state = 0) <> (e.seed IS NULL) "
     "OR (s.expires_us IS NOT NULL AND s.expires_us <> e.expires_us) "
     "UNION ALL SELECT " KEY("s.envelope_id") " FROM seed s "
     "LEFT JOIN envelope e ON e.id = s.envelope_id WHERE e.id IS NULL", NULL},
    /* luckiest */
    {"SELECT COUNT(*) FROM {e} e WHERE e.opened_shares > 0",
     "SELECT " KEY("e.id") " FROM {e} e JOIN (SELECT c.envelope_id, MAX(c.amount_fen) AS fen "
     "FROM {c} c GROUP BY c.envelope_id) m ON m.envelope_id = e.id "
     "JOIN (SELECT c.envelope_id, c.amount_fen, MIN(c.seq) AS seq FROM {c} c "
     "GROUP BY c.envelope_id, c.amount_fen) f ON f.envelope_id = e.id AND f.amount_fen = m.fen "
     "WHERE (e.mode = 1 AND (e.luckiest_seq <> f.seq OR e.luckiest_fen <> m.fen)) "
     "OR (e.mode = 2 AND e.luckiest_seq <> 0)", NULL},
    /* idempotency_refs */
    {"SELECT COUNT(*) FROM idempotency i",
     "SELECT " KEY("i.key_hash") " FROM idempotency i LEFT JOIN envelope e ON e.id = i.ref LEFT JOIN "
     "(SELECT DISTINCT id FROM transfer WHERE kind IN (1, 2)) t ON t.id = i.ref "
     "WHERE e.id IS NULL AND t.id IS NULL",
     ""},
    /* archived_gone */
    {"SELECT COUNT(*) FROM archived",
     "SELECT " KEY("a.envelope_id") " FROM archived a JOIN envelope e ON e.id = a.envelope_id "
     "UNION ALL SELECT " KEY("a.envelope_id") " FROM archived a JOIN claim c "
     "ON c.envelope_id = a.envelope_id", ""},
    /* archived_in_file */
    {"SELECT COUNT(*) FROM archived",
     "SELECT CONCAT('file ', f.number) AS k FROM archive f LEFT JOIN (SELECT number, "
     "COUNT(*) AS n FROM archived GROUP BY number) a ON a.number = f.number "
     "WHERE f.envelopes <> COALESCE(a.n, 0) UNION ALL SELECT " KEY("a.envelope_id")
     " FROM archived a LEFT JOIN archive f ON f.number = a.number WHERE f.number IS NULL", ""},
    /* carried_in_file */
    {"SELECT COUNT(*) FROM carried",
     "SELECT 'all' AS k FROM (SELECT COALESCE(SUM(sends), 0) AS sends, "
     "COALESCE(SUM(claims), 0) AS claims, COALESCE(SUM(sends + claims + refunds), 0) AS n, "
     "COALESCE(SUM(send_fen), 0) AS sent, COALESCE(SUM(claim_fen + refund_fen), 0) AS back "
     "FROM carried) c JOIN (SELECT SUM(envelopes) AS sends, SUM(claims) AS claims, "
     "SUM(transfers) AS n, SUM(sent_fen) AS sent FROM archive) f ON c.sends <> f.sends "
     "OR c.claims <> f.claims OR c.n <> f.n OR c.sent <> f.sent OR c.sent <> c.back", ""},
    /* carried_sealed: computed, not queried */
    {"", "", NULL},
};
/* clang-format on */
_Static_assert(sizeof audit_queries / sizeof audit_queries[0] ==
                   sizeof audit_rules / sizeof audit_rules[0],
               "one query a rule");
