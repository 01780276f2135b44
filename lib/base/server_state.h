/* What one process knows of a server that it depends on: whether it answers and, if not, why. Each
 * change of state is logged once, with the server's own error number and text, and every failure is
 * counted, so that an outage leaves two lines in the log instead of one per request. Thread-safe.
 */
#ifndef HONGBAO_BASE_SERVER_STATE_H
#define HONGBAO_BASE_SERVER_STATE_H

#include "lib/base/clock.h"
#include "lib/base/metrics.h"

enum server_trouble {
    SERVER_WORKS,
    SERVER_UNREACHABLE,          /* no connection, or it broke or timed out */
    SERVER_REFUSED,              /* wrong user, password or privileges; no such database or table */
    SERVER_READ_ONLY,            /* it reads, and writes nothing */
    SERVER_TOO_MANY_CONNECTIONS, /* it accepts no further connection */
    SERVER_DISK_FULL,            /* it has no room for what is written */
    SERVER_ERROR,                /* any other error */
    SERVER_TROUBLES
};

struct server_state;

/* Create the state of a server that works. server begins the names of its events, such as
 * "database" for database_unreachable and database_recovered; NULL: log nothing. counters is the
 * metric of the first trouble in the order of enum server_trouble, after which those of the others
 * follow; METRIC_COUNT: do not count, and metrics may be NULL. server, clock and metrics must
 * outlive the state. Return NULL if out of memory. */
struct server_state *server_state_new(const char *server, const struct clock *clock,
                                      struct metrics *metrics, enum metric counters);
/* Free s, which may be NULL. */
void server_state_free(struct server_state *s);

/* Count a failure, and log it as `server`_`trouble` if it changes the state of s. number is the
 * server's error number and text its message, which must quote no value of a statement. s may be
 * NULL: nothing is done. */
void server_state_failed(struct server_state *s, enum server_trouble trouble, unsigned number,
                         const char *text);
/* Note that the server has answered; wrote: it committed a change. Log `server`_recovered if that
 * ends a trouble: the last failure lies far enough back, and a server that was read-only has
 * written. s may be NULL. */
void server_state_answered(struct server_state *s, bool wrote);
/* Log `server`_changed: name is the server that is used from now on. s may be NULL. */
void server_state_changed(const struct server_state *s, const char *name);
/* Write the last failure of s to out, which holds cap bytes, as "error NUMBER: TEXT"; "" if there
 * was none or if s is NULL. */
void server_state_text(struct server_state *s, char *out, size_t cap);

#endif
