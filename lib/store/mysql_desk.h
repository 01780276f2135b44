/* Shared by mysql_desk.c and mysql_desk_books.c. */
#ifndef HONGBAO_STORE_MYSQL_DESK_H
#define HONGBAO_STORE_MYSQL_DESK_H

#include "lib/store/desk.h"
#include "lib/store/mysql_internal.h"

/* Return the session of d. */
struct mysql_store *desk_session(struct desk *d);

#endif
