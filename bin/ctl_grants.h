/* The privileges that each database user should have, from grants.sql, and their comparison with
 * those that it has. */
#ifndef HONGBAO_BIN_CTL_GRANTS_H
#define HONGBAO_BIN_CTL_GRANTS_H

#include "lib/base/config.h"
#include "lib/store/admin.h"

#define GRANTS_MAX 128 /* privileges of one user */
#define GRANTS_USER_SIZE 160
#define GRANTS_ROLES 8

/* A role of grants.sql: its name and the option file of its user. */
struct grants_role {
    const char *name, *credentials;
};
/* Fill roles with those of *config. */
void grants_roles(const struct config *config, struct grants_role roles[GRANTS_ROLES]);
/* Write the name of the database user of role to out. */
void grants_user(const struct config *config, const char *role, char out[GRANTS_USER_SIZE]);

/* The privileges that one user has too few or too many. */
struct grants_difference {
    size_t n_missing, n_surplus;
    struct privilege missing[GRANTS_MAX], surplus[GRANTS_MAX];
};
/* Compare over a the privileges of role's user with those in grants.sql of config->sql_dir, and
 * fill *out. ERR_FAULT, after printing the reason, if the file cannot be read; else as store.h. */
MUST_USE enum err grants_compare(struct admin *a, const struct config *config, const char *role,
                                 struct grants_difference *out);
/* Grant over a to role's user, which exists, what grants.sql of config->sql_dir gives it and it
 * lacks; then, if revoke is true, revoke what it has too much. In this order a program that runs is
 * never refused. Errors as for grants_compare.
 */
MUST_USE enum err grants_apply(struct admin *a, const struct config *config, const char *role,
                               bool revoke);

#endif
