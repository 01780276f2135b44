/* What hongbaoctl does to the database as a database administrator: create it, its users and its
 * tables. A struct admin is one session, used by one thread. Errors as in store.h. */
#ifndef HONGBAO_STORE_ADMIN_H
#define HONGBAO_STORE_ADMIN_H

#include "lib/base/clock.h"
#include "lib/store/mysql.h"

struct admin;
/* Return a session with no database selected; settings->database need not exist yet. *settings is
 * copied; the strings in it and clock must outlive the session. Return NULL if there is no memory.
 */
struct admin *admin_open(const struct mysql_settings *settings, const struct clock *clock);
/* Close the connection of a and free it; a may be NULL. */
void admin_close(struct admin *a);

/* Create the database name unless it exists. Here and below a name is 1..63 of A-Z a-z 0-9 _,
 * because it is not escaped; ERR_RANGE for any other. */
MUST_USE enum err admin_create_database(struct admin *a, const char *name);
/* Select the database name for the statements that follow. */
MUST_USE enum err admin_use(struct admin *a, const char *name);
/* Set *n to the number of tables in the database name. */
MUST_USE enum err admin_count_tables(struct admin *a, const char *name, int64_t *n);

#define ADMIN_HOST_SIZE 64
/* A user of the database: name and the host that it connects from, which may have wildcards
 * ("localhost", "10.0.0.%"). The host is 1..63 of A-Z a-z 0-9 . : % _ - /, else ERR_RANGE. */
struct admin_user {
    const char *name, *host;
};
/* Return true if host may be that of a user. */
bool admin_host_valid(const char *host);
/* Create *user unless it exists and let password, which is formed as a name is, be the only one
 * that it has. */
MUST_USE enum err admin_set_user(struct admin *a, const struct admin_user *user,
                                 const char *password);
/* Let *user connect with the password fresh and, until admin_set_user, with old, its password now.
 * Both are formed as a name is. */
MUST_USE enum err admin_add_password(struct admin *a, const struct admin_user *user,
                                     const char *old, const char *fresh);
/* Read the hosts of all users called name, at most limit, into hosts, and set *n to their number.
 */
MUST_USE enum err admin_user_hosts(struct admin *a, const char *name, char hosts[][ADMIN_HOST_SIZE],
                                   size_t limit, size_t *n);
/* Write to host that of the user as which the server admitted this session. */
MUST_USE enum err admin_own_host(struct admin *a, char host[ADMIN_HOST_SIZE]);
/* Grant privileges ("SELECT, INSERT") on table of database to *user. table may be "*". */
MUST_USE enum err admin_grant(struct admin *a, const char *database, const char *privileges,
                              const char *table, const struct admin_user *user);

#define PRIVILEGE_NAME_SIZE 65
/* One privilege of a user. */
struct privilege {
    char database[PRIVILEGE_NAME_SIZE]; /* "": all */
    char table[PRIVILEGE_NAME_SIZE];    /* "*": all */
    char column[PRIVILEGE_NAME_SIZE];   /* "": all */
    char name[PRIVILEGE_NAME_SIZE];     /* "SELECT", "GRANT OPTION" */
};
/* Read the privileges of *user, at most limit, into out, and set *n to their number, which is limit
 * if there may be more. A user without administrator's rights can read its own. */
MUST_USE enum err admin_privileges(struct admin *a, const struct admin_user *user,
                                   struct privilege *out, size_t limit, size_t *n);
/* Revoke *p, as admin_privileges read it, from *user. */
MUST_USE enum err admin_revoke(struct admin *a, const struct privilege *p,
                               const struct admin_user *user);

/* Create the table of applied patches unless it exists. */
MUST_USE enum err admin_prepare_patches(struct admin *a);
/* Set *applied if patch version has been applied. */
MUST_USE enum err admin_patch_applied(struct admin *a, int64_t version, bool *applied);
/* Set *above if a patch above version has been applied. */
MUST_USE enum err admin_patch_above(struct admin *a, int64_t version, bool *above);
/* Execute the statements of patch version and record it. oldest is the patch that programs must
 * know at least to work with the tables after it. On error *failed is the number of the statement
 * that failed, 1 for the first, and 0 if none did; those before it took effect. */
MUST_USE enum err admin_apply(struct admin *a, int64_t version, int64_t oldest,
                              const char *statements, size_t *failed);
/* Write what the server answered to the last statement that failed to out, which holds cap bytes:
 * number and text; "" if nothing is known. May quote a part of the statement. */
void admin_error(struct admin *a, char *out, size_t cap);
/* Store generation, if there is none yet or replace is true. */
MUST_USE enum err admin_set_generation(struct admin *a, const uint8_t generation[16], bool replace);
/* Read the generation of the selected database. */
MUST_USE enum err admin_generation(struct admin *a, uint8_t generation[16]);
/* Read the names of the hosts whose row was written within_us ago or later and has another
 * generation, at most limit, into hosts, and set *n to their number. */
MUST_USE enum err admin_hosts_behind(struct admin *a, const uint8_t generation[16],
                                     int64_t within_us, char hosts[][ADMIN_HOST_SIZE], size_t limit,
                                     size_t *n);
/* Read the server variable name into out, which holds cap bytes; "" if there is none of that name
 * or it does not fit. Needs no privilege. */
MUST_USE enum err admin_variable(struct admin *a, const char *name, char *out, size_t cap);
/* Set *claims to the number of claims in the selected database, an estimate of the server above a
 * million, and *bytes to the size of its tables and indexes. */
MUST_USE enum err admin_growth(struct admin *a, int64_t *claims, int64_t *bytes);
/* Execute a statement that does nothing, to test the connection. Needs no privilege. */
MUST_USE enum err admin_ping(struct admin *a);

#endif
