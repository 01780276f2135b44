/* The primary on libmariadb/libmysqlclient: opens sessions that fulfil store.h. The mysql_*.c files
 * of this folder are the only users of the client library; mysql_internal.h is theirs alone. */
#ifndef HONGBAO_STORE_MYSQL_H
#define HONGBAO_STORE_MYSQL_H

#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/store/store.h"

struct mysql_settings {
    const char *socket; /* "" : host and port */
    const char *host;
    unsigned port;
    const char *database;    /* "" : none selected */
    const char *credentials; /* option file, group [client] */
    unsigned timeout_s;      /* connect, read, write */
    unsigned lock_wait_s;
};

/* Once per process, before threads. */
MUST_USE enum err mysql_start(void);
/* A session that connects at its first use, and again after it was lost, never in mid-transaction.
 * Each new connection sets READ COMMITTED, STRICT_ALL_TABLES, time_zone +00:00, utf8mb4, the lock
 * wait, autocommit on, multi-statements on. NULL: no memory. The settings must outlive it. */
struct store *mysql_store_new(const struct mysql_settings *settings, const struct clock *clock);

#endif
