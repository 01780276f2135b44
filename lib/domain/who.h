/* The identity of a caller, from a verified token. Pure. */
#ifndef HONGBAO_DOMAIN_WHO_H
#define HONGBAO_DOMAIN_WHO_H

#include "lib/domain/limits.h"

struct who {
    char user[USER_SIZE]; /* of a wallet token: the name of the back end */
    char name[NAME_SIZE]; /* the id if the token has none */
    bool wallet;          /* may call top-ups and withdrawals, and nothing else */
    size_t n_groups;
    char groups[GROUPS_MAX][GROUP_SIZE];
};

#endif
