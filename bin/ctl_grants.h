/* The privileges that each database user should have, from grants.sql, and their comparison with
 * those that it has. */
#ifndef HONGBAO_BIN_CTL_GRANTS_H
#define HONGBAO_BIN_CTL_GRANTS_H

#include "lib/base/config.h"
#include "lib/store/admin.h"

#define GRANTS_MAX 128 /* privileges of one user */
#define GRANTS_USER_SIZE 160
#define GRANTS_ROLES 8
#define GRANTS_HOSTS 16

/* A role of grants.sql: its name and the option file of its user. */
struct grants_role {
    const char *name, *credentials;
};
/* Fill roles with those of *config. */
void grants_roles(const struct config *config, struct grants_role roles[GRANTS_ROLES]);
/* Write the name of the database user of role to out. */
void grants_user(const struct config *config, const char *role, char out[GRANTS_USER_SIZE]);
/* Write the hosts of *config that the users connect from to hosts and set *n to their number.
 * ERR_RANGE, after printing the reason, if one of them is none or they are too many. */
MUST_USE enum err grants_hosts(const struct config *config,
                               char hosts[GRANTS_HOSTS][ADMIN_HOST_SIZE], size_t *n);

/* The privileges that one user has too few or too many. */
struct grants_difference {
    size_t n_missing, n_surplus;
    struct privilege missing[GRANTS_MAX], surplus[GRANTS_MAX];
};
/* Compare over a the privileges of role's user at host with those in grants.sql of config->sql_dir,
 * and fill *out. ERR_FAULT, after printing the reason, if the file cannot be read; else as store.h.
 */
MUST_USE enum err grants_compare(struct admin *a, const struct config *config, const char *role,
                                 const char *host, struct grants_difference *out);
/* Grant over a to role's user at host, which exists, what grants.sql of config->sql_dir gives it
 * and it lacks; then, if revoke is true, revoke what it has too much. In this order a program that
 * runs is never refused. Errors as for grants_compare.
 */
MUST_USE enum err grants_apply(struct admin *a, const struct config *config, const char *role,
                               const char *host, bool revoke);

#endif
