/* The rules of single users, as this process last read them: which users are blocked, and limits
 * that differ from the settings. There are few, so each process keeps all of them in memory, and an
 * operator's change holds everywhere within a second or two. Thread-safe. */
#ifndef HONGBAO_SERVICE_COMMON_USER_RULES_H
#define HONGBAO_SERVICE_COMMON_USER_RULES_H

#include "lib/store/store.h"

struct user_rules;

/* Create an empty table. Return NULL if out of memory. */
struct user_rules *user_rules_new(void);
/* Free r, which may be NULL. */
void user_rules_free(struct user_rules *r);

/* Read all rules over store and replace those in r. Errors as in store.h; then r keeps what it has.
 * Leaves no transaction open. */
MUST_USE enum err user_rules_refresh(struct user_rules *r, struct store *store);

/* Return true if user is blocked. r may be NULL: no rules. */
bool user_rules_blocked(struct user_rules *r, const char *user);
/* Return the largest sum that user may send a day: its own limit, or limit_fen if it has none. r
 * may be NULL. */
int64_t user_rules_sent_per_day(struct user_rules *r, const char *user, int64_t limit_fen);

#endif
