/* Shared by the mysql_audit*.c files. */
#ifndef HONGBAO_STORE_MYSQL_AUDIT_H
#define HONGBAO_STORE_MYSQL_AUDIT_H

#include "lib/domain/carried.h"
#include "lib/store/audit.h"
#include "lib/store/mysql_internal.h"

struct audit_session {
    struct mysql_settings settings;
    struct store *store;
    int64_t since_us;   /* 0: everything is checked */
    struct id since;    /* the smallest id of an envelope that is checked */
    const uint8_t *key; /* of the archive; NULL: none */
    bool accounts_checked;
    /* of the accounts that changed, once checked */
    struct audit_count balances, entries, seals;
};

/* The SQL of one rule. A table in braces is a scope: {e} envelope, {c} claim, {t} transfer: it is
 * the whole table or, in an audit of what happened since a time, its rows of the envelopes that can
 * have changed; {t} then has no top-ups and withdrawals. An alias follows. */
struct audit_sql {
    const char *rows;  /* counts the rows that are checked */
    const char *wrong; /* returns column k: a key of each violation */
    const char *since; /* in place of wrong since a time; NULL: wrong; "": not checked then */
};
/* In the order of audit_rules. */
extern const struct audit_sql audit_queries[];
/* The rules that are checked account by account since a time: places in audit_rules. */
#define AUDIT_RULE_BALANCES 9
#define AUDIT_RULE_ENTRIES 12
#define AUDIT_RULE_SEALS 19

/* Append text to q, with each scope of s filled in. */
void audit_put_scoped(struct buf *q, const struct audit_session *s, const char *text);
/* Check balance, entries and carried rows of each account that changed since s->since_us, and fill
 * s->balances, s->entries and s->seals. */
MUST_USE enum err audit_check_accounts(struct audit_session *s);
/* Check every carried row and row of a file, and fill s->seals. */
MUST_USE enum err audit_check_seals(struct audit_session *s);
/* Count the carried row c in s->seals. */
void audit_count_seal(struct audit_session *s, const struct carried *c);

#endif
