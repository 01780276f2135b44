/* The auditor's reads: one session as a user that can only read, one consistent snapshot for all of
 * them. Errors as in store.h. */
#ifndef HONGBAO_STORE_AUDIT_H
#define HONGBAO_STORE_AUDIT_H

#include "lib/base/clock.h"
#include "lib/domain/views.h"
#include "lib/store/mysql.h"

#define AUDIT_EXAMPLE_SIZE 96

/* An invariant that SQL can check: rows that break it, if any. */
struct audit_rule {
    const char *name;    /* stable, snake_case */
    const char *meaning; /* what is true of every row */
};
struct audit_count {
    int64_t rows;                     /* read */
    int64_t violations;               /* found */
    char example[AUDIT_EXAMPLE_SIZE]; /* one of them; "" none */
};

struct audit_session;
/* settings name the credentials of the auditor. NULL: no memory. */
struct audit_session *audit_session_open(const struct mysql_settings *settings,
                                         const struct clock *clock);
void audit_session_close(struct audit_session *s);
/* Takes the snapshot that all later calls read. */
MUST_USE enum err audit_session_begin(struct audit_session *s);

extern const struct audit_rule audit_rules[];
extern const size_t audit_rules_n;
/* Checks audit_rules[rule]. */
MUST_USE enum err audit_session_check(struct audit_session *s, size_t rule,
                                      struct audit_count *out);

/* One claim of a closed envelope, or, with c NULL, a closed envelope without claims. */
typedef void audit_claim_fn(void *context, const struct envelope *e, const struct claim *c);
/* Streams the claims of all closed envelopes (id NULL), or of one, by envelope and seq. */
MUST_USE enum err audit_session_claims(struct audit_session *s, const struct id *id,
                                       audit_claim_fn *each, void *context);

#endif
