/* Who asks: what a verified token says. Pure. */
#ifndef HONGBAO_DOMAIN_WHO_H
#define HONGBAO_DOMAIN_WHO_H

#include "lib/domain/limits.h"

struct who {
    char user[USER_SIZE]; /* of a wallet token: the back end's name */
    char name[NAME_SIZE]; /* the id where the token has none */
    bool wallet;          /* may move money in and out, and nothing else */
    size_t n_groups;
    char groups[GROUPS_MAX][USER_SIZE];
};

#endif
