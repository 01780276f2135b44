/* Shared by the mysql_desk*.c files. */
#ifndef HONGBAO_STORE_MYSQL_DESK_H
#define HONGBAO_STORE_MYSQL_DESK_H

#include "lib/store/desk.h"
#include "lib/store/mysql_internal.h"

/* Return the session of d. */
struct mysql_store *desk_session(struct desk *d);

/* Send the text of s, which selects the members of an event up to text in their order, and call
 * each(context, ...) for every row. */
MUST_USE enum err desk_send_events(struct mysql_store *s, desk_event_fn *each, void *context);

#endif
