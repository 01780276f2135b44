/* Reads of the auditor: one session of a user that can only read, with one consistent snapshot for
 * all reads. Used by one thread. Errors as in store.h. */
#ifndef HONGBAO_STORE_AUDIT_H
#define HONGBAO_STORE_AUDIT_H

#include "lib/base/clock.h"
#include "lib/domain/views.h"
#include "lib/store/mysql.h"

#define AUDIT_EXAMPLE_SIZE 96

struct audit_rule {
    const char *name;    /* stable, snake_case */
    const char *meaning; /* what is true of every row */
};
struct audit_count {
    int64_t rows;                     /* checked */
    int64_t violations;               /* found */
    char example[AUDIT_EXAMPLE_SIZE]; /* key of one violation; "" none */
};

struct audit_session;
/* Return a session with the credentials of settings, which is copied; the strings in it and clock
 * must outlive the session. Return NULL if there is no memory. */
struct audit_session *audit_session_open(const struct mysql_settings *settings,
                                         const struct clock *clock);
/* Close the connection of s and free it; s may be NULL. */
void audit_session_close(struct audit_session *s);
/* Take the snapshot that all later calls with s read. They check everything if since_us is 0, else
 * what happened since that time (UTC microseconds): the accounts with a transfer since, each from
 * its last top-up or withdrawal before, and all envelopes but those that had ended by then. key is
 * the archive's, of CARRIED_KEY_SIZE bytes, and must outlive the session; NULL: whatever is carried
 * counts as changed. */
MUST_USE enum err audit_session_begin(struct audit_session *s, int64_t since_us,
                                      const uint8_t *key);

/* The invariants that SQL can check. */
extern const struct audit_rule audit_rules[];
extern const size_t audit_rules_n;
/* Check audit_rules[rule] in the snapshot of s and fill *out. */
MUST_USE enum err audit_session_check(struct audit_session *s, size_t rule,
                                      struct audit_count *out);

/* Return false if audit_rules[rule] is not among what s checks. */
bool audit_session_checks(const struct audit_session *s, size_t rule);
/* Set *n to the number of rows and keys that the server has read for s. */
MUST_USE enum err audit_session_reads(struct audit_session *s, int64_t *n);

/* Process claim c of the closed envelope e; c is NULL for an envelope without claims. */
typedef void audit_claim_fn(void *context, const struct envelope *e, const struct claim *c);
/* Call each(context, ...) for the claims of envelope id, or of all envelopes that s checks if id is
 * NULL, that are closed, in order of envelope and seq, in the snapshot of s. Rows are processed as
 * they arrive. */
MUST_USE enum err audit_session_claims(struct audit_session *s, const struct id *id,
                                       audit_claim_fn *each, void *context);

#endif
