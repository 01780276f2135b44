/* What an administrator does to the database: hongbaoctl's. One session; as a database
 * administrator unless said otherwise. Errors as in store.h. */
#ifndef HONGBAO_STORE_ADMIN_H
#define HONGBAO_STORE_ADMIN_H

#include "lib/base/clock.h"
#include "lib/store/mysql.h"

struct admin;
/* settings->database may name one that does not exist yet: it is selected by admin_use. NULL: no
 * memory. */
struct admin *admin_open(const struct mysql_settings *settings, const struct clock *clock);
void admin_close(struct admin *a);

/* name: 1..63 of a-z 0-9 _ (asserted). Nothing happens if it exists. */
MUST_USE enum err admin_create_database(struct admin *a, const char *name);
MUST_USE enum err admin_use(struct admin *a, const char *name);
/* Creates user@localhost if need be and gives it that password (of ASCII letters and digits). */
MUST_USE enum err admin_set_user(struct admin *a, const char *user, const char *password);
/* Takes all rights of user away, then grants: each is "PRIVILEGES ON table". */
MUST_USE enum err admin_revoke_all(struct admin *a, const char *user);
MUST_USE enum err admin_grant(struct admin *a, const char *database, const char *privileges,
                              const char *table, const char *user);

/* The highest patch applied; 0 before the first. Creates the table of versions. */
MUST_USE enum err admin_schema_version(struct admin *a, int64_t *version);
/* Runs the statements of a patch and records its version. */
MUST_USE enum err admin_apply(struct admin *a, int64_t version, const char *statements);
/* Sets the generation; with replace false only if there is none. */
MUST_USE enum err admin_set_generation(struct admin *a, const uint8_t generation[16], bool replace);
MUST_USE enum err admin_generation(struct admin *a, uint8_t generation[16]);
/* Any session. The value of a server variable, "" if there is none of that name. */
MUST_USE enum err admin_variable(struct admin *a, const char *name, char *out, size_t cap);
/* Any session. Does it answer at all? */
MUST_USE enum err admin_ping(struct admin *a);

#endif
